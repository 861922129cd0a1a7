"""The C++ tree of SGLang 0.5.12, compiled from its sources on first use and called as `radix_cache_cpp.py` does."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor

from radixcheck.verification.bench.drivers.sglang_driver import MatchesSlots
from radixcheck.verification.remote.serve import Missing
from radixcheck.verification.subjects.sglang import extracted

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
