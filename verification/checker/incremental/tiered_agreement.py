"""Whether the whole state of a cache with a host tier is the specification's, computed from what has changed since the last agreement.

As `agreement.py` has it for one tier: everything that the subject shows is read, and only nodes that it shows in another object, or of
which the specification has changed something since, are compared again.
"""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from radixcheck.spec.run.host_call import Copy
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.signature import FREE
from radixcheck.verification.checker import blame
from radixcheck.verification.checker.checked_run import CheckedRun
from radixcheck.verification.checker.incremental.tiered_journal import TierChanges
from radixcheck.verification.checker.run_parts import HostParts
from radixcheck.verification.core.watched_pool import slots_of
from radixcheck.verification.protocol import NodeId, Observation, SeenCopy, SeenNode

ATTRIBUTES = ("lock", "pins", "time", "creation", "hits", "priority")
_IN_USE = bytes(owner != FREE for owner in range(256))  # by the value of an owner


class Agreed(NamedTuple):
    """A node in an immutable object, which is kept alive, and where it agreed."""

    n: SeenNode
    above: int  # the position of its parent
    end: int


class TieredAgreement:
    """The nodes that have agreed, each with the object in which it was shown."""

    def __init__(self, run: CheckedRun, host: HostParts, changes: TierChanges) -> None:
        self._run, self._host, self._changes = run, host, changes
        self._agreed: dict[int, Agreed] = {}  # by the id of the object
        self._at: dict[int, int] = {}  # that id, by the position at which the node ends
        self._attributes = tuple(name for name in ATTRIBUTES if name not in run.hidden)

    def forget_changed(self) -> None:
        """Nodes of which the specification has changed something have to be compared again."""
        changes, end = self._changes.compared, self._host.oracle.model.state.end
        ends = changes.nodes.union(end[q] for q in changes.positions if q in end)
        changes.nodes.clear()
        changes.positions.clear()
        for q in ends:
            self._agreed.pop(self._at.pop(q, 0), None)

    def judge_node(self, n: SeenNode, above: int, q: int) -> tuple[str, str] | None:
        """Return the property that a node breaks, and how; None if it is the specification's node `q` below `above`."""
        known = self._agreed.get(id(n))
        if known is not None and known.above == above and known.end == q:
            return None
        wrong = self._compare(n, above, q)
        if wrong is None and _is_immutable(n):
            self._agreed.pop(self._at.get(q, 0), None)
            self._agreed[id(n)], self._at[q] = Agreed(n, above, q), id(n)
        return wrong

    def _compare(self, n: SeenNode, above: int, q: int) -> tuple[str, str] | None:
        s, p = self._host.oracle.model.state, self._host.oracle.positions
        positions = p.between(above, q)
        if tuple(n.segment) != tuple(chain.from_iterable(map(p.page.__getitem__, positions))):
            return blame.HOST_FIELDS["node"], f"expected {len(positions)} pages on it, found the segment {tuple(n.segment)}"
        size, clock = p.page_size, self._run.abstraction.clock
        for name, slots, table, holds in (("page", n.slots, s.page, s.resident), ("host_page", n.host_slots, s.host_page, s.hosted)):
            expected = [table[each] for each in positions if each in holds]
            if list(slots) != slots_of(expected, size):
                return blame.HOST_FIELDS[name], f"{name}: expected {expected}, found {[slot // size for slot in slots[::size]]}"
        for name in self._attributes:
            shown = getattr(n, name)
            value = clock(shown) if name in blame.READINGS else shown
            if value != getattr(s, name)[q]:
                return blame.HOST_FIELDS[name], f"{name}: expected {getattr(s, name)[q]}, found {value}"
        return None

    def holds(self, seen: Observation) -> bool:
        """Whether an observation agrees. False also if that cannot be computed here: while a caller has a lock or a loan."""
        return self._same_tree(seen.nodes) and self._same_pages() and self._same_requests(seen) and self._same_copies(seen.copies)

    def _same_tree(self, nodes: Sequence[SeenNode]) -> bool:
        s, places = self._host.oracle.model.state, dict[NodeId | None, int]({None: EPS})
        self.forget_changed()
        for n in nodes:
            above, known = places.get(n.parent), self._agreed.get(id(n))
            if above is None:
                return False
            end = known.end if known is not None and known.above == above else self._end(n, above)
            if s.up.get(end) != above or self.judge_node(n, above, end):
                return False
            places[n.name] = end
        self._run.abstraction.places = places
        return len(nodes) == len(s.node) == len(set(places.values())) - 1

    def _end(self, n: SeenNode, above: int) -> int:
        """Return the position at which a node ends; EPS if its segment has no whole pages."""
        found = self._host.oracle.positions.chain(above, tuple(n.segment), n.namespace)
        return found[-1] if found else EPS

    def _same_pages(self) -> bool:
        """Whether each page is in use as specified, holds the tokens that were written into it, and is filled if no copy fills it."""
        s, host, abstraction = self._host.oracle.model.state, self._host.engine.copier, self._host.abstraction
        tiers = (
            (s.owner, host.device, s.content, abstraction.written, self._changes.pages),
            (s.host_owner, host.host, s.host_content, abstraction.host_written, self._changes.host_pages),
        )
        for owner, pool, content, written, changed in tiers:
            if bytes(owner).translate(_IN_USE) != pool.out:
                return False
            if any(content.get(page) not in (None, written.get(page)) for page in changed):
                return False
            changed.clear()
        coming = {up: {page for copy in self._copies() if copy.up == up for page in copy.targets} for up in (True, False)}
        return not any(pool.unfilled - coming[up] for pool, up in ((host.device, True), (host.host, False)))

    def _copies(self) -> Iterable[Copy]:
        return self._host.oracle.model.copies.values()

    def _same_requests(self, seen: Observation) -> bool:
        """Whether each request locks the node, and has the slots in its row, that the specification gives it."""
        p, s, places = self._host.oracle.positions, self._host.oracle.model.state, self._run.abstraction.places
        if seen.requests.keys() != s.held - self._host.oracle.model.copies.keys():
            return False
        for h, request in seen.requests.items():
            at, tok = s.at[h], s.tok[h]
            row = slots_of((s.row[h, q] for q in p.path(tok)), p.page_size)[: p.length[tok]]
            if places.get(request.node) != at or request.cached != p.length[at] or list(request.slots) != row:
                return False
        return True

    def _same_copies(self, shown: Sequence[SeenCopy]) -> bool:
        """Whether the copies in flight are those of the specification."""
        places, size = self._run.abstraction.places, self._host.oracle.positions.page_size
        found = [(c.up, places.get(c.floor), places.get(c.aim), tuple(c.sources), tuple(c.targets)) for c in shown]
        expected = [(c.up, c.floor, c.aim, tuple(slots_of(c.sources, size)), tuple(slots_of(c.targets, size))) for c in self._copies()]
        return sorted(found, key=repr) == sorted(expected, key=repr)


def _is_immutable(n: SeenNode) -> bool:
    return {type(n.segment), type(n.slots), type(n.host_slots), type(n.child_key)} <= {tuple, type(None)}
