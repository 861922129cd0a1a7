"""The historical trees as subjects. The engine above them is the same for all, and is shared with the adapters of engines.

The change of sglang#6907 touched only the tree, so every difference between these subjects comes from their trees.
A request's row, with `whole` its tokens in whole pages:

    [0, protected)           slots of the tree, under the request's lock
    [protected, whole)       its own whole pages: cached by the next `chunk`, or freed where the tree had them already
    [whole, len(tokens))     its own unaligned tail
    [len(tokens), len(row))  the rest of its last page, not used yet
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from radixcheck.reference.pool import slots_of_pages
from radixcheck.spec import values
from radixcheck.verification.core.page_sizes import EVERY
from radixcheck.verification.protocol import NodeId, Observation, SeenNode, Setup, SlotPool, Supports
from radixcheck.verification.remote.serve import Key
from radixcheck.verification.subjects.engine_shim import FinishingShim, Live, Peek
from radixcheck.verification.subjects.historical.base import BaseTree, Node, above, held


class ClearedPool:
    """The checker's pool. `clear` takes back every page that is out, reachable or not, as the release does at a reset."""

    def __init__(self, pool: SlotPool) -> None:
        self.page_size, self.capacity = pool.page_size, pool.capacity
        self._pool = pool
        self._out: set[int] = set()  # first slot of each page that is out

    @property
    def available(self) -> int:
        """Free slots, in tokens."""
        return self._pool.available

    def alloc(self, tokens: int) -> list[int]:
        """Return free slots, page by page."""
        slots = self._pool.alloc(tokens)
        self._out.update(slots[:: self.page_size])
        return slots

    def free(self, slots: Sequence[int]) -> None:
        """Take whole pages back."""
        self._pool.free(slots)
        self._out.difference_update(slots[:: self.page_size])

    def clear(self) -> None:
        """Take all pages back."""
        if self._out:
            self.free(slots_of_pages(sorted(self._out), self.page_size))


class HistoricalTree:
    """A historical tree as its engine calls it."""

    supports = Supports(namespaces=False, policies=("lru",), page_sizes=EVERY, attributes=frozenset({"time"}))
    version = ""

    def __init__(self, cache: BaseTree, pool: ClearedPool) -> None:
        self.cache, self._pool = cache, pool

    def match(self, key: Key) -> tuple[list[int], Node]:
        """Splits, and refreshes more than it returns (L5)."""
        return self.cache.match(list(key.tokens))

    def peek(self, key: Key) -> Peek:
        """Walk without splitting; refresh nothing."""
        return self.cache.peek(list(key.tokens))

    def insert(self, key: Key, slots: list[int], priority: int) -> int:
        """Return the tokens found. These trees have no priorities."""
        return self.cache.insert(list(key.tokens), slots)

    def lock(self, node: Node) -> Node:
        """Protect the path from the node to the root."""
        self.cache.inc_lock_ref(node)
        return node

    def unlock(self, lock: Node) -> None:
        """Release one lock."""
        self.cache.dec_lock_ref(lock)

    def attached(self, node: object) -> bool:
        """Return whether the root leads to this node."""
        return isinstance(node, Node) and self.cache.attached(node)

    def evict(self, tokens: int) -> int:
        """Return the tokens freed."""
        return self.cache.evict(tokens)

    def sizes(self) -> tuple[int, int]:
        """Return the counters of the tree. `evictable` also counts the nodes that an eviction cut off."""
        return self.cache.evictable, self.cache.protected

    def reset(self) -> None:
        """Forget the tree, and clear the pool as a whole."""
        self._pool.clear()
        self.cache.reset()

    def checkpoint(self, live: Live) -> None:
        """Insert, free duplicates, match what was inserted, write the row, move the lock.

        The old lock is released before the new one is taken: a chunk that adds no page pushes its leaf once more (C3).
        """
        whole = self._inserted(live)
        slots, node = self.cache.match(live.tokens[:whole])
        live.row[live.protected : whole] = slots[live.protected :]
        self.cache.dec_lock_ref(live.node)
        self.cache.inc_lock_ref(node)
        live.protected, live.node, live.lock = whole, node, node

    def finish(self, live: Live) -> None:
        """Insert, free duplicates and the tail, unlock. Nothing is matched."""
        whole = self._inserted(live)
        self.cache.give(live.row[whole:])
        self.cache.dec_lock_ref(live.node)

    def _inserted(self, live: Live) -> int:
        """Insert the whole pages of a request and free its duplicates; return how many tokens were inserted."""
        whole = len(live.tokens) // self.cache.page_size * self.cache.page_size
        prefix = self.cache.insert(live.tokens[:whole], live.row)
        self.cache.give(live.row[live.protected : prefix])
        return whole

    def observe(self, requests: Mapping[int, Any]) -> Observation:
        """Return the nodes that the root reaches, and the whole heap, whose entries may name other nodes."""
        nodes = [self._seen(node) for node in self.cache.nodes()]
        return Observation(self.cache.now, nodes, requests, self.cache.entries(), self.cache.evictable_leaves())

    def locate(self, node: object) -> NodeId | None:
        """Return the name of a handle's node; None for the root."""
        assert isinstance(node, Node), "a handle of this cache is a node"
        return None if node is self.cache.root else node.name

    def _seen(self, node: Node) -> SeenNode:
        return self._seen_with(node, held(node))

    def _seen_with(self, node: Node, slots: Sequence[int]) -> SeenNode:
        filed = next(key for key, child in above(node).children.items() if child is node)
        page, parent = (filed,) if isinstance(filed, int) else filed, self.locate(above(node))
        return SeenNode(node.name, parent, tuple(node.key), tuple(slots), (), page, node.lock_ref, node.time)


class HistoricalCache(FinishingShim):
    """A historical tree as a subject, in the process of the checker."""

    values: ClassVar[Any] = values

    tree: HistoricalTree


def cleared_pool(setup: Setup) -> ClearedPool:
    """Return the checker's pool. Raises ValueError for a policy other than LRU: that release has no other."""
    if setup.policy != "lru":
        raise ValueError(f"the historical caches evict by lru only, not by {setup.policy}")
    return ClearedPool(setup.pool)


def historical_cache(tree: type[BaseTree], setup: Setup) -> HistoricalCache:
    """Return a historical tree as a subject. Raises ValueError for a policy other than LRU."""
    pool = cleared_pool(setup)
    return HistoricalCache(HistoricalTree(tree(setup.page_size, pool), pool), pool)
