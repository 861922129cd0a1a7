"""Whether a subject's whole state is that of the specification, told from what has changed since it last was.

Everything that the subject shows is read. A node that is shown in the very object in which it agreed, and of which the
specification has changed nothing since, agrees: only the others are compared function by function. No state is built.
"""

from collections.abc import Iterable
from itertools import chain

from radixcheck.spec.signature import FREE
from radixcheck.verification.model.positions import EPS
from radixcheck.verification.model.state import State
from radixcheck.verification.protocol import NodeId, Observation, SeenNode
from radixcheck.verification.replay.journal import Changes
from radixcheck.verification.replay.recall import Recall

_TAKEN = bytes(owner != FREE for owner in range(256))  # by the value of `owner`


class Agreement:
    """The last observation that agreed, and what has changed since."""

    def __init__(self, recall: Recall, spec: State, changes: Changes) -> None:
        self._recall, self._spec, self._changes = recall, spec, changes
        size = recall.positions.page_size
        self._slots = [tuple(range(start, start + size)) for start in range(0, spec.capacity, size)]  # by page
        self._forget()

    def _forget(self) -> None:
        self._agreed: dict[int, SeenNode] = {}  # by identity: nodes shown in objects that cannot change
        self._places: dict[NodeId | None, int] = {None: EPS}  # where each node ends
        self._pages: dict[NodeId, int] = {}  # how many it has

    def found(self, seen: Observation) -> bool:
        """Whether the two agree. False also where this cannot be told so cheaply: a node is new, or a lock has no request."""
        taken = bytes(self._spec.owner).translate(_TAKEN)
        if self._same_tree(seen.nodes) and self._same_content() and taken == self._recall.pool.out and self._same_requests(seen):
            self._changes.clear()
            return True
        self._forget()
        return False

    def _same_tree(self, nodes: Iterable[SeenNode]) -> bool:
        spec, agreed, places = self._spec, self._agreed, self._places
        changed = self._changes.nodes | set(map(spec.end.get, self._changes.prefixes))
        listed = list(nodes)
        due = [n for n in listed if id(n) not in agreed or places[n.name] in changed]
        moved = self._place(due, listed)
        if moved is None or any(n.parent in moved for n in listed if id(n) in agreed):
            return False
        if not all(map(self._same_node, due)):
            return False
        if len(agreed) + len(due) > len(listed):
            self._agreed = agreed = {id(n): n for n in listed if id(n) in agreed}
        agreed |= {id(n): n for n in due if _is_fixed(n)}
        cached = sum(self._pages.values()) == len(spec.cached)
        return cached and len(listed) == len(self._pages) == len(spec.node) == len(set(self._places.values())) - 1

    def _place(self, due: Iterable[SeenNode], listed: Iterable[SeenNode]) -> set[NodeId] | None:
        """Note where these nodes lie, and forget those that are gone. Says which have moved or gone; None: one was never looked at."""
        moved: set[NodeId] = set()
        for n in due:
            known = self._recall.memory.get(n.name)
            if known is None:
                return None
            if self._places.get(n.name, known.end) != known.end:
                moved.add(n.name)
            self._places[n.name], self._pages[n.name] = known.end, len(known.chain)
        for name in self._pages.keys() - {n.name for n in listed}:
            del self._places[name], self._pages[name]
            moved.add(name)
        self._recall.places = self._places
        return moved

    def _same_node(self, n: SeenNode) -> bool:
        spec, clock, known = self._spec, self._recall.clock.known, self._recall.memory[n.name]
        end = known.end
        marks = (self._places.get(n.parent), n.lock, n.hits, n.priority, clock.get(n.time), clock.get(n.creation))
        if end not in spec.node or not known.is_of(n):
            return False
        expected = (spec.up[end], spec.lock[end], spec.hits[end], spec.priority[end], spec.time[end], spec.creation[end])
        return known.above == spec.up[end] and marks == expected and known.pages == tuple(map(spec.page.get, known.chain))

    def _same_content(self) -> bool:
        """Whether each page holds what was written there."""
        content, written = self._spec.content, self._recall.written
        return all(content.get(page) in (None, written.get(page)) for page in self._changes.pages)

    def _same_requests(self, seen: Observation) -> bool:
        """Whether each request locks the node, and reads the slots, that the specification gives it."""
        p, spec = self._recall.positions, self._spec
        if seen.requests.keys() != spec.held:
            return False
        for h, request in seen.requests.items():
            at, tok = spec.at[h], spec.tok[h]
            pages = [spec.row[h, q] for q in p.path(tok)]
            row = list(chain.from_iterable(map(self._slots.__getitem__, pages)))[: p.length[tok]]
            if self._places.get(request.node) != at or request.cached != p.length[at] or list(request.slots) != row:
                return False
        return True


def _is_fixed(n: SeenNode) -> bool:
    return {type(n.segment), type(n.slots), type(n.child_key)} <= {tuple, type(None)}
