"""The results of running detectors on mutants, and the checker on correct caches. Importing this module loads no cache."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from radixcheck.verification.core.catalogue import PROBED
from radixcheck.verification.core.found import Config, Found
from radixcheck.verification.core.status import Verdict

KILLED, OTHER, SURVIVED, NOT_RUN = Verdict.KILLED, Verdict.ANOTHER_PROPERTY, Verdict.SURVIVED, Verdict.NOT_RUN
ELSEWHERE, UNDECIDED = Verdict.ANOTHER_DETECTOR, Verdict.UNDECIDED
VERDICTS = (KILLED, ELSEWHERE, OTHER, SURVIVED, UNDECIDED, NOT_RUN)  # of a mutant
OPERATIONS_MAX = 6  # of a smallest trace, except where size is the fault
SHARE = 0.95  # of the seeds with which a search must find a mutant


@dataclass(frozen=True, slots=True)
class Cell:
    """The result of one detector on one mutant."""

    detector: str
    verdict: Verdict  # UNDECIDED: the search was cut off before it ended or broke the property
    properties: tuple[str, ...]  # all that were broken; if it is among them, the one that must catch the mutant comes first
    operations: int  # until the property was first broken; if the mutant survived: all
    seconds: float
    text: str  # how the property was broken, or why the detector was not run


@dataclass(frozen=True, slots=True)
class Judged:
    """The results of all detectors on one mutant."""

    name: str
    wanted: str  # the property that must catch it
    sentence: str
    sources: tuple[str, ...]  # ids of faults that were reported in the field
    cells: tuple[Cell, ...]
    smallest: Found | None  # None: no trace shows the fault
    seconds: float
    detector: str = ""  # that must find it; empty: any

    @property
    def verdict(self) -> Verdict:
        """Return KILLED if the detector that must find the mutant killed it, ANOTHER DETECTOR if only others did.

        Where that detector was not run, any other may. Return NOT RUN only if none was run.
        """
        verdicts = {cell.detector: cell.verdict for cell in self.cells}
        own, found = verdicts.get(self.detector, NOT_RUN), set(verdicts.values())
        if own in (KILLED, UNDECIDED):
            return own
        if KILLED in found:
            return KILLED if own == NOT_RUN else ELSEWHERE
        return next(verdict for verdict in (UNDECIDED, OTHER, SURVIVED, NOT_RUN) if verdict in found)

    @property
    def long(self) -> bool:
        """Return whether the smallest trace has more than OPERATIONS_MAX operations although size is not the fault."""
        return self.smallest is not None and self.wanted not in PROBED and len(self.smallest.trace) > OPERATIONS_MAX


@dataclass(frozen=True, slots=True)
class Reliability:
    """How reliably the state machine finds one mutant."""

    name: str
    wanted: str  # the property that must catch it
    directed: str  # which detector finds it instead; empty: none is needed
    operations: tuple[int | None, ...]  # with each seed, until the property was broken; None: it was not
    seconds: float

    @property
    def found(self) -> int:
        """Return the number of seeds that found it."""
        return sum(operations is not None for operations in self.operations)

    @property
    def often(self) -> bool:
        """Return whether at least the share SHARE of the seeds found it."""
        return self.found >= SHARE * len(self.operations)

    @property
    def median(self) -> float | None:
        """Return the median of the operations over the seeds that found it."""
        found = [operations for operations in self.operations if operations is not None]
        return median(found) if found else None

    @property
    def reliable(self) -> bool:
        """Return whether enough seeds found it, or the catalogue names another detector."""
        return self.often or bool(self.directed)


@dataclass(frozen=True, slots=True)
class Place:
    """One configuration: page size, policy, size of the pools, and whether keys have namespaces."""

    policy: str
    page_size: int  # tokens
    pages: int  # of the pool
    namespaces: bool
    host_pages: int = 0  # of the host pool
    mode: str = ""  # of the host tier; empty: there is none

    @property
    def config(self) -> Config:
        """Return the configuration of a run."""
        size = self.page_size
        return Config(self.policy, size, self.pages * size, host_pool=self.host_pages * size, mode=self.mode)

    def __str__(self) -> str:
        return f"{self.config}, {'namespaces' if self.namespaces else 'one namespace'}"


@dataclass(frozen=True, slots=True)
class Stretch:
    """The stretch phase, which has configurations of its own, one for each dimension."""

    dimensions: int

    def __str__(self) -> str:
        return f"stretch, {self.dimensions} dimensions"


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was found in one correct cache in one configuration."""

    subject: str
    place: Place | Stretch
    runs: int
    operations: int
    found: Mapping[str, Found]  # false positives, by property
    missed: tuple[str, ...] = ()  # dimensions of the stretch phase that this cache does not reach, or is too slow to reach
