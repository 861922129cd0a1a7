"""An abstraction that recalls what it worked out: a node that has not changed costs a comparison, no computation.

What is recalled is a pure function of what was seen of a node (where it hangs, its tokens, its slots), and is used again
only when all of that is the same again. Who owns a slot and when a node was used are read afresh every time.
"""

from collections.abc import Mapping, Sequence
from copy import copy
from itertools import chain, repeat
from typing import NamedTuple

from radixcheck.spec.signature import FREE, LOST, TREE
from radixcheck.verification.model.positions import EPS, Positions
from radixcheck.verification.model.state import State
from radixcheck.verification.protocol import NodeId, Observation, SeenNode
from radixcheck.verification.refinement.abstraction import Abstraction
from radixcheck.verification.refinement.pool import WatchedPool
from radixcheck.verification.replay.journal import Journal


class Known(NamedTuple):
    """A node as it was seen, and what that means."""

    above: int  # the position at which it hangs
    segment: object
    slots: object
    child_key: object
    namespace: object
    chain: tuple[int, ...]  # its positions
    pages: tuple[int, ...]  # of its slots


_TAKEN = bytes(owner != FREE for owner in range(256))  # by the value of `owner`


class _Owners(dict[int, int]):
    """Owners of pages, as far as the pool can tell, of those that are asked about."""

    def __init__(self, pool: WatchedPool) -> None:
        super().__init__()
        self._pool = pool

    def __missing__(self, page: int) -> int:
        return LOST if self._pool.out[page] else FREE


class Recall(Abstraction):
    """Makes the same states with the same findings; and looks at single nodes.

    `page` and `content` are those of the specification's state, with which it compares.
    """

    def __init__(self, positions: Positions, pool: WatchedPool, policy: str, written: Journal, page: Journal, content: Journal) -> None:
        super().__init__(positions, pool, policy, written)
        self._memory: dict[NodeId, Known] = {}
        self._agreed: dict[NodeId, Known] = {}  # nodes of the last observation that agreed
        self._written, self._page, self._content = written, page, content  # they note what has changed since
        self._slots = [tuple(range(start, start + pool.page_size)) for start in range(0, pool.capacity, pool.page_size)]

    def look(self, n: SeenNode, above: int) -> Known | None:
        """Where a node lies that hangs at position `above`, and its pages; None if the findings say what is wrong."""
        known = self._recalled(n, above)
        if known is None or not all(map(self.pool.out.__getitem__, known.pages)):
            known = self._node_alone(n, above)
        return known

    def agrees(self, seen: Observation, spec: State) -> bool:
        """Whether the abstract state is that of the specification. It is compared column by column, and never built.

        The pages of a node are compared again if it, or the specification's pages for it, changed since they were equal.
        False also where this cannot be told so cheaply: a node is new, or something is held other than by a request.
        """
        known = {n.name: one for n in seen.nodes if (one := self._memory.get(n.name))}
        if not len(known) == len(seen.nodes) > 0:
            return False
        names, parents, segments, slots, namespaces, child_keys, lock, time, creation, hits, priority = zip(*seen.nodes, strict=True)
        above, *content, chains, _ = zip(*known.values(), strict=True)
        ends = [path[-1] for path in chains]
        self.places = {None: EPS, **dict(zip(names, ends, strict=True))}
        ticks = self.clock.known.get
        same = (
            content == [tuple(map(_frozen, column)) for column in (segments, slots, child_keys)] + [namespaces]
            and above == tuple(map(self.places.get, parents)) == tuple(map(spec.up.get, ends))
            and len(ends) == len(set(ends)) == len(spec.node)
            and sum(map(len, chains)) == len(spec.cached)
            and lock == tuple(map(spec.lock.get, ends))
            and hits == tuple(map(spec.hits.get, ends))
            and priority == tuple(map(spec.priority.get, ends))
            and tuple(map(ticks, time)) == tuple(map(spec.time.get, ends))
            and tuple(map(ticks, creation)) == tuple(map(spec.creation.get, ends))
            and bytes(spec.owner).translate(_TAKEN) == self.pool.out
            and self._same_pages(known, spec)
            and self._same_requests(seen, spec)
        )
        if same:
            self._agreed = known
            for journal in (self._written, self._page, self._content):
                journal.changed.clear()
        return same

    def _same_pages(self, known: Mapping[NodeId, Known], spec: State) -> bool:
        """Whether each prefix is on the page that the specification gives it, and each page holds what was written there."""
        moved = set(map(spec.end.get, self._page.changed))
        due = [one for name, one in known.items() if self._agreed.get(name) is not one or one.chain[-1] in moved]
        return all(one.pages == tuple(map(self._page.get, one.chain)) for one in due) and all(
            self._content.get(page) in (None, self._written.get(page)) for page in self._written.changed | self._content.changed
        )

    def with_heap(self, spec: State, seen: Observation) -> State:
        """The specification's state, with which the observation has just agreed, and the heap that was observed."""
        s = copy(spec)
        s.queued, s.on, s.first, s.second, s.entry = set(), {}, {}, {}, {}
        self._heap(s, seen)
        return s

    def _same_requests(self, seen: Observation, spec: State) -> bool:
        """Whether each request locks the node, and reads the slots, that the specification gives it."""
        p = self.positions
        if seen.requests.keys() != spec.held:
            return False
        for h, request in seen.requests.items():
            at, tok = spec.at[h], spec.tok[h]
            pages = [spec.row[h, q] for q in p.path(tok)]
            row = list(chain.from_iterable(map(self._slots.__getitem__, pages)))[: p.length[tok]]
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
        return known if known is not None and known[:5] == _content(n, above) else None

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
        path = self.positions.path(self.places[n.name])[level:]
        known = self._memory[n.name] = Known(*_content(n, above), path, tuple(s.page[q] for q in path))
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


def _frozen(column: Sequence[int] | None) -> tuple[int, ...] | None:
    return None if column is None else tuple(column)


def _content(n: SeenNode, above: int) -> tuple[int, object, object, object, object]:
    return (above, tuple(n.segment), tuple(n.slots), _frozen(n.child_key), n.namespace)
