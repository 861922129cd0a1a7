"""The jobs of `radixcheck mutants`: the kill matrix, the reliability of the state machine, and false positives on correct caches."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.mutants.detectors import EFFORT, STEPS
from radixcheck.verification.mutants.false_positives import HOST_PLACES, PLACES, SEEDS, SUBJECTS, clear_all, places_of
from radixcheck.verification.mutants.kill_matrix import PLAN, Plan, detect_all, judge_all, measure_all, mutant
from radixcheck.verification.mutants.mutant_results import Cleared, Judged, Reliability
from radixcheck.verification.runs.evidence_results import FalsePositives, KillMatrix, Reliabilities
from radixcheck.verification.subjects.registry import resolve


@dataclass(frozen=True, slots=True)
class MatrixRequest:
    """Mutants, and how each detector searches each of them."""

    names: tuple[str, ...]
    plan: Plan = PLAN


@dataclass(frozen=True, slots=True)
class ReliabilityRequest:
    """Mutants, and with how many seeds the state machine searches each of them."""

    names: tuple[str, ...]
    seeds: int


@dataclass(frozen=True, slots=True)
class CleanRequest:
    """Correct caches, and with how many seeds each is run in each configuration."""

    subjects: tuple[Subject, ...]
    seeds: int = SEEDS


def named(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, each once; all mutants of the catalogue if there are none. Raise UsageError for an unknown name."""
    for name in names:
        mutant(name)
    return tuple(dict.fromkeys(names)) or tuple(MUTANTS)


def clean_request(names: Sequence[str], seeds: int | None = None) -> CleanRequest:
    """Return a request; without names: for all correct caches. Raise UsageError if one does not support every configuration."""
    subjects = tuple(resolve(name) for name in names or SUBJECTS)
    for subject in subjects:
        for place in places_of(subject):
            if place.mode and place.mode not in subject.supports.modes:
                raise UsageError(f"{subject.name} does not support {place}: --clean is for caches that support every configuration")
            if place.policy not in subject.supports.policies or place.page_size not in subject.supports.page_sizes:
                raise UsageError(f"{subject.name} does not support {place}: --clean is for caches that support every configuration")
    return CleanRequest(subjects, seeds or SEEDS)


def kill_matrix(request: MatrixRequest, progress: Callable[[Judged], None] = lambda _: None) -> KillMatrix:
    """Run the detectors on the mutants. `progress` is called with each mutant that is judged."""
    start = perf_counter()
    judged = judge_all(request.names, request.plan, progress)
    return KillMatrix(judged, perf_counter() - start)


def kills(names: tuple[str, ...], progress: Callable[[Judged], None] = lambda _: None) -> KillMatrix:
    """Run on each mutant only the detector that must find it. `progress` is called with each mutant that is judged."""
    start = perf_counter()
    judged = detect_all(names, PLAN, progress)
    return KillMatrix(judged, perf_counter() - start)


def reliability(request: ReliabilityRequest, progress: Callable[[Reliability], None] = lambda _: None) -> Reliabilities:
    """Run the state machine on the mutants. `progress` is called with each mutant that is measured."""
    start = perf_counter()
    measured = measure_all(request.names, request.seeds, progress)
    return Reliabilities(measured, request.seeds, EFFORT.examples, STEPS, perf_counter() - start)


def false_positives(request: CleanRequest, progress: Callable[[Cleared], None] = lambda _: None) -> FalsePositives:
    """Run correct caches. `progress` is called with each part."""
    start = perf_counter()
    cleared = clear_all(request.subjects, request.seeds, progress)
    tiered = len(HOST_PLACES) if any(subject.supports.modes for subject in request.subjects) else 0
    return FalsePositives(cleared, request.seeds, len(PLACES), perf_counter() - start, tiered)
