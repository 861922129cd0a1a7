"""SGLang's caches, unmodified and unobserved, as its scheduler calls them: rows of slots are int32, the tree keeps an int64 copy."""

from __future__ import annotations

from array import array
from typing import Any, ClassVar

import torch
from torch import Tensor

from radixcheck.verification.bench.driver import Driver, Unsupported
from radixcheck.verification.subjects import sglang, sglang_classic, sglang_legacy, sglang_unified


def allocator(capacity: int, page_size: int) -> Any:
    """SGLang's own, on the CPU. Raises Missing."""
    sglang.interface()
    if page_size == 1:
        from sglang.srt.mem_cache.allocator.token import TokenToKVPoolAllocator

        return TokenToKVPoolAllocator(capacity, torch.int64, "cpu", None, False)
    from sglang.srt.mem_cache.allocator.paged import PagedTokenToKVPoolAllocator

    return PagedTokenToKVPoolAllocator(capacity, page_size, torch.int64, "cpu", None, False)


class Current(Driver):
    """A cache of the installed SGLang."""

    rows: ClassVar[torch.dtype] = torch.int32

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        has = sglang.interface()
        self.version, self._key, self._page = has.version, has.key, pool.page_size
        self._match, self._insert, self._evict = has.types.MatchPrefixParams, has.types.InsertParams, has.types.EvictParams
        self._cache = self.built(has, sglang.common(pool, sglang.Rows(), pool.page_size, "lru"))

    def built(self, has: sglang.Interface, common: dict[str, Any]) -> Any:
        """The cache."""
        raise NotImplementedError

    @classmethod
    def real(cls, capacity: int, page_size: int) -> Any:
        """Its engine's."""
        return allocator(capacity, page_size)

    def prep(self, tokens: list[int]) -> Any:
        """A buffer."""
        return array("q", tokens)

    def sizes(self) -> tuple[int, int]:
        """The cache's own."""
        return self._cache.evictable_size(), self._cache.protected_size()

    def match(self, tokens: Any) -> tuple[int, Any]:
        """The key is wrapped for each call."""
        found = self._cache.match_prefix(self._match(key=self._key(tokens)))
        return found.device_prefix_len, found.last_device_node

    def indices(self, handle: Any, length: int) -> Tensor:
        """Read off the path."""
        slots: Tensor = self._cache.path_device_indices(handle)
        return slots

    def lock(self, handle: Any) -> Any:
        """For one holder."""
        return self._cache.lock(handle)

    def unlock(self, lock: Any) -> None:
        """The same lock."""
        self._cache.unlock(lock)

    def insert(self, tokens: Any, row: Tensor, owned: int) -> int:
        """The node where it ends comes with the answer."""
        return int(self._inserted(tokens, row, owned).prefix_len)

    def checkpoint(self, tokens: Any, row: Tensor, owned: int, lock: Any) -> Any:
        """No second match is needed."""
        node = self._inserted(tokens, row, owned).last_device_node
        self._cache.path_device_indices(node)
        self._cache.unlock(lock)
        return self._cache.lock(node)

    def evict(self, tokens: int) -> None:
        """Leaf by leaf."""
        self._cache.evict(self._evict(num_tokens=tokens))

    def _inserted(self, tokens: Any, row: Tensor, owned: int) -> Any:
        """It frees what it finds present beyond `prev_prefix_len`, if it does so itself."""
        key = self._key(tokens).page_aligned(self._page)
        values = row[: len(key)].to(dtype=torch.int64, copy=True)
        return self._cache.insert(self._insert(key=key, value=values, prev_prefix_len=owned, inserted_len=owned))


class Classic(Current):
    """`RadixCache`: its caller frees what was present."""

    def built(self, has: sglang.Interface, common: dict[str, Any]) -> Any:
        """The cache."""
        return sglang_classic.built(has, common)

    def _inserted(self, tokens: Any, row: Tensor, owned: int) -> Any:
        done = super()._inserted(tokens, row, owned)
        if done.prefix_len > owned:
            self.pool.free_segment(row[owned : done.prefix_len], start_pos=owned)
        return done


class UnifiedPython(Current):
    """`UnifiedRadixCache`, core in Python."""

    def built(self, has: sglang.Interface, common: dict[str, Any]) -> Any:
        """The cache."""
        return sglang_unified.built(has, common, "python")


class UnifiedRust(Current):
    """`UnifiedRadixCache`, core in Rust: the default."""

    def built(self, has: sglang.Interface, common: dict[str, Any]) -> Any:
        """The cache."""
        return sglang_unified.built(has, common, "rust")


class Legacy(Driver):
    """`RadixCache` of 0.4.6.post5. A match brings its slots with it."""

    rows: ClassVar[torch.dtype] = torch.int32
    version = sglang_legacy.VERSION

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        self._page = pool.page_size
        self._cache = sglang_legacy.built(pool, sglang.Rows(), pool.page_size)

    @classmethod
    def real(cls, capacity: int, page_size: int) -> Any:
        """Not loaded with it."""
        raise Unsupported("only the files of the cache are loaded from that release, not its allocator")

    def sizes(self) -> tuple[int, int]:
        """The cache's own."""
        return self._cache.evictable_size(), self._cache.protected_size()

    def match(self, tokens: Any) -> tuple[int, Any]:
        """The handle is the slots and the node."""
        found = self._cache.match_prefix(tokens)
        return len(found[0]), found

    def indices(self, handle: Any, length: int) -> Tensor:
        """They came with the match."""
        slots: Tensor = handle[0]
        return slots

    def lock(self, handle: Any) -> Any:
        """A request keeps the node."""
        self._cache.inc_lock_ref(handle[1])
        return handle[1]

    def unlock(self, lock: Any) -> None:
        """The same node."""
        self._cache.dec_lock_ref(lock)

    def insert(self, tokens: Any, row: Tensor, owned: int) -> int:
        """Its callers cut the tail, copy the row and free what was present."""
        whole = len(row) // self._page * self._page
        present = int(self._cache.insert(tokens[:whole], row[:whole].clone()))
        if present > owned:
            self.pool.free(row[owned:present])
        return present

    def evict(self, tokens: int) -> None:
        """All leaves are collected first."""
        self._cache.evict(tokens)
