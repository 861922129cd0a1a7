"""The toy cache as a subject: sixty lines that say what the kit's words mean in the words of the cache."""

from toy import Entry, PrefixCache

from radixcheck.spec.values import Key, Match, NoRoom, NotLocked, Sizes, StaleHandle, StillHeld
from radixcheck.verification.protocol import Observation, SeenNode, Setup, Supports


class Toy:
    supports = Supports(requests=False, namespaces=False, policies=("lru",), page_sizes=(1,), attributes=frozenset({"time"}))

    def __init__(self, setup: Setup) -> None:
        self.pool = setup.pool  # slots come from here and go back here: it sees double frees and leaks
        self.cache = PrefixCache()
        self.locks: dict[object, Entry] = {}  # by receipt

    def match(self, key: Key) -> Match[list[int]]:
        slots, entry = self.cache.find(key.tokens)
        return Match(len(slots), slots, entry)

    def peek(self, key: Key) -> int:
        return self.cache.length(key.tokens)

    def insert(self, key: Key, slots: list[int], priority: int = 0) -> int:
        return self.cache.add(key.tokens, slots)

    def lock(self, node: Entry) -> object:
        if not self.cache.has(node):
            raise StaleHandle("this entry was dropped")
        self.cache.pin(node)
        receipt = object()
        self.locks[receipt] = node
        return receipt

    def unlock(self, receipt: object) -> None:
        if receipt not in self.locks:
            raise NotLocked("this lock was released before")
        self.cache.pin(self.locks.pop(receipt), -1)

    def evict(self, tokens: int) -> int:
        gone = self.cache.drop(tokens)
        self.free(gone)
        return len(gone)

    def alloc(self, tokens: int) -> list[int]:
        if tokens > self.pool.available + self.sizes().evictable:
            raise NoRoom(f"{tokens} tokens")
        self.evict(tokens - self.pool.available)
        return self.pool.alloc(tokens) if tokens else []

    def free(self, slots: list[int]) -> None:
        if slots:
            self.pool.free(slots)

    def reset(self) -> None:
        if self.locks or sum(self.sizes()[:2]) < self.pool.capacity:
            raise StillHeld("something is pinned, or slots are with a caller")
        self.evict(self.pool.capacity)

    def sizes(self) -> Sizes:
        pinned = sum(len(e.tokens) for e in self.cache.entries() if e.pins)
        return Sizes(self.pool.available, sum(len(e.tokens) for e in self.cache.entries()) - pinned, pinned)

    def observe(self) -> Observation:  # optional: with it, every property is checked after every operation
        seen = [SeenNode(id(e), self.locate(e.parent), e.tokens, e.slots, (), None, e.pins, e.used) for e in self.cache.entries()]
        return Observation(self.cache.clock, seen)

    def locate(self, node: Entry | None) -> int | None:
        return id(node) if node and node.parent else None
