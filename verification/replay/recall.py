"""An abstraction that recalls what it worked out: a node that has not changed costs a comparison, no computation.

What is recalled is a pure function of what was seen of a node (where it hangs, its tokens, its slots), and is used again
only when all of that is the same again. Who owns a slot and when a node was used are read afresh every time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import repeat
from operator import eq

from radixcheck.spec.signature import FREE, LOST, TREE
from radixcheck.verification.model.positions import EPS, Positions
from radixcheck.verification.model.state import State
from radixcheck.verification.protocol import NodeId, Observation, SeenNode
from radixcheck.verification.refinement.abstraction import Abstraction
from radixcheck.verification.refinement.pool import WatchedPool


@dataclass(frozen=True, slots=True)
class Known:
    """A node as it was seen, and what that means."""

    seen: tuple[object, ...]  # position above, segment, slots, namespace, child key
    chain: tuple[int, ...]  # its positions
    pages: tuple[int, ...]  # of its slots


class _Owners(dict[int, int]):
    """Owners of pages, as far as the pool can tell, of those that are asked about."""

    def __init__(self, pool: WatchedPool) -> None:
        super().__init__()
        self._pool = pool

    def __missing__(self, page: int) -> int:
        return LOST if self._pool.out[page] else FREE


class Recall(Abstraction):
    """Makes the same states with the same findings; and looks at single nodes."""

    def __init__(self, positions: Positions, pool: WatchedPool, policy: str, written: Mapping[int, int]) -> None:
        super().__init__(positions, pool, policy, written)
        self._memory: dict[NodeId, Known] = {}

    def look(self, n: SeenNode, above: int) -> Known | None:
        """Where a node lies that hangs at position `above`, and its pages; None if the findings say what is wrong."""
        known = self._recalled(n, above)
        if known is None or not all(map(self.pool.out.__getitem__, known.pages)):
            known = self._node_alone(n, above)
        return known

    def agrees(self, seen: Observation, spec: State) -> bool:
        """Whether the abstract state is that of the specification. It is compared node by node, and never built.

        False also where this cannot be told so cheaply: a node is new, or something is held other than by a request.
        """
        places = self.places = {None: EPS}
        clock, cached = self.clock, 0
        for n in seen.nodes:
            above = places.get(n.parent)
            known = None if above is None else self._recalled(n, above)
            if known is None:
                return False
            end = places[n.name] = known.chain[-1]
            cached += len(known.chain)
            if spec.up.get(end) != above or known.pages != tuple(map(spec.page.get, known.chain)):
                return False
            marks = (spec.lock[end], spec.hits[end], spec.priority[end], spec.time[end], spec.creation[end])
            if marks != (n.lock, n.hits, n.priority, clock(n.time), clock(n.creation)):
                return False
        same_nodes = len(set(places.values())) == len(seen.nodes) + 1 == len(spec.node) + 1 and cached == len(spec.cached)
        same_content = all(map(eq, map(self.written.get, spec.content), spec.content.values()))
        taken = bytes(owner != FREE for owner in spec.owner)
        return same_nodes and same_content and taken == self.pool.out and self._same_requests(seen, spec)

    def _same_requests(self, seen: Observation, spec: State) -> bool:
        """Whether each request locks the node, and reads the slots, that the specification gives it."""
        p = self.positions
        if seen.requests.keys() != spec.held:
            return False
        for h, request in seen.requests.items():
            at, tok = spec.at[h], spec.tok[h]
            pages = (spec.row[h, q] * p.page_size for q in p.path(tok))
            row = [slot for start in pages for slot in range(start, start + p.page_size)][: p.length[tok]]
            if self.places.get(request.node) != at or request.cached != p.length[at] or list(request.slots) != row:
                return False
        return True

    def ticks(self, key: tuple[int | float, int | float]) -> tuple[float, float]:
        """A key of the heap with ticks for the clock readings in it."""
        (first, second), sign = key, self._key_sign
        return (sign * self.clock(sign * first) if sign else first), (self.clock(second) if second else 0)

    def forget(self, seen: Observation) -> None:
        """Drop what was recalled of nodes that are no more."""
        names = {n.name for n in seen.nodes}
        self._memory = {name: known for name, known in self._memory.items() if name in names}

    def _recalled(self, n: SeenNode, above: int) -> Known | None:
        known = self._memory.get(n.name)
        return known if known is not None and known.seen == _content(n, above) else None

    def _node_alone(self, n: SeenNode, above: int) -> Known | None:
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

    def _learn(self, s: State, n: SeenNode, above: int, found: int) -> Known | None:
        """Recall a node that `_node` has just placed in `s`, unless it had a finding to add to the first `found`."""
        if len(self.findings) > found:
            return None
        level = self.positions.level[above]
        chain = self.positions.path(self.places[n.name])[level:]
        known = self._memory[n.name] = Known(_content(n, above), chain, tuple(s.page[q] for q in chain))
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

    def _is_clean(self, s: State, known: Known) -> bool:
        """Whether its tokens and its pages are nobody else's so far."""
        return s.cached.isdisjoint(known.chain) and {LOST}.issuperset(map(s.owner.__getitem__, known.pages))


def _content(n: SeenNode, above: int) -> tuple[object, ...]:
    child_key = None if n.child_key is None else tuple(n.child_key)
    return (above, tuple(n.segment), tuple(n.slots), n.namespace, child_key)
