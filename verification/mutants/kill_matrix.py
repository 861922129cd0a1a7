"""The kill matrix: every mutant under every detector that applies, in worker processes, and the smallest trace that shows it."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from time import perf_counter

from radixcheck.verification.core.catalogue import PROBED
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.core.workers import workers
from radixcheck.verification.mutants import Mutant
from radixcheck.verification.mutants.detectors import DETECTORS, Detector
from radixcheck.verification.mutants.named import mutant
from radixcheck.verification.search.run import RunResult
from radixcheck.verification.search.shrink import shrink

KILLED, OTHER, SURVIVED, NOT_RUN = Verdict.KILLED, Verdict.ANOTHER_PROPERTY, Verdict.SURVIVED, Verdict.NOT_RUN
SECONDS = 5.0  # of one search, at most; it ends with the part that it is in
TOGETHER = 4  # mutants that are judged here, as workers would take longer to start
SHRINK_SECONDS = 6.0
OPERATIONS_MAX = 6  # of a smallest trace, except where size is the fault


@dataclass(frozen=True, slots=True)
class Cell:
    """What one detector made of one mutant."""

    detector: str
    verdict: Verdict
    properties: tuple[str, ...]  # all that were broken, the one that must be first
    operations: int  # until the property was first broken; all that were performed, where the mutant survived
    seconds: float
    text: str  # how the property was broken, or why the detector was not run


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one mutant."""

    name: str
    wanted: str  # the property that must catch it
    sentence: str
    sources: tuple[str, ...]  # faults of the field
    cells: tuple[Cell, ...]
    smallest: Found | None  # None: no trace shows it
    seconds: float

    @property
    def verdict(self) -> Verdict:
        """The best that any detector achieved. What was not run has killed nothing."""
        verdicts = {cell.verdict for cell in self.cells}
        return next(verdict for verdict in (KILLED, OTHER, SURVIVED, NOT_RUN) if verdict in verdicts)

    @property
    def long(self) -> bool:
        """Whether the smallest trace is longer than a trace should be."""
        return self.smallest is not None and self.wanted not in PROBED and len(self.smallest.trace) > OPERATIONS_MAX


def judge_all(
    names: Sequence[str],
    seed: int,
    seconds: float = SECONDS,
    told: Callable[[Judged], None] = lambda _: None,
    detectors: tuple[str, ...] = tuple(DETECTORS),
) -> tuple[Judged, ...]:
    """Every named mutant, in the order of their names. `told` is called with each as soon as it is judged."""
    found: dict[str, Judged] = {}
    for judged in _judged(names, seed, seconds, detectors):
        found[judged.name] = judged
        told(judged)
    return tuple(found[name] for name in names)


def _judged(names: Sequence[str], seed: int, seconds: float, detectors: tuple[str, ...]) -> Iterator[Judged]:
    if len(names) <= TOGETHER:
        yield from (judge(name, seed, seconds, detectors) for name in names)
        return
    with workers() as pool:
        for future in as_completed([pool.submit(judge, name, seed, seconds, detectors) for name in names]):
            yield future.result()


def judge(name: str, seed: int = 0, seconds: float = SECONDS, detectors: tuple[str, ...] = tuple(DETECTORS)) -> Judged:
    """One mutant under these detectors, each for so many seconds."""
    start, wrong = perf_counter(), mutant(name)
    outcomes = [_detect(DETECTORS[detector], wrong, seed, seconds) for detector in detectors]
    shown = [found for _, found in outcomes if found is not None and found.trace]
    smallest = min(shown, key=lambda found: len(found.trace), default=None)
    if smallest is not None:
        smallest = shrink(wrong.factory, smallest, SHRINK_SECONDS)
    cells = tuple(cell for cell, _ in outcomes)
    said = (name, wrong.property, wrong.sentence, tuple(wrong.source.split()))
    return Judged(*said, cells, smallest, perf_counter() - start)


def _detect(detector: Detector, wrong: Mutant, seed: int, limit: float) -> tuple[Cell, Found | None]:
    """One search until the property is found, the search is over, or the time is."""
    if hindrance := detector.hindrance(wrong):
        return Cell(detector.name, NOT_RUN, (), 0, 0.0, hindrance), None
    start, result = perf_counter(), RunResult()
    for part in detector.search(wrong, seed):
        result.merge(part)
        if result.broken(wrong.property) or perf_counter() - start > limit:
            break
    seconds = perf_counter() - start
    broken = result.consequences | result.found
    properties = tuple(sorted(broken, key=lambda id_: (id_ != wrong.property, id_ in result.consequences, result.after[id_])))
    if not properties:
        return Cell(detector.name, SURVIVED, (), result.steps, seconds, ""), None
    first = broken[properties[0]]
    verdict = KILLED if properties[0] == wrong.property else OTHER
    cell = Cell(detector.name, verdict, properties, result.after[properties[0]], seconds, _said(first))
    return cell, first if verdict == KILLED else None


def _said(found: Found) -> str:
    """How the property was broken; a formula may fail only where another property does, and then a kill has two names."""
    cause = found.violation.follows_from
    return found.violation.text + (f" (wherever {cause} fails too)" if cause else "")
