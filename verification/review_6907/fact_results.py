"""Facts: claims about programs that are neither a property of a cache nor a formula. Each is tried on many cases."""

from collections.abc import Callable
from dataclasses import dataclass

from radixcheck.verification.core.status import Status, Verdict

TESTED, REFUTED, NOT_EXERCISED = Verdict.TESTED, Verdict.REFUTED, Verdict.NOT_EXERCISED


@dataclass(frozen=True, slots=True)
class Tried:
    """The outcome of trying a claim."""

    cases: int
    against: str  # the first case that contradicts the claim; empty: none does
    detail: str  # how much was tried, or counted


@dataclass(frozen=True, slots=True)
class Fact:
    """A claim, how it is tried, and the expected verdict."""

    id: str
    questions: str  # ids
    claim: str
    expected: str  # TESTED: no case contradicts the claim; REFUTED: a case does
    attempt: Callable[[int], Tried]  # with a seed
    about: str = ""  # what the claim is about: a cache, or a part of a program


@dataclass(frozen=True, slots=True)
class Decided:
    """A fact that was tried."""

    fact: Fact
    tried: Tried
    seconds: float

    @property
    def verdict(self) -> str:
        """Return REFUTED if a case contradicts the claim, NOT EXERCISED if there was no case, else TESTED."""
        if not self.tried.cases:
            return NOT_EXERCISED
        return REFUTED if self.tried.against else TESTED

    @property
    def status(self) -> Status:
        """HOLDS if the verdict is as expected, UNDECIDED if no case was tried, else REFUTED."""
        if self.verdict == self.fact.expected:
            return Status.HOLDS
        return Status.UNDECIDED if self.verdict == NOT_EXERCISED else Status.REFUTED
