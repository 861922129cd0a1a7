"""The results of proofs. Importing this module loads no cache and no solver."""

from dataclasses import dataclass

from radixcheck.spec.transitions import Transition
from radixcheck.spec.values import Sizes
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.protocol import Observation

PROVED, REFUTED, UNKNOWN = Verdict.PROVED, Verdict.REFUTED, Verdict.UNKNOWN  # of a condition
CONFIRMED, CONTRADICTED, UNDECIDED = Verdict.CONFIRMED, Verdict.CONTRADICTED, Verdict.UNDECIDED  # of a proof, by the second solver
CAUGHT, EQUIVALENT, SURVIVED = Verdict.CAUGHT, Verdict.EQUIVALENT, Verdict.SURVIVED  # of a mutant of the specification
CACHE_ONLY = "cache"  # the machine without a heap


@dataclass(frozen=True, slots=True)
class Moment:
    """A state of the specification in the form in which subjects show theirs."""

    seen: Observation  # the heap from its least entry to its greatest
    sizes: Sizes
    aged: frozenset[int]  # positions in the heap of entries that were stored before the last access of their node


@dataclass(frozen=True, slots=True)
class Model:
    """The states before and after one step that refute a condition (equal if there is no step)."""

    before: Moment
    after: Moment
    step: str  # with its arguments; empty: the condition is about one state
    violated: str  # where the formula fails


@dataclass(frozen=True, slots=True)
class Run:
    """Operations on a cache, and the property that fails after the last one."""

    cache: str
    operations: tuple[str, ...]
    property: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Mutant:
    """A transition with one change."""

    name: str
    transition: Transition
    original: Transition
    machine: str = CACHE_ONLY  # or the policy of the heap machine that has this transition


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on a mutant."""

    mutant: Mutant
    verdict: str
    by: str  # the formula that fails and how that was confirmed, or what was proved
    seconds: float
