"""Our cache, through its public verbs, with every feature on: policies, namespaces, typed errors, loans."""

from typing import Any

from torch import Tensor

from radixcheck.optimized import DevicePool, RadixCache, TokenBuffer
from radixcheck.optimized.matched import Matched
from radixcheck.spec.values import Key
from radixcheck.verification.bench.driver import Driver


class Optimized(Driver):
    """Tokens in the container that the cache offers for them; the key around them is made when it is asked for."""

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        self._cache = RadixCache(pool.page_size, "lru", pool)

    @classmethod
    def real(cls, capacity: int, page_size: int) -> DevicePool:
        """The stack of pages, on the CPU."""
        return DevicePool(capacity, page_size)

    def prep(self, tokens: list[int]) -> Any:
        """A buffer that can grow."""
        return TokenBuffer(tokens)

    def sizes(self) -> tuple[int, int]:
        """The cache's own."""
        sizes = self._cache.sizes()
        return sizes.evictable, sizes.protected

    def available(self) -> int:
        """Also the cache's own."""
        return self._cache.sizes().available

    def match(self, tokens: Any) -> tuple[int, Any]:
        """The handle is the whole answer: it leads to the slots."""
        found = self._cache.match(Key(tokens))
        return found.length, found

    def indices(self, handle: Matched, length: int) -> Tensor:
        """Put together here, if anyone asks."""
        return handle.slots

    def lock(self, handle: Matched) -> Any:
        """A receipt."""
        return self._cache.lock(handle.node)

    def unlock(self, lock: Any) -> None:
        """Once."""
        self._cache.unlock(lock)

    def insert(self, tokens: Any, row: Tensor, owned: int) -> int:
        """The cache copies what it keeps."""
        present = self._cache.insert(Key(tokens), row)
        if present > owned:
            self._cache.free(row[owned:present])
        return present

    def checkpoint(self, tokens: Any, row: Tensor, owned: int, lock: Any) -> Any:
        """One access inserts, and finds what is to be locked now. The row is as the tree has it, but for what others had inserted."""
        present, found = self._cache.insert_and_match(Key(tokens), row)
        if present > owned:
            self._cache.free(row[owned:present])
            row[owned:present] = found.slots[owned:present]
        self._cache.unlock(lock)
        return self._cache.lock(found.node)

    def evict(self, tokens: int) -> None:
        """Exactly as many leaves as it takes."""
        self._cache.evict(tokens)

    def alloc(self, tokens: int) -> Tensor:
        """On loan."""
        return self._cache.alloc(tokens)

    def wait(self, tokens: Any) -> Any:
        """A lookup, which remembers where it ended."""
        return self._cache.lookup(Key(tokens))

    def lengths(self, waiting: list[Any]) -> list[int]:
        """A look at each, which changes nothing, and walks only where something has happened."""
        return self._cache.match_many(waiting)

    def length(self, tokens: Any) -> int:
        """A look from the root."""
        return self._cache.peek(Key(tokens))
