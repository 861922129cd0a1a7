"""The job of `radixcheck bench`: measure caches, and decide the claims about costs."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from radixcheck.verification.bench.bench_data import Cache, Job
from radixcheck.verification.bench.measure import measure
from radixcheck.verification.bench.plan import chosen, planned
from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.review_6907.cost_claims import decided
from radixcheck.verification.runs.evidence_results import BenchOutcome
from radixcheck.verification.trace_replay.mooncake import read

REPEAT = 3


@dataclass(frozen=True, slots=True)
class BenchRequest:
    """The caches and the jobs to measure, and how often."""

    caches: tuple[Cache, ...]
    jobs: tuple[Job, ...]
    repeat: int
    python: str  # the interpreter under which all caches run
    quick: bool


def bench_request(
    *,
    quick: bool = False,
    scenarios: Sequence[str] = (),
    caches: Sequence[str] = (),
    repeat: int | None = None,
    trace: Path | None = None,
    python: str | None = None,
) -> BenchRequest:
    """Return a request; without scenarios or caches: for all. Raise UsageError for an unknown one, or a trace that cannot be read."""
    if trace is not None and (error := read(trace).error) is not None:
        raise UsageError(str(error))
    jobs = planned(quick, scenarios, trace)
    return BenchRequest(tuple(chosen(caches)), tuple(jobs), repeat or (1 if quick else REPEAT), python or sys.executable, quick)


def bench(request: BenchRequest, progress: Progress = silent) -> BenchOutcome:
    """Measure the caches, and decide the claims about costs."""
    with progress("bench") as tell:
        results = measure(request.caches, request.jobs, request.repeat, request.python, tell)
    results = replace(results, about={**results.about, "quick": request.quick})
    return BenchOutcome(results, tuple(decided(results)))
