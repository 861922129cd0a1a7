"""An abstraction that recalls what it worked out: a node that has not changed costs a comparison, no computation.

What is recalled is a pure function of what was seen of a node (where it hangs, its tokens, its slots), and is used again
only when all of that is the same again. Who owns a slot and when a node was used are read afresh every time.
"""

from collections.abc import Mapping
from copy import copy
from itertools import repeat
from typing import NamedTuple

from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import FREE, LOST, TREE
from radixcheck.verification.checker.abstraction import Abstraction
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.protocol import NodeId, Observation, SeenNode


class KnownNode(NamedTuple):
    """A node as it was seen, and what that means."""

    above: int  # the position at which it hangs
    segment: object
    slots: object
    child_key: object
    namespace: object
    chain: tuple[int, ...]  # its positions
    pages: tuple[int, ...]  # of its slots

    @property
    def end(self) -> int:
        """The position at which it ends, by which the specification calls it."""
        return self.chain[-1]

    def is_of(self, n: SeenNode) -> bool:
        """Whether a node is as it was, wherever it hangs."""
        return self[1:5] == _content(n)


class _Owners(dict[int, int]):
    """Owners of pages, as far as the pool can tell, of those that are asked about."""

    def __init__(self, pool: WatchedPool) -> None:
        super().__init__()
        self._pool = pool

    def __missing__(self, page: int) -> int:
        return LOST if self._pool.out[page] else FREE


class MemoizedAbstraction(Abstraction):
    """Makes the same states with the same findings; and looks at single nodes."""

    def __init__(self, positions: Positions, pool: WatchedPool, policy: str, written: Mapping[int, int]) -> None:
        super().__init__(positions, pool, policy, written)
        self.memory: dict[NodeId, KnownNode] = {}

    def look(self, n: SeenNode, above: int) -> KnownNode | None:
        """Where a node lies that hangs at position `above`, and its pages; None if the findings say what is wrong."""
        known = self._recalled(n, above)
        if known is None or not all(map(self.pool.out.__getitem__, known.pages)):
            known = self._node_alone(n, above)
        return known

    def with_heap(self, spec: State, seen: Observation) -> State:
        """The specification's state, with which the observation has just agreed, and the heap that was observed."""
        s = copy(spec)
        s.queued, s.on, s.first, s.second, s.entry = set(), {}, {}, {}, {}
        self._heap(s, seen)
        return s

    def ticks(self, key: tuple[int | float, int | float]) -> tuple[float, float]:
        """A key of the heap with ticks for the clock readings in it."""
        (first, second), sign = key, self._key_sign
        return (sign * self.clock(sign * first) if sign else first), (self.clock(second) if second else 0)

    def forget(self, seen: Observation) -> None:
        """Drop what was recalled of nodes that are no more."""
        names = {n.name for n in seen.nodes}
        self.memory = {name: known for name, known in self.memory.items() if name in names}

    def _recalled(self, n: SeenNode, above: int) -> KnownNode | None:
        known = self.memory.get(n.name)
        return known if known is not None and known.above == above and known.is_of(n) else None

    def _node_alone(self, n: SeenNode, above: int) -> KnownNode | None:
        """Abstract one node as if the tree had no other."""
        s = State.__new__(State)
        s.node, s.cached = set(), set()
        s.end, s.up, s.page, s.lock, s.kids = {}, {}, {}, {}, {}
        s.time, s.creation, s.hits, s.priority, s.content = {}, {}, {}, {}, {}
        s.owner = _Owners(self.pool)  # type: ignore[assignment]  # a list of all pages would cost more than the rest
        self.places = {n.parent: above}
        found = len(self.findings)
        super()._node(s, n)
        return self._learn(s, n, above, found)

    def _learn(self, s: State, n: SeenNode, above: int, found: int) -> KnownNode | None:
        """Recall a node that `_node` has just placed in `s`, unless it had a finding to add to the first `found`."""
        if len(self.findings) > found:
            return None
        level = self.positions.level[above]
        path = self.positions.path(self.places[n.name])[level:]
        known = self.memory[n.name] = KnownNode(above, *_content(n), path, tuple(s.page[q] for q in path))
        return known

    def _node(self, s: State, n: SeenNode) -> None:
        above = self.places.get(n.parent)
        known = None if above is None else self._recalled(n, above)
        if above is None or known is None or not self._is_clean(s, known):
            found = len(self.findings)
            super()._node(s, n)
            if above is not None:
                self._learn(s, n, above, found)
            return
        end = self.places[n.name] = known.chain[-1]
        s.node.add(end)
        s.cached.update(known.chain)
        s.up[end] = above
        s.kids[above] = s.kids.get(above, 0) + 1
        s.lock[end], s.hits[end], s.priority[end] = n.lock, n.hits, n.priority
        s.time[end], s.creation[end] = self.clock(n.time), self.clock(n.creation)
        s.end.update(dict.fromkeys(known.chain, end))
        s.page.update(zip(known.chain, known.pages, strict=True))
        s.content.update(zip(known.pages, map(self.written.get, known.pages, repeat(EPS)), strict=False))
        for page in known.pages:
            s.owner[page] = TREE

    def _is_clean(self, s: State, known: KnownNode) -> bool:
        """Whether its tokens and its pages are nobody else's so far."""
        return s.cached.isdisjoint(known.chain) and {LOST}.issuperset(map(s.owner.__getitem__, known.pages))


def _content(n: SeenNode) -> tuple[object, object, object, object]:
    return (tuple(n.segment), tuple(n.slots), None if n.child_key is None else tuple(n.child_key), n.namespace)
