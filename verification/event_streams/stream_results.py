"""What a stream of events showed: counts, what each tier holds after it, faults, and what is not decided."""

from collections.abc import Mapping
from dataclasses import dataclass

from radixcheck.spec.events.event_fold import EVENT_PROPERTIES, EVENT_REPLAY
from radixcheck.verification.core.status import Status, Verdict


@dataclass(frozen=True, slots=True)
class StreamFault:
    """Something wrong, and the event that shows it."""

    property: str
    seq: int  # the sequence number of the batch
    index: int | None  # of the event in its batch, from 0; None: the batch itself
    sentence: str


def place(fault: StreamFault) -> str:
    """Return where a fault is, in words."""
    return f"batch {fault.seq}" if fault.index is None else f"batch {fault.seq}, event {fault.index}"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why something is not decided, and what would decide it."""

    why: str
    decides: str
    only: str = ""  # the one property that it is about; empty: all


@dataclass(frozen=True, slots=True)
class TierPages:
    """What a tier holds after the stream."""

    ids: tuple[int, ...]  # of its pages, in ascending order
    tokens: int
    peak: int  # pages, at the end of a batch


@dataclass(frozen=True, slots=True)
class StreamFolded:
    """A stream, as far as it could be read."""

    batches: int
    events: Mapping[str, int]  # by kind: stored, removed, cleared
    pages: Mapping[str, int]  # by kind: stored, removed
    copies: int  # further ones of pages that were there: stored again, by a server that may hold a block several times
    first: int | None  # sequence number; None: there is no batch
    last: int | None
    complete: bool  # whether it is known that no batch followed the last one
    tiers: Mapping[str, TierPages]
    faults: tuple[StreamFault, ...]  # the first ones
    doubtful: tuple[StreamFault, ...]  # the first ones that may be none: a missing batch, or what events do not show, may be the cause
    fault_counts: Mapping[str, int]  # by property: all
    doubtful_counts: Mapping[str, int]
    doubts: tuple[Doubt, ...]
    seconds: float

    @property
    def status(self) -> Status:
        """REFUTED by a fault that no missing batch explains; UNDECIDED by a doubt, and if there is no event."""
        if self.fault_counts:
            return Status.REFUTED
        return Status.UNDECIDED if self.doubts or not sum(self.events.values()) else Status.HOLDS

    def verdict(self, property_: str) -> Verdict:
        """Return the verdict on a property of events."""
        if property_ in self.fault_counts:
            return Verdict.REFUTED
        if property_ == EVENT_REPLAY:
            return Verdict.NOT_OBSERVABLE
        if any(doubt.only in ("", property_) for doubt in self.doubts):
            return Verdict.UNDECIDED
        return Verdict.TESTED if sum(self.events.values()) else Verdict.NOT_EXERCISED

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict on each property of events."""
        return {property_: self.verdict(property_) for property_ in EVENT_PROPERTIES}

    @property
    def unnoticed(self) -> str:
        """What may have happened without a trace; empty if it is known that nothing did."""
        if self.complete or self.last is None:
            return ""
        return f"batches after {self.last} may be missing: they leave no gap, and the stream has no mark of completeness"


@dataclass(frozen=True, slots=True)
class RouterSeen:
    """What a router knows of the device tier, beside what the server had."""

    pages_of_both: int  # at the end
    pages_of_router: int  # that the server does not have
    pages_of_server: int  # that the router does not know
    not_looked_up: int  # requests that come after batches that the server's stream does not have
    requests: int = 0
    prompt_tokens: int = 0
    predicted_tokens: int = 0  # cached, as the router has it
    cached_tokens: int = 0  # as the server has it
    wrong_tokens: int = 0  # predicted and not cached, request by request
    missed_tokens: int = 0  # cached and not predicted

    @property
    def same(self) -> bool:
        """Whether the router has what the server has."""
        return not (self.pages_of_router or self.pages_of_server or self.wrong_tokens or self.missed_tokens)
