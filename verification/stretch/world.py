"""What a scenario has: keys, an order of calls for each effect, and a record of how far it has come.

A cache has the tree verbs, the request verbs, or both. The methods that yield operations choose those that it has, so that one scenario
serves all. Every operation that they yield can be performed: a scenario keeps enough pages free for its inserts.
"""

from collections.abc import Iterator
from itertools import chain, count
from random import Random

from radixcheck.spec.run.state import State
from radixcheck.spec.values import Key, Namespace
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Supports

TREE_VERBS = frozenset({"insert", "match", "evict"})
REQUEST_VERBS = frozenset({"start", "finish", "abort"})
INTEGER_MAX = 2**63 - 1
EXACT_MAX = 2**53 - 1  # the largest integer that every program reads exactly from JSON
FILLER = 1_000_000  # names of pages from here on are given to keys that only take room

Ops = Iterator[Op]


def page_tokens(name: int, page_size: int) -> tuple[int, ...]:
    """Return the tokens of a page: its name, repeated."""
    return (name,) * page_size


class World:
    """One run of one scenario. `state` is that of the specification."""

    def __init__(self, supports: Supports, page_size: int, pages: int, state: State, random: Random, quiet_until: int = 0) -> None:
        self.page_size, self.pages, self.random = page_size, pages, random
        self.operations = frozenset(supports.operations)
        self.tree, self.requests = self.operations >= TREE_VERBS, self.operations >= REQUEST_VERBS
        self.integer_max = INTEGER_MAX if supports.here else EXACT_MAX
        self.reached = 0
        self.restarted = False
        self._state, self._quiet_until = state, quiet_until
        self._fillers = count(FILLER)

    def has(self, *names: str) -> bool:
        """Whether the cache has all of these operations."""
        return self.operations.issuperset(names)

    def due(self, reached: int) -> bool:
        """Record how far the scenario has come. Return whether the checks at this point are to be made: not when they only take room."""
        self.reached = max(self.reached, reached)
        return reached >= self._quiet_until

    def restart(self) -> None:
        """Record that the scenario goes on as from an empty cache: what follows does not need what came before."""
        self.restarted = True

    @property
    def free_pages(self) -> int:
        """Pages that are free."""
        return self._state.available // self.page_size

    def key(self, *pages: int, namespace: Namespace = ()) -> Key:
        """Return the key of these pages, each by its name."""
        return Key(tuple(chain.from_iterable(page_tokens(name, self.page_size) for name in pages)), namespace)

    def put(self, key: Key, priority: int = 0) -> Ops:
        """Cache a key."""
        if self.tree:
            yield Op("insert", key, priority=priority)
        else:
            yield from self.serve(key, priority)

    def serve(self, key: Key, priority: int = 0, holder: int = 0) -> Ops:
        """Cache a key by a request."""
        yield Op("start", key, holder, priority=priority)
        yield Op("finish", holder=holder)

    def hit(self, key: Key) -> Ops:
        """Count a hit on a cached key by the operations that take least time."""
        return self.serve(key) if self.requests else self.put(key)

    def tick(self, key: Key) -> Ops:
        """Access a cached key: twice by a request, or once."""
        return self.serve(key) if self.requests else self.look(key)

    def look(self, key: Key) -> Ops:
        """Read the slots of what is cached of a key, which refreshes its time."""
        if self.tree:
            yield Op("match", key)
        else:
            yield Op("start", key)
            yield Op("abort")

    def peek(self, key: Key) -> Ops:
        """Ask for the length of what is cached of a key. A cache without `peek` is not asked: the answer of a look would change times."""
        if self.has("peek"):
            yield Op("peek", key)

    def evict(self, pages: int) -> Ops:
        """Evict at least so many pages. Without `evict`, a request that needs so many more than are free makes the cache evict."""
        if self.tree:
            yield Op("evict", amount=pages * self.page_size)
        else:
            yield Op("start", self.filler(self.free_pages + pages))
            yield Op("abort")

    def evict_nothing(self) -> Ops:
        """Ask for a page where all are protected."""
        yield Op("evict", amount=self.page_size) if self.tree else Op("start", self.filler(self.free_pages + 1))

    def filler(self, pages: int) -> Key:
        """Return a key that has not been used before."""
        return self.key(*(next(self._fillers) for _ in range(pages)))

    def hold(self, key: Key, holder: int) -> Ops:
        """Protect a cached key. A lock needs a match of the key before it; `look` makes one."""
        if self.has("lock"):
            yield Op("lock", key, holder)
        else:
            yield Op("start", key, holder)

    def release(self, holder: int) -> Ops:
        """End what `hold` began."""
        yield Op("unlock" if self.has("lock") else "abort", holder=holder)

    def shuffled(self, total: int) -> list[int]:
        """Return the numbers from 1 to `total` in random order."""
        return self.random.sample(range(1, total + 1), total)

    def empty(self) -> Ops:
        """Evict all that no holder protects."""
        while self._state.evictable:
            yield from self.evict(self._state.evictable // self.page_size)


def around(*powers: int) -> tuple[int, ...]:
    """Return the numbers next to these powers of two, and the powers, in ascending order.

    >>> around(3, 1)
    (1, 2, 3, 7, 8, 9)
    """
    return tuple(sorted({2**k + offset for k in powers for offset in (-1, 0, 1)} - {0}))


THRESHOLDS = tuple(sorted({*range(1, 21), *around(5, 6, 7, 8), 24, 48, 50, 96, 100, 192, 200, 300}))  # sizes that a small table may have
