"""The oracle of a cache with a host tier. The pages that were taken on either tier, and what becomes of copies, are the subject's."""

from collections.abc import Iterable, Set

from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.cache_machine import CALLER, Pages
from radixcheck.spec.run.host_call import HostCall
from radixcheck.spec.run.host_machine import HostMachine
from radixcheck.spec.run.host_state import HostState
from radixcheck.spec.run.positions import Positions
from radixcheck.verification.checker.followed import Followed
from radixcheck.verification.checker.oracle import Oracle
from radixcheck.verification.core.choices import POLL_BATCHES, POLL_ORDER
from radixcheck.verification.core.found import Tier, Violation
from radixcheck.verification.core.watched_copier import WatchedCopier, WatchedTicket
from radixcheck.verification.operations import Op


class HostOracle(Oracle):
    """Performs the same operations on the specification of a cache with a host tier."""

    model: HostMachine

    def __init__(self, policy: str, page_size: int, pages: int, tier: Tier, copier: WatchedCopier, choices: Set[str] = frozenset()) -> None:
        """`choices`: of `core/choices.py`, those that the subject declares."""
        positions = Positions(page_size)
        self.choices = choices
        self.can_fail = True  # whether copies can fail
        self._copier = copier  # of the subject that is followed
        self._around = Followed(positions)
        self._use(HostMachine(positions, POLICIES[policy], pages, tier.host_pool // page_size, tier.mode, self._around, choices))
        self._around.state, self._around.can_drop = self.model.state, self.model.can_drop
        self.host_written: dict[int, int] = {}  # as `written`, for host pages: what a copy is to bring, or has brought
        self.tickets: dict[int, tuple[WatchedTicket, int]] = {}  # of copies in flight, by number, with the holder in the specification
        self.host_length = 0  # tokens that only the host has behind the last match
        self.moved = 0  # tokens that the last load_back or backup copies
        self.handled: list[int] = []  # numbers of the tickets that the last poll handled
        self.left: list[int] = []  # of copies that were done, and that the last poll left, as the subject has chosen
        self.answered: Set[int] | None = None  # numbers that the subject has answered to this operation; None: they are not known
        self._calls = 0
        self._issued_in: dict[int, int] = {}  # by the number of a copy in flight: the call that has issued it

    def empty(self) -> HostState:
        """Return the state of an empty cache."""
        s = self.model.state
        return HostState(self.positions, len(s.owner), len(s.host_owner), s.gaps)

    @property
    def call(self) -> HostCall:
        """The operation in progress, or the last one. Of a load_back or a backup: its match, with the copies that were issued."""
        return self.model.call

    def cached(self, op: Op) -> int:
        """Return how many tokens an operation found on the device; of a request, what it has locked, which may have been loaded for it."""
        found = self.model.state.at[op.holder] if op.name in ("start", "chunk") else self.call.found
        return self.positions.length[found]

    @property
    def copying(self) -> int:
        """How many holders are copies in flight."""
        return len(self.model.copies)

    def is_request(self, h: int) -> bool:
        """Whether this is a live request, and no copy."""
        return h not in self.model.copies and super().is_request(h)

    @property
    def findings(self) -> list[Violation]:
        """Where the copies of the last operation are not those of the specification."""
        return self._around.findings

    def allowed(self, op: Op) -> bool:
        """Whether a caller can make this call."""
        if op.name == "complete":
            return self._can_complete(op)
        return self.is_request(op.holder) if op.name == "run" else super().allowed(op)

    def _can_complete(self, op: Op) -> bool:
        """Whether the copy is in flight; or it is the next one for which the cache waits, and is to fail. None fails if none can."""
        if op.amount and not self.can_fail:
            return False
        count = len(self._copier.in_flight)
        next_fails = op.holder == count and bool(op.amount) and self.model.state.gaps and not self._copier.next_fails
        return op.holder < count or next_fails

    def waits(self, h: int) -> set[int]:
        """Return the numbers of the copies that still fill slots of a request's row."""
        holders = set(self.model.waits(h))
        return {number for number, (_, holder) in self.tickets.items() if holder in holders}

    def run(self, op: Op, pages: Pages) -> None:
        """Perform one operation, as `Oracle.run`."""
        issued = self._copier.issued
        self._calls += 1
        self._around.begin(self._copier.contents, issued, self._copier.host.freed, op.name != "backup")
        self.model.call = self.new_call(op.name)
        loaded = {page for ticket in issued if ticket.up for page in ticket.targets}
        super().run(op, [page for page in pages if page not in loaded])
        self._around.finish()
        in_flight = self.model.copies
        stay = [(copy, ticket) for copy, ticket in self._around.pairs if copy.holder in in_flight]
        self.tickets.update((ticket.number, (ticket, copy.holder)) for copy, ticket in stay)
        self._issued_in.update((ticket.number, self._calls) for _, ticket in stay)

    def new_call(self, operation: str, h: int = CALLER, freed: Iterable[int] = ()) -> HostCall:
        """Return a record of a call."""
        return HostCall(operation, h, freed=list(freed))

    def _gone(self) -> set[int]:
        return set(self.call.gone)

    def _match(self, op: Op, key: int, pages: Pages) -> None:
        call = self.model.take("match", key)
        self.matched[op.key] = call.found
        self.old_handles.pop(op.key, None)
        self.host_length = self.positions.length[call.longest] - self.positions.length[call.found]

    def _load_back(self, op: Op, key: int, pages: Pages) -> None:
        self._match(op, key, pages)
        match = self.call
        self.moved = self._after(match, self.model.take("load_back", match.longest)).loaded

    def _backup(self, op: Op, key: int, pages: Pages) -> None:
        self._match(op, key, pages)
        match = self.call
        issued = self._after(match, self.model.take("backup", match.found)).issued
        self.moved = sum(len(copy.targets) for copy in issued) * self.positions.page_size

    def _after(self, match: HostCall, then: HostCall) -> HostCall:
        """Record the call that follows a match in the record of the match. Return it."""
        for name in ("victims", "freed", "demoted", "gone", "host_victims", "host_freed", "issued"):  # a match may copy, too
            setattr(match, name, getattr(match, name) + getattr(then, name))
        for name in ("loaded", "wanted", "last_size"):
            setattr(match, name, getattr(then, name))
        self.model.call = match
        return then

    def _evict_host(self, op: Op, key: int, pages: Pages) -> None:
        self.model.take("evict_host", op.amount)

    def _complete(self, op: Op, key: int, pages: Pages) -> None:
        """Nothing changes: the cache does not know yet."""

    def _poll(self, op: Op, key: int, pages: Pages) -> None:
        self.left = self._left() if self.answered is not None else []
        done = [(number, *pair) for number, pair in sorted(self.tickets.items()) if pair[0].done and number not in self.left]
        self.handled = [number for number, _, _ in done]
        copies = dict(self.model.copies)
        call = self.model.take("poll", *(each for _, ticket, holder in done for each in (holder, not ticket.failed)))
        for number in self.handled:
            del self.tickets[number], self._issued_in[number]
        for holder in call.again:
            self._around.issued_again(copies[holder])

    def _left(self) -> list[int]:
        """Return the copies that are done and that the subject has not handled, as far as its choices let it leave them."""
        left: list[int] = []
        waiting = {(ticket.up, self._issued_in[number]) for number, (ticket, _) in self.tickets.items() if not ticket.done}
        blocked: set[bool] = set()  # directions in which an older copy stays in flight
        for number, (ticket, _) in sorted(self.tickets.items()):
            in_batch = POLL_BATCHES in self.choices and (ticket.up, self._issued_in[number]) in waiting
            may_stay = in_batch or (POLL_ORDER in self.choices and ticket.up in blocked)
            stays = not ticket.done or (may_stay and number not in (self.answered or ()))
            blocked |= {ticket.up} if stays else set()
            left += [number] if stays and ticket.done else []
        return left
