"""Facts about programs that are no property of a cache and no formula: each is tried, and comes out as we say it does, or does not."""

from collections.abc import Callable
from dataclasses import dataclass

from radixcheck.verification.core.status import Status, Verdict

TESTED, REFUTED, NOT_EXERCISED = Verdict.TESTED, Verdict.REFUTED, Verdict.NOT_EXERCISED


@dataclass(frozen=True, slots=True)
class Tried:
    """What trying a claim gave."""

    cases: int
    against: str  # the first case that speaks against the claim; empty: none does
    detail: str  # how much was tried, or counted


@dataclass(frozen=True, slots=True)
class Fact:
    """A claim, how it is tried, and how it comes out."""

    id: str
    questions: str  # ids
    claim: str
    expected: str  # TESTED: nothing speaks against it; REFUTED: it is wrong, and a case shows it
    attempt: Callable[[int], Tried]  # with this seed


@dataclass(frozen=True, slots=True)
class Decided:
    """A fact that was tried."""

    fact: Fact
    tried: Tried
    seconds: float

    @property
    def verdict(self) -> str:
        """Without a case there is none."""
        if not self.tried.cases:
            return NOT_EXERCISED
        return REFUTED if self.tried.against else TESTED

    @property
    def status(self) -> Status:
        """HOLDS if the verdict is as expected, UNDECIDED if no case was tried, else REFUTED."""
        if self.verdict == self.fact.expected:
            return Status.HOLDS
        return Status.UNDECIDED if self.verdict == NOT_EXERCISED else Status.REFUTED
