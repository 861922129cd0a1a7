"""The kill matrix: every mutant under every detector that applies, in worker processes, and the smallest trace that shows it.

`measure_all` measures how reliably the state machine finds each mutant: the share of seeds with which it does.
"""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from statistics import median
from time import perf_counter
from typing import TypeVar

from radixcheck.verification.core.catalogue import PROBED
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.workers import workers
from radixcheck.verification.mutants import MUTANTS, Mutant
from radixcheck.verification.mutants.detectors import DETECTORS, Detector
from radixcheck.verification.search.run import RunResult
from radixcheck.verification.search.shrink import shrink


def mutant(name: str) -> Mutant:
    """The mutant that a name stands for. Raises `UsageError`."""
    if name in MUTANTS:
        return MUTANTS[name]
    module, _, attribute = name.partition(":")
    if not attribute:
        near = ", ".join(get_close_matches(name, MUTANTS, n=3, cutoff=0))
        raise UsageError(f"no mutant is called {name!r}: the nearest are {near}")
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m` does
    try:
        found = getattr(import_module(module), attribute, None)
    except Exception as error:  # whatever a user's module raises while it is imported
        raise UsageError(f"importing {module!r} for mutant {name!r} raised {type(error).__name__}: {error}") from error
    if not isinstance(found, Mutant):
        raise UsageError(f"{name!r} is no mutant: {module} has no Mutant of that name")
    return found


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


Told = Callable[[Judged], None]
Result = TypeVar("Result", Judged, "Reliability")


def judge_all(
    names: Sequence[str], seed: int, seconds: float = SECONDS, told: Told = lambda _: None, detectors: tuple[str, ...] = tuple(DETECTORS)
) -> tuple[Judged, ...]:
    """Every named mutant, in the order of their names. `told` is called with each as soon as it is judged."""
    return _in_order(names, told, _each(partial(judge, seed=seed, seconds=seconds, detectors=detectors), names, TOGETHER))


def _each(task: Callable[[str], Result], names: Sequence[str], together: int) -> Iterator[Result]:
    """Yield the results in worker processes as they come; of at most `together` names, in this process."""
    if len(names) <= together:
        yield from map(task, names)
        return
    with workers() as pool:
        for future in as_completed([pool.submit(task, name) for name in names]):
            yield future.result()


def _in_order(names: Sequence[str], told: Callable[[Result], None], results: Iterable[Result]) -> tuple[Result, ...]:
    found: dict[str, Result] = {}
    for result in results:
        found[result.name] = result
        told(result)
    return tuple(found[name] for name in names)


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
    cause = first.violation.follows_from  # a formula may fail only where another property does: then a kill has two names
    text = first.violation.text + (f" (wherever {cause} fails too)" if cause else "")
    cell = Cell(detector.name, verdict, properties, result.after[properties[0]], seconds, text)
    return cell, first if verdict == KILLED else None


SHARE = 0.95  # of the seeds, that a search must find a mutant with


@dataclass(frozen=True, slots=True)
class Reliability:
    """How one mutant fared."""

    name: str
    wanted: str  # the property that must catch it
    directed: str  # what finds it instead, where chance cannot
    operations: tuple[int | None, ...]  # with each seed, until the property was broken; None: it was not
    seconds: float

    @property
    def found(self) -> int:
        """With how many seeds it was found."""
        return sum(operations is not None for operations in self.operations)

    @property
    def median(self) -> float | None:
        """Operations, with the seeds that found it."""
        found = [operations for operations in self.operations if operations is not None]
        return median(found) if found else None

    @property
    def reliable(self) -> bool:
        """Whether it was found with enough of the seeds, or the catalogue says what finds it."""
        return self.found >= SHARE * len(self.operations) or bool(self.directed)


def measure_all(names: Sequence[str], seeds: int, told: Callable[[Reliability], None] = lambda _: None) -> tuple[Reliability, ...]:
    """Every named mutant with seeds 0, 1, ... `told` is called with each as soon as it is measured."""
    return _in_order(names, told, _each(partial(measure, seeds=seeds), names, 1))


def measure(name: str, seeds: int) -> Reliability:
    """One mutant."""
    start, wrong = perf_counter(), mutant(name)
    operations = tuple(_found(name, seed) for seed in range(seeds))
    return Reliability(name, wrong.property, wrong.directed, operations, perf_counter() - start)


def _found(name: str, seed: int) -> int | None:
    wrong = mutant(name)
    return RunResult.of(DETECTORS["machine"].search(wrong, seed)).after.get(wrong.property)
