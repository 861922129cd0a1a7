"""The kill matrix: run every detector that applies on every mutant, in worker processes, and shrink the trace that shows it."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from time import perf_counter

from radixcheck.verification.core.found import Found
from radixcheck.verification.core.workers import workers
from radixcheck.verification.mutants.detectors import DETECTORS, Detector
from radixcheck.verification.mutants.mutant import Mutant
from radixcheck.verification.mutants.mutant_results import KILLED, NOT_RUN, OTHER, SURVIVED, Cell, Judged
from radixcheck.verification.mutants.named import mutant
from radixcheck.verification.search.run import RunResult
from radixcheck.verification.search.shrink import shrink

SECONDS = 5.0  # of one search at most, rounded up to whole parts of the search
TOGETHER = 4  # so few mutants are judged in this process: starting workers would take longer
SHRINK_SECONDS = 6.0


def judge_all(
    names: Sequence[str],
    seed: int,
    seconds: float = SECONDS,
    progress: Callable[[Judged], None] = lambda _: None,
    detectors: tuple[str, ...] = tuple(DETECTORS),
) -> tuple[Judged, ...]:
    """Judge the named mutants. `progress` is called with each result; the results are returned in the order of the names."""
    found: dict[str, Judged] = {}
    for judged in _judged(names, seed, seconds, detectors):
        found[judged.name] = judged
        progress(judged)
    return tuple(found[name] for name in names)


def _judged(names: Sequence[str], seed: int, seconds: float, detectors: tuple[str, ...]) -> Iterator[Judged]:
    if len(names) <= TOGETHER:
        yield from (judge(name, seed, seconds, detectors) for name in names)
        return
    with workers() as pool:
        for future in as_completed([pool.submit(judge, name, seed, seconds, detectors) for name in names]):
            yield future.result()


def judge(name: str, seed: int = 0, seconds: float = SECONDS, detectors: tuple[str, ...] = tuple(DETECTORS)) -> Judged:
    """Judge one mutant with these detectors, each for `seconds`."""
    start, wrong = perf_counter(), mutant(name)
    outcomes = [_detect(DETECTORS[detector], wrong, seed, seconds) for detector in detectors]
    shown = [found for _, found in outcomes if found is not None and found.trace]
    smallest = min(shown, key=lambda found: len(found.trace), default=None)
    if smallest is not None:
        smallest = shrink(wrong.factory, smallest, SHRINK_SECONDS)
    cells = tuple(cell for cell, _ in outcomes)
    sources = tuple(wrong.source.split())
    return Judged(name, wrong.property, wrong.sentence, sources, cells, smallest, perf_counter() - start)


def _detect(detector: Detector, wrong: Mutant, seed: int, limit: float) -> tuple[Cell, Found | None]:
    """Search until the property is broken, the search ends or the time limit is reached."""
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
    cell = Cell(detector.name, verdict, properties, result.after[properties[0]], seconds, _text(first))
    return cell, first if verdict == KILLED else None


def _text(found: Found) -> str:
    """Return how the property was broken and, if that is a consequence of another property, which one."""
    cause = found.violation.follows_from
    return found.violation.text + (f" (wherever {cause} fails too)" if cause else "")
