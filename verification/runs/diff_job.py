"""The job of `radixcheck diff`: compare two subjects, in a search or along a trace of requests."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from radixcheck.verification.core.page_sizes import sizes_text
from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.runs.replay_job import HOST_POOL, POOL, SAMPLE_POOL, ReplayRequest, record_requests
from radixcheck.verification.runs.run_results import DiffOutcome
from radixcheck.verification.search.diff import along, diff
from radixcheck.verification.search.search_results import Bounds
from radixcheck.verification.subjects.registry import HOST_REFERENCE, REFERENCE, resolve
from radixcheck.verification.trace_replay.replay_results import Settings

PAGE_SIZE = 16  # tokens; along a trace, if both subjects support it


@dataclass(frozen=True, slots=True)
class DiffRequest:
    """Two subjects, and where to compare them. `operations`: how many; None: as many as are planned for the seconds of the bounds."""

    left: Subject
    right: Subject
    bounds: Bounds
    operations: int | None = None


@dataclass(frozen=True, slots=True)
class AlongRequest:
    """Two subjects, and the trace of requests along which to compare them, under the first policy and one page size of the bounds."""

    left: Subject
    right: Subject
    bounds: Bounds
    trace: Path | None  # None: the sample trace
    limit: int = 0  # requests to read; 0: all


def compare(request: DiffRequest, progress: Progress = silent) -> DiffOutcome:
    """Compare two subjects in random runs."""
    left, right = request.left, request.right
    with progress(f"diff {left.name} {right.name}") as tell:
        comparison = diff(left, right, request.bounds, request.operations, tell)
    return DiffOutcome(left.name, right.name, request.bounds, comparison, tuple(_apart(left, right)))


def compare_along(request: AlongRequest, progress: Progress = silent) -> DiffOutcome:
    """Compare two subjects along a trace of requests. Raise UsageError if no request of the trace can be read."""
    left, right, bounds = request.left, request.right, request.bounds
    policy, size = bounds.policies[0], PAGE_SIZE if PAGE_SIZE in bounds.page_sizes else bounds.page_sizes[0]
    pool = bounds.pool or (POOL if request.trace else SAMPLE_POOL)
    mode = bounds.modes[0] if bounds.modes else ""
    host_pool = (bounds.host_pool or HOST_POOL) if mode else 0
    settings = Settings(policy, size, tokens_per_id=size, pool=pool, device=bounds.device, host_pool=host_pool, mode=mode)
    recorded_on = resolve(HOST_REFERENCE if mode else REFERENCE)
    trace = record_requests(ReplayRequest(recorded_on, request.trace, settings, request.limit), progress)
    with progress(f"diff {left.name} {right.name}") as tell:
        comparison = along(left, right, settings.config, trace, tell, bounds.deadline)
    run = replace(bounds, policies=(policy,), page_sizes=(size,))
    return DiffOutcome(left.name, right.name, run, comparison, tuple(_apart(left, right)))


def _apart(left: Subject, right: Subject) -> Iterator[str]:
    """Yield what only one of them declares."""
    for subject, other in ((left, right), (right, left)):
        a, b = subject.supports, other.supports
        parts: tuple[tuple[str, Sequence[Any], Sequence[Any], Callable[[Sequence[Any]], str]], ...] = (
            ("policy", a.policies, b.policies, ", ".join),
            ("page size", a.page_sizes, b.page_sizes, sizes_text),
            ("operation", a.operations, b.operations, ", ".join),
            ("mode", a.modes, b.modes, ", ".join),
            ("namespaces", ("",) * a.namespaces, ("",) * b.namespaces, ", ".join),
        )
        for what, mine, others, listed in parts:
            lacking = [each for each in mine if each not in others]
            if lacking:
                yield f"{other.name} has no {what} {listed(lacking)}".rstrip()
