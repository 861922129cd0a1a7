"""The instrumented copier, which a cache with a host tier uses to move KV between the tiers. The checker orders its completions.

A copy moves content tags, as it would move KV: when it arrives, each target holds what its source holds then. What a copy is given is
checked when it is issued; what happens to its pages until it is done, by the pools.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.tier_pool import HostPool, TierPool


@dataclass(eq=False, slots=True)
class WatchedTicket:
    """One copy. `wait` completes it: it arrives, unless the trace says that it fails."""

    number: int  # of the copies of a run, in the order of their issue
    up: bool  # from the host to the device
    sources: tuple[int, ...]  # pages
    targets: tuple[int, ...]  # pages
    copier: "WatchedCopier"
    host_freed: int  # how many host pages the operation had freed before
    held: tuple[int, ...] = ()  # positions: what the sources held at the issue, if content is checked
    done: bool = False
    failed: bool = False

    def wait(self) -> None:
        """Return when it is done."""
        self.copier.wait(self)


class Contents:
    """What the pages of both tiers hold: the position whose last page of tokens was written, or copied, into each."""

    def __init__(self, positions: Positions, device: dict[int, int], host: dict[int, int]) -> None:
        self.positions, self.device, self.host = positions, device, host

    def of(self, pool: TierPool) -> dict[int, int]:
        """Return the contents of the pages of one tier."""
        return self.host if isinstance(pool, HostPool) else self.device


class WatchedCopier:
    """A copier that records every copy, and completes it on request, or when the cache waits for it."""

    def __init__(self, device: TierPool, host: HostPool) -> None:
        self.device, self.host = device, host
        self.contents: Contents | None = None  # None: content is not checked
        self.in_flight: list[WatchedTicket] = []  # not done, in the order of their issue
        self.issued: list[WatchedTicket] = []  # in this operation, in order
        self.awaited: list[WatchedTicket] = []  # done in this operation, because the cache waited for them
        self.findings: list[Violation] = []  # of this operation
        self.next_fails = False  # the next copy for which the cache waits
        self._count = 0

    def begin(self) -> None:
        """Start the record of a new operation."""
        self.issued, self.awaited, self.findings = [], [], []

    def copy(self, up: bool, sources: Any, targets: Any) -> WatchedTicket:
        """Issue a copy of whole pages, from the host to the device (`up`) or back."""
        source, target = (self.host, self.device) if up else (self.device, self.host)
        read, written = _listed(sources), _listed(targets)
        ticket = WatchedTicket(self._count, bool(up), tuple(source.pages(read)), tuple(target.pages(written)), self, len(self.host.freed))
        self._count += 1
        if len(read) != len(written) or not read:
            self._find("TARGET", f"expected a copy of some slots to as many slots, found {len(read)} sources and {len(written)} targets")
        self._check_sources(source, ticket.sources)
        self._check_targets(target, ticket.targets)
        source.read.update(ticket.sources)
        target.written.update(ticket.targets)
        target.unfilled.update(ticket.targets)
        self._move(source, target, ticket)
        if self.contents is not None:
            held = self.contents.of(source)
            ticket.held = tuple(held.get(page, EPS) for page in ticket.sources)
        self.in_flight.append(ticket)
        self.issued.append(ticket)
        return ticket

    def complete(self, ticket: WatchedTicket, failed: bool) -> None:
        """Let a copy in flight arrive or fail."""
        source, target = (self.host, self.device) if ticket.up else (self.device, self.host)
        ticket.done, ticket.failed = True, failed
        self.in_flight.remove(ticket)
        for pages, count in ((ticket.sources, source.read), (ticket.targets, target.written)):
            for page in pages:
                count[page] -= 1
                if not count[page]:
                    del count[page]
        if not failed:
            self._move(source, target, ticket)
            target.unfilled.difference_update(ticket.targets)

    def wait(self, ticket: WatchedTicket) -> None:
        """Complete a copy for which the cache waits."""
        if not ticket.done:
            self.complete(ticket, self.next_fails)
            self.next_fails = False
            self.awaited.append(ticket)

    def _move(self, source: TierPool, target: TierPool, ticket: WatchedTicket) -> None:
        """Tag the targets with what the sources hold: from the issue on they are for these tokens."""
        if self.contents is not None:
            held, given = self.contents.of(source), self.contents.of(target)
            for page, into in zip(ticket.sources, ticket.targets, strict=False):
                given[into] = held.get(page, EPS)

    def _check_sources(self, pool: TierPool, pages: Sequence[int]) -> None:
        """The sources of a copy are filled pages in use, which hold consecutive pages of one prefix."""
        for page in pages:
            if not pool.out[page]:
                self._find("SOURCE", f"expected a copy from pages in use, found {pool.what} {page}, which is free")
            elif page in pool.unfilled:
                self._find("SOURCE", f"expected a copy from pages that are filled, found {pool.what} {page}, which is still empty")
        if self.contents is not None and not self.findings:
            self._check_order(self.contents.positions, pool, pages, self.contents.of(pool))

    def _check_order(self, p: Positions, pool: TierPool, pages: Sequence[int], held: dict[int, int]) -> None:
        positions = [held.get(page, EPS) for page in pages]
        for i, (page, q) in enumerate(zip(pages, positions, strict=True)):
            if q == EPS or (i and p.prev[q] != positions[i - 1]):
                text = f"expected a copy of consecutive pages of one prefix; {pool.what} {page}, its page {i}, holds"
                return self._find("SOURCE", f"{text} {list(p.tokens(q)) or 'nothing'}")
        return None

    def _check_targets(self, pool: TierPool, pages: Sequence[int]) -> None:
        """The targets of a copy were handed out for it in this operation, or for an earlier one that has failed; nothing else uses them."""
        for i, page in enumerate(pages):
            wrong = next((why for holds, why in self._misused(pool, page, pages[:i]) if holds), "")
            if wrong:
                self._find("TARGET", f"expected a copy to pages that were handed out for it, found {pool.what} {page}, {wrong}")

    def _misused(self, pool: TierPool, page: int, before: Sequence[int]) -> Iterable[tuple[object, str]]:
        yield not pool.out[page], "which is free"
        yield pool.written[page], "which another copy in flight writes"
        yield pool.read[page], "which another copy in flight reads"
        yield page in before, "twice"
        yield page not in pool.allocated and page not in pool.unfilled, "which was in use before"

    def _find(self, property_: str, text: str) -> None:
        self.findings.append(Violation(property_, text))


def _listed(slots: Any) -> list[int]:
    """Return slots from a list, an array or a tensor."""
    return list(slots.tolist() if hasattr(slots, "tolist") else slots)
