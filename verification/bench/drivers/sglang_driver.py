"""The unmodified caches of SGLang, called as its scheduler does: rows of slots are int32, the tree keeps an int64 copy.

The C++ tree of SGLang 0.5.12 is compiled from its sources on first use and called as `radix_cache_cpp.py` does.
"""

from array import array
from functools import cache
from typing import Any, ClassVar

import torch
from torch import Tensor

from radixcheck.verification.bench.driver import Driver, Unsupported
from radixcheck.verification.remote.serve import Missing
from radixcheck.verification.subjects import sglang, sglang_classic, sglang_legacy, sglang_unified
from radixcheck.verification.subjects.sglang import extracted


def allocator(capacity: int, page_size: int, kv: Any = None) -> Any:
    """Return the allocator of SGLang over these keys and values, on the CPU. Raise Missing if SGLang is not installed."""
    sglang.interface()
    if page_size == 1:
        from sglang.srt.mem_cache.allocator.token import TokenToKVPoolAllocator

        return TokenToKVPoolAllocator(capacity, torch.int64, "cpu", kv, False)
    from sglang.srt.mem_cache.allocator.paged import PagedTokenToKVPoolAllocator

    return PagedTokenToKVPoolAllocator(capacity, page_size, torch.int64, "cpu", kv, False)


class SGLang(Driver):
    """A cache of SGLang."""

    rows: ClassVar[torch.dtype] = torch.int32
    _cache: Any

    @classmethod
    def real(cls, capacity: int, page_size: int) -> Any:
        """Return the allocator of the installed SGLang."""
        return allocator(capacity, page_size)

    def sizes(self) -> tuple[int, int]:
        """Return the counters of the cache."""
        return self._cache.evictable_size(), self._cache.protected_size()


class MatchesSlots(SGLang):
    """A cache of SGLang whose match returns its slots: the handle is the slots and the node."""

    def indices(self, handle: Any, length: int) -> Tensor:
        """Return the slots of the match."""
        slots: Tensor = handle[0]
        return slots


class Current(SGLang):
    """A cache of the installed SGLang."""

    core: ClassVar[str] = ""  # of the unified cache; empty: the classic cache

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        has = sglang.interface()
        self.version, self._key, self._page = has.version, has.key, pool.page_size
        self._match, self._insert, self._evict = has.types.MatchPrefixParams, has.types.InsertParams, has.types.EvictParams
        common = sglang.common(pool, sglang.Rows(), pool.page_size, "lru")
        self._cache = sglang_unified.built(has, common, self.core) if self.core else sglang_classic.built(has, common)

    def prep(self, tokens: list[int]) -> Any:
        """Return an array."""
        return array("q", tokens)

    def match(self, tokens: Any) -> tuple[int, Any]:
        """Match, with a new key object in each call."""
        found = self._cache.match_prefix(self._match(key=self._key(tokens)))
        return found.device_prefix_len, found.last_device_node

    def indices(self, handle: Any, length: int) -> Tensor:
        """Read the slots from the path."""
        slots: Tensor = self._cache.path_device_indices(handle)
        return slots

    def lock(self, handle: Any) -> Any:
        """Lock for one holder."""
        return self._cache.lock(handle)

    def unlock(self, lock: Any) -> None:
        """Release the lock."""
        self._cache.unlock(lock)

    def insert(self, tokens: Any, row: Tensor, owned: int) -> int:
        """Insert. Return the tokens that were cached already."""
        return int(self._inserted(tokens, row, owned).prefix_len)

    def checkpoint(self, tokens: Any, row: Tensor, owned: int, lock: Any) -> Any:
        """Insert and lock without a second match: the result of the insert has the node."""
        node = self._inserted(tokens, row, owned).last_device_node
        self._cache.path_device_indices(node)
        self._cache.unlock(lock)
        return self._cache.lock(node)

    def evict(self, tokens: int) -> None:
        """Evict leaf by leaf."""
        self._cache.evict(self._evict(num_tokens=tokens))

    def _inserted(self, tokens: Any, row: Tensor, owned: int) -> Any:
        """Insert. The unified cache frees duplicate slots after `prev_prefix_len` itself."""
        key = self._key(tokens).page_aligned(self._page)
        values = row[: len(key)].to(dtype=torch.int64, copy=True)
        return self._cache.insert(self._insert(key=key, value=values, prev_prefix_len=owned, inserted_len=owned))


class Classic(Current):
    """`RadixCache`: the caller frees duplicate slots."""

    def _inserted(self, tokens: Any, row: Tensor, owned: int) -> Any:
        done = super()._inserted(tokens, row, owned)
        if done.prefix_len > owned:
            self.pool.free_segment(row[owned : done.prefix_len], start_pos=owned)
        return done


class UnifiedPython(Current):
    """`UnifiedRadixCache`, core in Python."""

    tiered = "radixcheck.verification.bench.drivers.sglang_host_driver:HostPython"
    core = "python"


class UnifiedRust(Current):
    """`UnifiedRadixCache`, core in Rust: the default."""

    tiered = "radixcheck.verification.bench.drivers.sglang_host_driver:HostRust"
    core = "rust"


class Legacy(MatchesSlots):
    """`RadixCache` of 0.4.6.post5."""

    version = sglang_legacy.VERSION

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        self._page = pool.page_size
        self._cache = sglang_legacy.built(pool, sglang.Rows(), pool.page_size)

    @classmethod
    def real(cls, capacity: int, page_size: int) -> Any:
        """Raise Unsupported: the allocator is not loaded."""
        raise Unsupported("only the cache of that release is loaded, not its allocator")

    def match(self, tokens: Any) -> tuple[int, Any]:
        """Match. The handle is the slots and the node."""
        found = self._cache.match_prefix(tokens)
        return len(found[0]), found

    def lock(self, handle: Any) -> Any:
        """Lock the node, which a request keeps."""
        self._cache.inc_lock_ref(handle[1])
        return handle[1]

    def unlock(self, lock: Any) -> None:
        """Release the node."""
        self._cache.dec_lock_ref(lock)

    def insert(self, tokens: Any, row: Tensor, owned: int) -> int:
        """Insert. The caller cuts the unfinished page, copies the row and frees duplicate slots."""
        whole = len(row) // self._page * self._page
        present = int(self._cache.insert(tokens[:whole], row[:whole].clone()))
        if present > owned:
            self.pool.free(row[owned:present])
        return present

    def evict(self, tokens: int) -> None:
        """Evict. All leaves are collected first."""
        self._cache.evict(tokens)


VERSION = "0.5.12"
SOURCES = ("tree_v2_binding.cpp", "tree_v2_debug.cpp", "tree_v2.cpp")


@cache
def compiled() -> Any:
    """Return the compiled module. Raise Missing if it cannot be compiled."""
    folder = extracted("sglang", VERSION, "srt/mem_cache/cpp_radix_tree/tree_v2.cpp").parent
    from torch.utils.cpp_extension import load

    try:
        return load("radix_tree_cpp", [str(folder / name) for name in SOURCES], extra_cflags=["-O3", "-std=c++20"])
    except (OSError, RuntimeError, ImportError) as error:
        raise Missing(f"the C++ tree of sglang {VERSION} cannot be compiled, which takes g++ and ninja: {error}") from error


class Cpp(MatchesSlots):
    """The C++ tree. Tokens are lists."""

    version = VERSION

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        self._cache = compiled().RadixTree(False, None, pool.page_size, 1)
        self._nothing = torch.empty(0, dtype=torch.int64)

    def match(self, tokens: Any) -> tuple[int, Any]:
        """Match. The handle is the slots and the node."""
        parts, _, node, _ = self._cache.match_prefix(tokens)
        slots = torch.cat(parts) if len(parts) > 1 else parts[0] if parts else self._nothing
        return len(slots), (slots, node)

    def lock(self, handle: Any) -> Any:
        """Lock the node, which a request keeps."""
        self._cache.lock_ref(handle[1], True)
        return handle[1]

    def unlock(self, lock: Any) -> None:
        """Release the node."""
        self._cache.lock_ref(lock, False)

    def insert(self, tokens: Any, row: Tensor, owned: int) -> int:
        """Insert a copy of the row: the tree keeps a view of it, so the row itself could not be reused."""
        _, present = self._cache.writing_through(tokens, row.to(torch.int64, copy=True))
        if present > owned:
            self.pool.free(row[owned:present])
        return int(present)

    def evict(self, tokens: int) -> None:
        """Evict, and free the slots of each victim."""
        for slots in self._cache.evict(tokens):
            self.pool.free(slots)
