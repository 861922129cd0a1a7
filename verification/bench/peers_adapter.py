"""Our cache as an adapter of the benchmark of prefix-cache peers, which is no part of this project: `bench.py --adapter peers_adapter.py`.

The benchmark loads this file as it lies here. Its pool stands where ours would, and takes and gives slots beside the cache: what it hands
out is counted as on loan here, as `alloc` would count it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from core import Adapter  # of the benchmark

if "radixcheck" not in sys.modules:
    package = ModuleType("radixcheck")  # which need not be installed where the peers are
    package.__path__ = [str(Path(__file__).resolve().parents[2])]
    sys.modules["radixcheck"] = package

import torch

from radixcheck.optimized import CountedLoans, RadixCache, TokenBuffer
from radixcheck.spec.values import Key


class BenchmarkPool:
    """The benchmark's allocator as a pool."""

    def __init__(self, allocator: Any) -> None:
        self.page_size, self.capacity, self.device = allocator.page_size, allocator.capacity, torch.device(allocator.device)
        self.alloc, self._allocator = allocator.alloc, allocator

    @property
    def available(self) -> int:
        """Free slots, in tokens."""
        available: int = self._allocator.avail
        return available

    def free(self, *parts: torch.Tensor) -> None:
        """What several victims had, in one call."""
        self._allocator.free(parts[0] if len(parts) == 1 else torch.cat(parts))


class Optimized(Adapter):  # type: ignore[misc]
    """The verbs of the benchmark, made of ours."""

    name = "radixcheck-optimized"

    def __init__(self, page_size: int, allocator: Any) -> None:
        self._loans = CountedLoans(page_size)
        self._cache = RadixCache(page_size, "lru", BenchmarkPool(allocator), loans=self._loans)
        self.page_size = page_size

    def prep(self, tokens: list[int]) -> Any:
        """What an engine holds of a request."""
        return TokenBuffer(tokens)

    def sizes(self) -> tuple[int, int]:
        """Evictable and protected tokens."""
        return self._cache.sizes()[1:]

    def match(self, tokens: Any) -> tuple[int, Any]:
        """Tokens that are cached; the match is the handle."""
        found = self._cache.match(Key(tokens))
        return found.length, found

    def indices(self, found: Any, tokens: int) -> Any:
        """Its slots."""
        return found.slots

    def lock(self, found: Any) -> Any:
        """A receipt."""
        return self._cache.lock(found.node)

    def unlock(self, receipt: Any) -> None:
        """Give it back."""
        self._cache.unlock(receipt)

    def insert(self, tokens: Any, row: Any, owned: int) -> tuple[int, Any]:
        """Cache the whole pages; free those slots of what was present that are the caller's; the unaligned tail stays his."""
        self._loans.outstanding += row.numel() // self.page_size * self.page_size - owned
        present = self._cache.insert(Key(tokens), row)
        if present > owned:
            self._cache.free(row[owned:present])
        return present, None

    def insert_relock(self, tokens: Any, row: Any, owned: int, receipt: Any) -> Any:
        """One access inserts and finds what is to be locked and read now."""
        self._loans.outstanding += row.numel() // self.page_size * self.page_size - owned
        present, found = self._cache.insert_and_match(Key(tokens), row)
        if present > owned:
            self._cache.free(row[owned:present])
        self.indices(found, found.length)
        self._cache.unlock(receipt)
        return self._cache.lock(found.node)

    def evict(self, tokens: int) -> int:
        """Tokens freed."""
        return self._cache.evict(tokens)


ADAPTERS = {Optimized.name: Optimized}
