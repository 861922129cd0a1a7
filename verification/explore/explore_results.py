"""The result of `explore/`."""

from dataclasses import dataclass

from radixcheck.verification.core.found import Found
from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.explore.scopes import Scope
from radixcheck.verification.operations import Trace


@dataclass(frozen=True, slots=True)
class Explored:
    """The result of one exploration. Without `found`: EXHAUSTED if closed, else undecided after every sequence of `depth` operations."""

    scope: Scope
    policy: str
    page_size: int  # tokens
    states: int = 0  # canonical
    transitions: int = 0
    depth: int = 0  # operations: of the longest shortest trace if closed, else the length up to which all sequences were taken
    closed: bool = False  # every transition of every state was taken
    shown: bool = True  # False: the subject does not show all of its state; there, the states are those of the specification
    opaque: str = ""  # a type whose objects cannot be restored: each state was reached from the start
    found: tuple[Found, ...] = ()  # each broken property, with the shortest trace that breaks it
    exercised: frozenset[str] = frozenset()  # properties that were non-vacuous
    seconds: float = 0
    given_up: str = ""  # "states" or "time": the bound at which it ended although states were left

    @property
    def verdict(self) -> Verdict:
        """Return REFUTED, EXHAUSTED or UNDECIDED."""
        if self.found:
            return Verdict.REFUTED
        return Verdict.EXHAUSTED if self.closed and self.shown else Verdict.UNDECIDED

    @property
    def status(self) -> Status:
        """The exit status of this exploration."""
        return {Verdict.EXHAUSTED: Status.HOLDS, Verdict.REFUTED: Status.REFUTED, Verdict.UNDECIDED: Status.UNDECIDED}[self.verdict]

    def a_minute(self, count: int) -> int:
        """Return the rate per minute of a count of this exploration."""
        return round(count * 60 / self.seconds) if self.seconds else 0

    @property
    def trace(self) -> Trace:
        """The shortest trace to a violation; the last operation shows it."""
        return self.found[0].trace if self.found else ()
