"""Our cache as an adapter of an external benchmark of prefix caches: `bench.py --adapter peers_adapter.py`.

The benchmark loads this file without the package. Its allocator replaces our pool. Since the benchmark calls the allocator itself, the
adapter counts the slots as loans, as the cache's `alloc` would.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from core import Adapter  # a module of the benchmark

if "radixcheck" not in sys.modules:
    package = ModuleType("radixcheck")  # need not be installed in that environment
    package.__path__ = [str(Path(__file__).resolve().parents[2])]
    sys.modules["radixcheck"] = package

import torch

from radixcheck.optimized import CountedLoans, RadixCache, TokenBuffer
from radixcheck.spec.values import Key


class BenchmarkPool:
    """The allocator of the benchmark as a pool."""

    def __init__(self, allocator: Any) -> None:
        self.page_size, self.capacity, self.device = allocator.page_size, allocator.capacity, torch.device(allocator.device)
        self.alloc, self._allocator = allocator.alloc, allocator

    @property
    def available(self) -> int:
        """Return the free slots, in tokens."""
        available: int = self._allocator.avail
        return available

    def free(self, *parts: torch.Tensor) -> None:
        """Free the slots of several victims in one call."""
        self._allocator.free(parts[0] if len(parts) == 1 else torch.cat(parts))


class Optimized(Adapter):  # type: ignore[misc]
    """The verbs of the benchmark, on our cache."""

    name = "radixcheck-optimized"

    def __init__(self, page_size: int, allocator: Any) -> None:
        self._loans = CountedLoans(page_size)
        self._cache = RadixCache(page_size, "lru", BenchmarkPool(allocator), loans=self._loans)
        self.page_size = page_size

    def prep(self, tokens: list[int]) -> Any:
        """Return tokens in the container that an engine uses."""
        return TokenBuffer(tokens)

    def sizes(self) -> tuple[int, int]:
        """Return evictable and protected tokens."""
        return self._cache.sizes()[1:]

    def match(self, tokens: Any) -> tuple[int, Any]:
        """Return the number of matched tokens, and the match as a handle."""
        found = self._cache.match(Key(tokens))
        return found.length, found

    def indices(self, found: Any, tokens: int) -> Any:
        """Return the slots of a match."""
        return found.slots

    def lock(self, found: Any) -> Any:
        """Lock a match. Return a receipt."""
        return self._cache.lock(found.node)

    def unlock(self, receipt: Any) -> None:
        """Release a receipt."""
        self._cache.unlock(receipt)

    def insert(self, tokens: Any, row: Any, owned: int) -> tuple[int, Any]:
        """Insert the whole pages, and free the duplicate slots of the caller (rows are int32). The caller keeps the unfinished page."""
        self._loans.outstanding += row.numel() // self.page_size * self.page_size - owned
        present = self._cache.insert(Key(tokens), row.long())
        if present > owned:
            self._cache.free(row[owned:present].long())
        return present, None

    def insert_relock(self, tokens: Any, row: Any, owned: int, receipt: Any) -> Any:
        """Insert, and lock the new match, in one access."""
        self._loans.outstanding += row.numel() // self.page_size * self.page_size - owned
        present, found = self._cache.insert_and_match(Key(tokens), row.long())
        if present > owned:
            self._cache.free(row[owned:present].long())
        self.indices(found, found.length)
        self._cache.unlock(receipt)
        return self._cache.lock(found.node)

    def evict(self, tokens: int) -> int:
        """Evict at least so many tokens, if possible. Return the evicted tokens."""
        return self._cache.evict(tokens)


ADAPTERS = {Optimized.name: Optimized}
