"""The copies of a subject in one operation, as the surroundings in which the specification performs the same operation."""

from collections.abc import Callable, Sequence

from radixcheck.spec.run.host_call import Copy
from radixcheck.spec.run.host_state import HostState
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.signature import FREE, TREE
from radixcheck.verification.checker.difference_text import prefix_text
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.watched_copier import Contents, WatchedTicket


class Followed:
    """Gives the specification the pages that the subject's copies write, and compares the copies of both, one after the other."""

    def __init__(self, positions: Positions) -> None:
        self._positions = positions
        self.state: HostState | None = None  # of the specification
        self.can_drop: Callable[[int], bool] = lambda node: False
        self._contents: Contents | None = None
        self._tickets: list[WatchedTicket] = []  # of the subject, those without a copy of the specification so far
        self._host_freed: list[int] = []  # host pages that the subject has freed, in order
        self._chooses = False
        self._followed = 0  # of these: those that it freed before the last copy that was compared
        self.pairs: list[tuple[Copy, WatchedTicket]] = []
        self.findings: list[Violation] = []

    def begin(self, contents: Contents | None, issued: Sequence[WatchedTicket], host_freed: Sequence[int], chooses: bool) -> None:
        """Begin an operation in which the subject has issued these copies, and has freed these pages on the host.

        `chooses`: it may have chosen which nodes it copies.
        """
        self._chooses = chooses
        self._contents, self._tickets, self._host_freed = contents, list(issued), list(host_freed)
        self._followed = 0
        self.pairs, self.findings = [], []

    def device_pages(self, positions: Sequence[int]) -> Sequence[int]:
        """Return the targets of the next copy. Raise ValueError if it is another copy, or if there is none."""
        return self._targets(positions, "LOAD_EXACT")

    def host_pages(self, positions: Sequence[int]) -> Sequence[int]:
        """Return the targets of the next copy. Raise ValueError if it is another copy, or if there is none."""
        return self._targets(positions, "BACKUP_PARENTS")

    def issued(self, copy: Copy) -> None:
        """Compare a copy with the subject's next one."""
        ticket = self._tickets.pop(0)
        self._followed = ticket.host_freed
        self.pairs.append((copy, ticket))
        span = self._positions.between(copy.floor, copy.aim)
        if (copy.up, copy.sources, copy.targets) == (ticket.up, ticket.sources, ticket.targets):
            return
        if ticket.up != copy.up or self._held(ticket) != span:
            id_ = "HOST_SOUND" if copy.up else "BACKUP_PARENTS"
            self._find(id_, f"expected a copy {_way(copy.up)} of {self._text(span)}, found one {self._ticket_text(ticket)}")
        elif ticket.sources != copy.sources:
            self._find("SOURCE", f"the copy reads pages {list(ticket.sources)}, expected {list(copy.sources)}")
        else:
            self._find("TARGET", f"the copy writes pages {list(ticket.targets)}, expected {list(copy.targets)}")

    def issued_again(self, copy: Copy) -> None:
        """Compare a copy that the specification issues again, because something rests on what it fills."""
        if self._tickets:
            return self.issued(copy)
        text = f"expected the failed copy {_way(copy.up)} of {self._text(self._positions.between(copy.floor, copy.aim))} to be issued again"
        return self._find("ARRIVAL" if copy.up else "HOST_ARRIVAL", f"{text}, because something rests on it; found no copy")

    def arrives(self, copy: Copy) -> bool:
        """Return whether a copy has arrived for which the specification waits. Raise ValueError if the subject did not wait."""
        ticket = next(ticket for other, ticket in self.pairs if other is copy)
        if not ticket.done:
            raise ValueError("the cache did not wait for a copy")
        return not ticket.failed

    def backed_up(self) -> int | None:
        """Return the node of the subject's next copy, if that is one to the host of a whole node whose parent is there, too."""
        s, ticket = self.state, next(iter(self._tickets if self._chooses else []), None)
        assert s is not None, "the machine has a state"
        span = () if ticket is None or ticket.up else self._held(ticket)
        node = span[-1] if span else EPS
        if node not in s.node or node not in s.resident or node in s.hosted:
            return None
        above = s.up[node]
        return node if (above == EPS or above in s.hosted) and span == tuple(self._positions.between(above, node)) else None

    def freed_in_vain(self, followed: int) -> int:
        """Return how many host pages the subject has freed beside the first so many."""
        return max(0, len(self._host_freed) - followed) if self._chooses else 0

    def dropped(self) -> Sequence[int]:
        """Return the nodes on both tiers whose host pages the subject has freed before its next copy, as far as they can be dropped."""
        s = self.state
        assert s is not None, "the machine has a state"
        freed = self._host_freed[self._followed : self._tickets[0].host_freed if self._tickets else None]
        held = [s.host_content[page] for page in freed if s.host_owner[page] == TREE]
        ends = dict.fromkeys(s.end[q] for q in held)
        return [n for n in ends if {*self._positions.between(s.up[n], n)} <= {*held} and self.can_drop(n)]

    def finish(self) -> None:
        """Record the copies of the subject that the specification has not issued."""
        for ticket in self._tickets:
            self._find("LOAD_EXACT" if ticket.up else "BACKUP_PARENTS", f"expected no more copies, found one {self._ticket_text(ticket)}")

    def _targets(self, positions: Sequence[int], id_: str) -> Sequence[int]:
        ticket = next(iter(self._tickets), None)
        if ticket is None or len(ticket.targets) != len(positions):
            found = "no copy" if ticket is None else f"one {self._ticket_text(ticket)}"
            self._find(id_, f"expected a copy {_way(id_ == 'LOAD_EXACT')} of {self._text(positions)}, found {found}")
            raise ValueError("another copy was issued")
        self._check_free(ticket)
        return ticket.targets

    def _check_free(self, ticket: WatchedTicket) -> None:
        """Raise ValueError if the specification uses one of the pages that a copy is to write."""
        assert self.state is not None, "the machine has a state"
        owner, what = (self.state.owner, "page") if ticket.up else (self.state.host_owner, "host page")
        used = next((page for page in ticket.targets if owner[page] != FREE), None)
        if used is None:
            return
        if used in (ticket.copier.device if ticket.up else ticket.copier.host).freed:
            held = (self.state.content if ticket.up else self.state.host_content).get(used, EPS)
            id_, text = (
                "ORDER" if ticket.up else "HOST_ORDER",
                f"freed {what} {used} of {prefix_text(self._positions, held)}, which must stay",
            )
        else:
            id_, text = "TARGET", f"expected a copy {_way(ticket.up)} to pages that are free, found one to {what} {used}, which is in use"
        self._find(id_, text)
        raise ValueError("a copy writes a page in use")

    def _held(self, ticket: WatchedTicket) -> tuple[int, ...]:
        """Return what the sources of a copy hold."""
        if self._contents is None:
            return ()
        held = self._contents.host if ticket.up else self._contents.device
        return tuple(held.get(page, EPS) for page in ticket.sources)

    def _ticket_text(self, ticket: WatchedTicket) -> str:
        return f"{_way(ticket.up)} of {self._text(self._held(ticket))}"

    def _text(self, positions: Sequence[int]) -> str:
        """The prefix that these pages hold, and behind what; page by page if they are no part of one path."""
        p = self._positions
        if not positions or not EPS < positions[-1] < len(p.prev):
            return "nothing that is known" if positions else "nothing"
        path = p.ancestors[positions[-1]]
        if tuple(positions) != tuple(path[-len(positions) :]):
            return " and ".join(prefix_text(p, q) for q in positions)
        above = path[-len(positions) - 1] if len(path) > len(positions) else EPS
        return prefix_text(p, positions[-1]) + (f" behind {prefix_text(p, above)}" if above != EPS else "")

    def _find(self, property_: str, text: str) -> None:
        self.findings.append(Violation(property_, text))


def _way(up: bool) -> str:
    return "to the device" if up else "to the host"
