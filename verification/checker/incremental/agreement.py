"""Whether a subject's whole state is that of the specification, told from what has changed since it last was.

Everything that the subject shows is read. A node that is shown in the very object in which it agreed, and of which the
specification has changed nothing since, agrees: only the others are compared function by function. No state is built.
"""

from collections.abc import Iterable, Sequence

from radixcheck.spec.run.positions import EPS
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import FREE
from radixcheck.verification.checker.incremental.journal import Changes
from radixcheck.verification.checker.incremental.memoized_abstraction import MemoizedAbstraction
from radixcheck.verification.core.watched_pool import slots_of
from radixcheck.verification.protocol import NodeId, Observation, SeenNode

_TAKEN = bytes(owner != FREE for owner in range(256))  # by the value of `owner`


class Agreement:
    """The last observation that agreed, and what has changed since."""

    def __init__(self, abstraction: MemoizedAbstraction, spec: State, changes: Changes) -> None:
        self._abstraction, self._spec, self._changes = abstraction, spec, changes
        self._forget()

    def _forget(self) -> None:
        self._agreed: set[int] = set()  # identities of nodes shown in objects that cannot change; `_at` keeps them alive
        self._at: dict[int, SeenNode] = {}  # by where they end
        self._places: dict[NodeId | None, int] = {None: EPS}  # where each node ends
        self._pages: dict[NodeId, int] = {}  # how many it has

    def holds(self, seen: Observation) -> bool:
        """Whether the two agree. False also where this cannot be told so cheaply: a node is new, or a lock has no request."""
        taken = bytes(self._spec.owner).translate(_TAKEN)
        if self._same_tree(seen.nodes) and self._same_content() and taken == self._abstraction.pool.out and self._same_requests(seen):
            self._changes.clear()
            return True
        self._forget()
        return False

    def still_agrees(self, n: SeenNode, above: int, end: int) -> bool:
        """Whether a node that hangs at `above` has agreed, ends at `end`, and nothing of it has changed since."""
        if id(n) not in self._agreed or end in self._changes.nodes:
            return False
        known = self._abstraction.memory[n.name]
        return known.above == above and known.end == end and self._changes.prefixes.isdisjoint(known.chain)

    def _same_tree(self, nodes: Sequence[SeenNode]) -> bool:
        spec = self._spec
        of_pages = {spec.end.get(q, EPS) for q in self._changes.prefixes}
        for end in self._changes.nodes | of_pages:
            self._agreed.discard(id(self._at.get(end)))
        due = [n for n in nodes if id(n) not in self._agreed]
        left = self._place(due, nodes)
        if left is None or (left and any(n.parent in left for n in nodes if id(n) in self._agreed)):
            return False
        if not all(map(self._same_node, due)):
            return False
        self._agreed.update(id(n) for n in due if _is_fixed(n))
        cached = sum(self._pages.values()) == len(spec.cached)
        return cached and len(nodes) == len(self._pages) == len(spec.node) == len(self._at)

    def _place(self, due: Iterable[SeenNode], nodes: Sequence[SeenNode]) -> set[NodeId] | None:
        """Note where these nodes lie, and forget those that are gone; None: one of them was never looked at.

        Says which have left a place that is not empty now: nobody may still name them as a parent. An empty place has no
        children in the specification (PARENT), so none here either.
        """
        shown = set(map(id, nodes))
        left = {end: n for end, n in self._at.items() if id(n) not in shown}
        for end, n in left.items():
            self._agreed.discard(id(n))
            del self._at[end], self._places[n.name], self._pages[n.name]
        for n in due:
            known = self._abstraction.memory.get(n.name)
            if known is None:
                return None
            self._at[known.end], self._places[n.name], self._pages[n.name] = n, known.end, len(known.chain)
        self._abstraction.places = self._places
        return {n.name for end, n in left.items() if end in self._spec.node and self._places.get(n.name) != end}

    def _same_node(self, n: SeenNode) -> bool:
        spec, clock, known = self._spec, self._abstraction.clock.known, self._abstraction.memory[n.name]
        end = known.end
        marks = (self._places.get(n.parent), n.lock, n.hits, n.priority, clock.get(n.time), clock.get(n.creation))
        if end not in spec.node or not known.is_of(n):
            return False
        expected = (spec.up[end], spec.lock[end], spec.hits[end], spec.priority[end], spec.time[end], spec.creation[end])
        return known.above == spec.up[end] and marks == expected and known.pages == tuple(map(spec.page.get, known.chain))

    def _same_content(self) -> bool:
        """Whether each page holds what was written there."""
        content, written = self._spec.content, self._abstraction.written
        return all(content.get(page) in (None, written.get(page)) for page in self._changes.pages)

    def _same_requests(self, seen: Observation) -> bool:
        """Whether each request locks the node, and reads the slots, that the specification gives it."""
        p, spec = self._abstraction.positions, self._spec
        if seen.requests.keys() != spec.held:
            return False
        for h, request in seen.requests.items():
            at, tok = spec.at[h], spec.tok[h]
            row = slots_of((spec.row[h, q] for q in p.path(tok)), p.page_size)[: p.length[tok]]
            if self._places.get(request.node) != at or request.cached != p.length[at] or list(request.slots) != row:
                return False
        return True


def _is_fixed(n: SeenNode) -> bool:
    return {type(n.segment), type(n.slots), type(n.child_key)} <= {tuple, type(None)}
