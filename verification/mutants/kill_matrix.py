"""The kill matrix: every mutant under every detector that applies, in worker processes, and the smallest trace that shows it.

`measure_all` measures how reliably the state machine finds each mutant: the share of seeds with which it does.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from time import perf_counter
from typing import TypeVar

from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.deadline import Deadline
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.workers import workers
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.mutants.detectors import DETECTORS, EFFORT, Detector, Effort, Undecided
from radixcheck.verification.mutants.mutant import Mutant, detector_of
from radixcheck.verification.mutants.mutant_results import KILLED, NOT_RUN, OTHER, SURVIVED, UNDECIDED, Cell, Judged, Reliability
from radixcheck.verification.search.shrink import shrink
from radixcheck.verification.subjects.registry import attribute_of


def mutant(name: str) -> Mutant:
    """Return the mutant with this name: of the catalogue, module:attribute or file.py:attribute. Raise UsageError."""
    if name in MUTANTS:
        return MUTANTS[name]
    module, _, attribute = name.rpartition(":")
    if not attribute or not module:
        near = ", ".join(get_close_matches(name, MUTANTS, n=3, cutoff=0))
        raise UsageError(f"no mutant is called {name!r}: the nearest are {near}")
    found = attribute_of(name)
    if not isinstance(found, Mutant):
        raise UsageError(f"{name!r} is no mutant: {module} has no Mutant of that name")
    return found


SECONDS = 900.0  # of wall time, after which one search is cut off; a search takes a few
TOGETHER = 4  # so few mutants are judged in this process: starting workers would take longer

Result = TypeVar("Result", Judged, Reliability)


@dataclass(frozen=True, slots=True)
class Plan:
    """How each mutant is searched. The effort bounds a search; after `seconds` of wall time it is cut off, and undecided."""

    seed: int = 0
    effort: Effort = EFFORT
    seconds: float = SECONDS  # of one search
    detectors: tuple[str, ...] = tuple(DETECTORS)


PLAN = Plan()


def judge_all(names: Sequence[str], plan: Plan, progress: Callable[[Judged], None] = lambda _: None) -> tuple[Judged, ...]:
    """Judge the named mutants, in the order of their names. `progress` is called with each result."""
    return _in_order(names, progress, _each(partial(judge, plan=plan), names, TOGETHER))


def _each(task: Callable[[str], Result], names: Sequence[str], together: int) -> Iterator[Result]:
    """Yield the results in worker processes as they come; of at most `together` names, in this process."""
    if len(names) <= together:
        yield from map(task, names)
        return
    with workers() as pool:
        for future in as_completed([pool.submit(task, name) for name in names]):
            yield future.result()


def _in_order(names: Sequence[str], progress: Callable[[Result], None], results: Iterable[Result]) -> tuple[Result, ...]:
    found: dict[str, Result] = {}
    for result in results:
        found[result.name] = result
        progress(result)
    return tuple(found[name] for name in names)


def judge(name: str, plan: Plan) -> Judged:
    """Judge one mutant with the detectors of the plan."""
    start, wrong = perf_counter(), mutant(name)
    outcomes = [_detect(DETECTORS[detector], wrong, plan) for detector in plan.detectors]
    shown = [found for _, found in outcomes if found is not None and found.trace]
    smallest = min(shown, key=lambda found: len(found.trace), default=None)
    if smallest is not None:
        smallest = shrink(wrong.factory, smallest, Deadline.after(plan.seconds))
    cells = tuple(cell for cell, _ in outcomes)
    sources = tuple(wrong.source.split())
    return Judged(name, wrong.property, wrong.sentence, sources, cells, smallest, perf_counter() - start, detector_of(wrong))


def detect_all(names: Sequence[str], plan: Plan, progress: Callable[[Judged], None] = lambda _: None) -> tuple[Judged, ...]:
    """Search the named mutants, each only with the detector that must find it. `progress` is called with each result."""
    return _in_order(names, progress, _each(partial(detect, plan=plan), names, TOGETHER))


def detect(name: str, plan: Plan) -> Judged:
    """Search one mutant with the detector that must find it. The trace is not kept, and so not shrunk."""
    start, wrong = perf_counter(), mutant(name)
    cell, _ = _detect(DETECTORS[detector_of(wrong)], wrong, plan)
    sources = tuple(wrong.source.split())
    return Judged(name, wrong.property, wrong.sentence, sources, (cell,), None, perf_counter() - start, detector_of(wrong))


def _detect(detector: Detector, wrong: Mutant, plan: Plan) -> tuple[Cell, Found | None]:
    """Search until the property is broken or the search ends. If the time is over before, the cell is undecided."""
    if hindrance := detector.hindrance(wrong):
        return Cell(detector.name, NOT_RUN, (), 0, 0.0, hindrance), None
    start, deadline, result = perf_counter(), Deadline.after(plan.seconds), RunResult()
    undecided = ""
    try:
        parts = detector.search(wrong, plan.seed, plan.effort)
        while not (result.broken(wrong.property) or deadline.passed) and (part := next(parts, None)) is not None:
            result.merge(part)
    except Undecided as error:
        undecided = str(error)
    seconds = perf_counter() - start
    broken = result.consequences | result.found
    properties = tuple(sorted(broken, key=lambda id_: (id_ != wrong.property, id_ in result.consequences, result.after[id_])))
    if deadline.passed:
        undecided = f"cut off after {plan.seconds:g} s"
    if undecided and wrong.property not in broken:
        return Cell(detector.name, UNDECIDED, properties, result.steps, seconds, undecided), None
    if not properties:
        return Cell(detector.name, SURVIVED, (), result.steps, seconds, ""), None
    first = broken[properties[0]]
    verdict = KILLED if properties[0] == wrong.property else OTHER
    cause = first.violation.follows_from  # a formula may fail only where another property does: then a kill has two names
    text = first.violation.text + (f" (wherever {cause} fails too)" if cause else "")
    cell = Cell(detector.name, verdict, properties, result.after[properties[0]], seconds, text)
    return cell, first if verdict == KILLED else None


def measure_all(names: Sequence[str], seeds: int, progress: Callable[[Reliability], None] = lambda _: None) -> tuple[Reliability, ...]:
    """Measure the named mutants with seeds 0, 1, ... `progress` is called with each result."""
    return _in_order(names, progress, _each(partial(measure, seeds=seeds), names, 1))


def measure(name: str, seeds: int) -> Reliability:
    """Measure one mutant with seeds 0, 1, ..., seeds - 1."""
    start, wrong = perf_counter(), mutant(name)
    operations = tuple(_found(name, seed) for seed in range(seeds))
    return Reliability(name, wrong.property, wrong.directed, operations, perf_counter() - start)


def _found(name: str, seed: int) -> int | None:
    wrong = mutant(name)
    return RunResult.of(DETECTORS["machine"].search(wrong, seed, EFFORT)).after.get(wrong.property)
