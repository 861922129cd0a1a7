"""The results of proofs. Importing this module loads no cache and no solver."""

from collections.abc import Callable
from dataclasses import dataclass

from radixcheck.spec.updates import Transition
from radixcheck.spec.values import Sizes
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.proofs.conditions import Condition
from radixcheck.verification.protocol import Observation

PROVED, REFUTED, UNKNOWN = Verdict.PROVED, Verdict.REFUTED, Verdict.UNKNOWN  # of a condition
CONFIRMED, CONTRADICTED, UNDECIDED = Verdict.CONFIRMED, Verdict.CONTRADICTED, Verdict.UNDECIDED  # of a proof, by the second solver
CAUGHT, EQUIVALENT, SURVIVED = Verdict.CAUGHT, Verdict.EQUIVALENT, Verdict.SURVIVED  # of a mutant of the specification
CACHE_ONLY = "cache"  # the machine without a heap and without a host tier
HOST = "host:"  # before the names of conditions about the host machine
HOST_MACHINE = "host"  # the machine with a host tier
EVENTS, HOST_EVENTS = "events", "host events"  # the same with the fold of what they emit
TIERED_MACHINES = (HOST_MACHINE, HOST_EVENTS)
PREFIXES = ("NEVER-", "ALWAYS-", "WITHOUT-")  # of the ids of the claims of `trust`


@dataclass(frozen=True, slots=True)
class Cell:
    """One condition of the matrix. It is built when it is needed, so that listing all cells takes no time."""

    name: str
    formula: str  # id of a formula, or of a claim
    make: Callable[[], Condition]
    transition: str = ""
    policy: str = ""  # empty: any
    expected: str = PROVED
    sentence: str = ""  # of a claim
    questions: str = ""

    @property
    def condition(self) -> Condition:
        """Return the condition."""
        return self.make()


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


@dataclass(frozen=True, slots=True)
class Decided:
    """The verdict on a cell with one seed."""

    verdict: str
    seed: int
    seconds: float
    hypotheses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """The verdicts on one cell."""

    name: str
    formula: str
    transition: str
    policy: str
    expected: str
    sentence: str
    questions: str
    decided: tuple[Decided, ...]  # with each seed
    model: Model | None  # of the first refutation
    run: Run | None  # the same fault in a cache

    @property
    def verdict(self) -> str:
        """Return the verdict with every seed, or all different ones."""
        return " / ".join(dict.fromkeys(each.verdict for each in self.decided))

    @property
    def as_expected(self) -> bool:
        """Return whether every seed gave the expected verdict."""
        return self.verdict == self.expected


@dataclass(frozen=True, slots=True)
class Composed:
    """A promise of an operation, and the cells that together prove it."""

    operation: str
    promise: str
    cells: tuple[str, ...]
    verdict: str  # PROVED if all cells are, with every seed; otherwise the other verdicts


@dataclass(frozen=True, slots=True)
class Opinion:
    """The answer of a second solver on a cell that Z3 must prove."""

    name: str
    answer: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Campaign:
    """All results, and what they depend on."""

    results: tuple[Result, ...]
    promised: tuple[Composed, ...]  # the promises of operations all of whose cells were decided
    seeds: tuple[int, ...]
    seconds: float
    solver: str
    axioms: tuple[str, ...]
    laws: tuple[str, ...]

    @property
    def failed(self) -> tuple[Result, ...]:
        """Return the results that are not as expected."""
        return tuple(result for result in self.results if not result.as_expected)


@dataclass(frozen=True, slots=True, eq=False)
class Mutant:
    """A transition with one change."""

    name: str
    transition: Transition
    original: Transition
    machine: str = CACHE_ONLY  # or another one that is named above, or the policy of the heap machine that has this transition


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict on a mutant."""

    mutant: Mutant
    verdict: str
    by: str  # the formula that fails and how that was confirmed, or what was proved
    seconds: float
