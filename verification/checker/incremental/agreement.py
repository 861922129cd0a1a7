"""Whether the whole state of a subject is the specification's, computed from what has changed since the last agreement.

Everything that the subject shows is read. A node that is shown in the very object in which it agreed before, and of which the
specification has changed nothing since, agrees. Only the other nodes are compared, and no abstract state is built. State functions of the
specification record where they change (`Journal`).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from radixcheck.spec.run.positions import EPS
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import FREE
from radixcheck.verification.checker.incremental.memoized_abstraction import MemoizedAbstraction
from radixcheck.verification.core.watched_pool import slots_of
from radixcheck.verification.protocol import NodeId, Observation, SeenNode

OF_NODES = ("lock", "time", "creation", "hits", "priority")


class Journal(dict[int, int]):
    """A dictionary that records which keys change. Change it by assignment, `update` with pairs and `pop` only, as transitions do."""

    def __init__(self, *changed: set[int]) -> None:
        super().__init__()
        self._changed = changed  # arguments of the function; the reader of a set clears it

    def note(self, arguments: Iterable[int]) -> None:
        """Record arguments whose values may have changed."""
        for each in self._changed:
            each.update(arguments)

    def __setitem__(self, argument: int, value: int) -> None:
        self.note((argument,))
        super().__setitem__(argument, value)

    def update(self, pairs: Iterable[tuple[int, int]]) -> None:  # type: ignore[override]  # one form of those that a dict takes
        """Set values."""
        listed = list(pairs)
        self.note([argument for argument, _ in listed])
        super().update(listed)

    def pop(self, argument: int, default: int | None = None) -> int | None:  # type: ignore[override]  # likewise
        """Remove a value."""
        self.note((argument,))
        return super().pop(argument, default)


class Parents(Journal):
    """The parent of each node. A node that gains or loses a child is recorded too: whether it is a leaf may have changed."""

    def __setitem__(self, argument: int, value: int) -> None:
        self.note((value, self.get(argument, value)))
        super().__setitem__(argument, value)

    def pop(self, argument: int, default: int | None = None) -> int | None:  # type: ignore[override]  # as above
        """Remove a parent."""
        if argument in self:
            self.note((self[argument],))
        return super().pop(argument, default)


class Changes(NamedTuple):
    """Where values may have changed since this was cleared."""

    nodes: set[int]  # positions of nodes whose attributes changed
    prefixes: set[int]  # positions whose page changed
    pages: set[int]  # pages whose content changed
    ranks: set[int]  # the same as `nodes`, cleared by `Ranking`

    def clear(self) -> None:
        """Clear all but `ranks`."""
        for each in (self.nodes, self.prefixes, self.pages):
            each.clear()


def journalled(state: State) -> Changes:
    """Make an empty state record its changes. Return the record."""
    changes = Changes(set(), set(), set(), set())
    for name in OF_NODES:
        setattr(state, name, Journal(changes.nodes, changes.ranks))
    state.up = Parents(changes.nodes, changes.ranks)
    state.page, state.content = Journal(changes.prefixes), Journal(changes.pages)
    return changes


_IN_USE = bytes(owner != FREE for owner in range(256))  # by the value of `owner`


class Agreement:
    """The last observation that agreed, and what has changed since."""

    def __init__(self, abstraction: MemoizedAbstraction, spec: State, changes: Changes) -> None:
        self._abstraction, self._spec, self._changes = abstraction, spec, changes
        self._forget()

    def _forget(self) -> None:
        self._agreed: set[int] = set()  # ids of the immutable objects in which nodes were shown; `_at` keeps these alive
        self._at: dict[int, SeenNode] = {}  # by the position at which the node ends
        self._places: dict[NodeId | None, int] = {None: EPS}  # the position at which each node ends
        self._pages: dict[NodeId, int] = {}  # the number of its pages

    def holds(self, seen: Observation) -> bool:
        """Whether an observation agrees. False also if that cannot be computed here: for a new node, or a lock without a request."""
        in_use = bytes(self._spec.owner).translate(_IN_USE)
        if self._same_tree(seen.nodes) and self._same_content() and in_use == self._abstraction.pool.out and self._same_requests(seen):
            self._changes.clear()
            return True
        self._forget()
        return False

    def still_agrees(self, n: SeenNode, above: int, end: int) -> bool:
        """Whether a node with its parent at `above` has agreed, ends at `end`, and has not changed since."""
        if id(n) not in self._agreed or end in self._changes.nodes:
            return False
        known = self._abstraction.memo[n.name]
        return known.above == above and known.end == end and self._changes.prefixes.isdisjoint(known.chain)

    def _same_tree(self, nodes: Sequence[SeenNode]) -> bool:
        self._forget_changed()
        due = [n for n in nodes if id(n) not in self._agreed]
        moved = self._place(due, nodes)
        if moved is None or any(n.parent in moved for n in nodes if moved and id(n) in self._agreed):
            return False  # a node is not known, or one that agreed names a node that has moved as its parent
        if not all(map(self._same_node, due)):
            return False
        self._agreed.update(id(n) for n in due if _is_immutable(n))
        same_number = len(nodes) == len(self._pages) == len(self._spec.node) == len(self._at)
        return same_number and sum(self._pages.values()) == len(self._spec.cached)

    def _forget_changed(self) -> None:
        """Nodes that the specification has changed have to be compared again."""
        of_pages = {self._spec.end.get(q, EPS) for q in self._changes.prefixes}
        for end in self._changes.nodes | of_pages:
            self._agreed.discard(id(self._at.get(end)))

    def _place(self, due: Iterable[SeenNode], nodes: Sequence[SeenNode]) -> set[NodeId] | None:
        """Record where the nodes `due` end, and drop nodes that are not in the tree any more. Return None if a node is not known yet.

        Return the names of the nodes that have left a position where a node still ends: no other node may name one of these as its
        parent. A position without a node has no children in the specification (PARENT), and so none here either.
        """
        shown = set(map(id, nodes))
        left = {end: n for end, n in self._at.items() if id(n) not in shown}
        for end, n in left.items():
            self._agreed.discard(id(n))
            del self._at[end], self._places[n.name], self._pages[n.name]
        for n in due:
            known = self._abstraction.memo.get(n.name)
            if known is None:
                return None
            self._at[known.end], self._places[n.name], self._pages[n.name] = n, known.end, len(known.chain)
        self._abstraction.places = self._places
        return {n.name for end, n in left.items() if end in self._spec.node and self._places.get(n.name) != end}

    def _same_node(self, n: SeenNode) -> bool:
        spec, clock, known = self._spec, self._abstraction.clock.known, self._abstraction.memo[n.name]
        end = known.end
        if end not in spec.node or not known.is_of(n):
            return False
        found = (self._places.get(n.parent), n.lock, n.hits, n.priority, clock.get(n.time), clock.get(n.creation))
        expected = (spec.up[end], spec.lock[end], spec.hits[end], spec.priority[end], spec.time[end], spec.creation[end])
        return known.above == spec.up[end] and found == expected and known.pages == tuple(map(spec.page.get, known.chain))

    def _same_content(self) -> bool:
        """Whether each page holds the tokens that were written into it."""
        content, written = self._spec.content, self._abstraction.written
        return all(content.get(page) in (None, written.get(page)) for page in self._changes.pages)

    def _same_requests(self, seen: Observation) -> bool:
        """Whether each request locks the node, and has the slots in its row, that the specification gives it."""
        p, spec = self._abstraction.positions, self._spec
        if seen.requests.keys() != spec.held:
            return False
        for h, request in seen.requests.items():
            at, tok = spec.at[h], spec.tok[h]
            row = slots_of((spec.row[h, q] for q in p.path(tok)), p.page_size)[: p.length[tok]]
            if self._places.get(request.node) != at or request.cached != p.length[at] or list(request.slots) != row:
                return False
        return True


def _is_immutable(n: SeenNode) -> bool:
    return {type(n.segment), type(n.slots), type(n.child_key)} <= {tuple, type(None)}
