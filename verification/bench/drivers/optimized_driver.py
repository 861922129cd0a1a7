"""Our cache, through its public verbs, with all features: policies, namespaces, typed errors, loans."""

from typing import Any

from torch import Tensor

from radixcheck.optimized import DevicePool, RadixCache, TokenBuffer
from radixcheck.optimized.matched import Matched
from radixcheck.spec.values import Key
from radixcheck.verification.bench.driver import Driver


class Optimized(Driver):
    """Tokens are in the container of the cache. The key around them is made in each call."""

    tiered = "radixcheck.verification.bench.drivers.optimized_host_driver:HostOptimized"

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        self._cache = RadixCache(pool.page_size, "lru", pool)

    @classmethod
    def real(cls, capacity: int, page_size: int) -> DevicePool:
        """Return the pool on the CPU."""
        return DevicePool(capacity, page_size)

    def prep(self, tokens: list[int]) -> Any:
        """Return a buffer that can grow."""
        return TokenBuffer(tokens)

    def sizes(self) -> tuple[int, int]:
        """Return the counters of the cache."""
        sizes = self._cache.sizes()
        return sizes.evictable, sizes.protected

    def available(self) -> int:
        """Return the counter of the cache."""
        return self._cache.sizes().available

    def match(self, tokens: Any) -> tuple[int, Any]:
        """Match. The handle is the whole result, which can give the slots."""
        found = self._cache.match(Key(tokens))
        return found.length, found

    def indices(self, handle: Matched, length: int) -> Tensor:
        """Join the slots of the path."""
        return handle.slots

    def lock(self, handle: Matched) -> Any:
        """Lock the node. Return a receipt."""
        return self._cache.lock(handle.node)

    def unlock(self, lock: Any) -> None:
        """Release a receipt."""
        self._cache.unlock(lock)

    def insert(self, tokens: Any, row: Tensor, owned: int) -> int:
        """Insert. The cache copies the slots that it keeps."""
        present = self._cache.insert(Key(tokens), row)
        if present > owned:
            self._cache.free(row[owned:present])
        return present

    def checkpoint(self, tokens: Any, row: Tensor, owned: int, lock: Any) -> Any:
        """Insert and match in one access. Copy to the row the slots of tokens that others had inserted."""
        present, found = self._cache.insert_and_match(Key(tokens), row)
        if present > owned:
            self._cache.free(row[owned:present])
            row[owned:present] = found.slots[owned:present]
        self._cache.unlock(lock)
        return self._cache.lock(found.node)

    def evict(self, tokens: int) -> None:
        """Evict as few leaves as possible."""
        self._cache.evict(tokens)

    def alloc(self, tokens: int) -> Tensor:
        """Return slots on loan."""
        return self._cache.alloc(tokens)

    def wait(self, tokens: Any) -> Any:
        """Return a lookup, which remembers where it ended."""
        return self._cache.lookup(Key(tokens))

    def lengths(self, waiting: list[Any]) -> list[int]:
        """Look up each request without changing the cache. Only changed paths are walked again."""
        return self._cache.match_many(waiting)

    def length(self, tokens: Any) -> int:
        """Peek, which walks from the root."""
        return self._cache.peek(Key(tokens))
