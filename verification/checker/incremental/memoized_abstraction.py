"""The memoized abstraction: an unchanged node costs a comparison and no computation.

The memo holds what follows from the position of a node's parent, its tokens and its slots alone, and serves as long as these are
unchanged. Owners of slots and the attributes of nodes are read every time.
"""

from collections.abc import Mapping
from itertools import repeat
from typing import NamedTuple

from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import FREE, LOST, TREE
from radixcheck.verification.checker.abstraction import Abstraction
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.protocol import NodeId, Observation, SeenNode


class KnownNode(NamedTuple):
    """A node as it was observed, with its positions and pages."""

    above: int  # the position of its parent
    segment: object
    slots: object
    child_key: object
    namespace: object
    chain: tuple[int, ...]  # its positions
    pages: tuple[int, ...]  # of its slots

    @property
    def end(self) -> int:
        """The position at which it ends: its name in the specification."""
        return self.chain[-1]

    def is_of(self, n: SeenNode) -> bool:
        """Whether the tokens, slots, child key and namespace of a node are unchanged."""
        return self[1:5] == _content(n)


class _Owners(dict[int, int]):
    """Owners of the requested pages, as far as the pool knows them."""

    def __init__(self, pool: WatchedPool) -> None:
        super().__init__()
        self._pool = pool

    def __missing__(self, page: int) -> int:
        return LOST if self._pool.out[page] else FREE


class MemoizedAbstraction(Abstraction):
    """Builds the same states with the same findings as `Abstraction`, and abstracts single nodes."""

    def __init__(self, positions: Positions, pool: WatchedPool, policy: str, written: Mapping[int, int]) -> None:
        super().__init__(positions, pool, policy, written)
        self.memo: dict[NodeId, KnownNode] = {}

    def look(self, n: SeenNode, above: int) -> KnownNode | None:
        """Return the positions and pages of a node whose parent is at `above`; None if there are findings."""
        known = self._unchanged(n, above)
        if known is None or not all(map(self.pool.out.__getitem__, known.pages)):
            known = self._node_alone(n, above)
        return known

    def forget(self, seen: Observation) -> None:
        """Drop the memo of nodes that are not in the tree any more."""
        names = {n.name for n in seen.nodes}
        self.memo = {name: known for name, known in self.memo.items() if name in names}

    def _unchanged(self, n: SeenNode, above: int) -> KnownNode | None:
        known = self.memo.get(n.name)
        return known if known is not None and known.above == above and known.is_of(n) else None

    def _node_alone(self, n: SeenNode, above: int) -> KnownNode | None:
        """Abstract one node as if it were the only one in the tree."""
        s = State.__new__(State)
        s.node, s.cached = set(), set()
        s.end, s.up, s.page, s.lock, s.kids = {}, {}, {}, {}, {}
        s.time, s.creation, s.hits, s.priority, s.content = {}, {}, {}, {}, {}
        s.owner = _Owners(self.pool)  # type: ignore[assignment]  # a list of all pages would cost more than the rest
        self.places = {n.parent: above}
        found = len(self.findings)
        super()._node(s, n)
        return self._memoize(s, n, above, found)

    def _memoize(self, s: State, n: SeenNode, above: int, found: int) -> KnownNode | None:
        """Memoize a node that `_node` has just added to `s`. Return None if it added a finding to the first `found`."""
        if len(self.findings) > found:
            return None
        level = self.positions.level[above]
        path = self.positions.path(self.places[n.name])[level:]
        known = self.memo[n.name] = KnownNode(above, *_content(n), path, tuple(s.page[q] for q in path))
        return known

    def _node(self, s: State, n: SeenNode) -> None:
        above = self.places.get(n.parent)
        known = None if above is None else self._unchanged(n, above)
        # It is only added if no other node or request has had its positions or its pages so far.
        clean = known is not None and s.cached.isdisjoint(known.chain) and {LOST}.issuperset(map(s.owner.__getitem__, known.pages))
        if above is None or known is None or not clean:
            found = len(self.findings)
            super()._node(s, n)
            if above is not None:
                self._memoize(s, n, above, found)
            return
        self.places[n.name] = known.end
        self._add_node(s, n, above, known.chain)
        s.end.update(dict.fromkeys(known.chain, known.end))
        s.page.update(zip(known.chain, known.pages, strict=True))
        s.content.update(zip(known.pages, map(self.written.get, known.pages, repeat(EPS)), strict=False))
        for page in known.pages:
            s.owner[page] = TREE


def _content(n: SeenNode) -> tuple[object, object, object, object]:
    return (tuple(n.segment), tuple(n.slots), None if n.child_key is None else tuple(n.child_key), n.namespace)
