"""The job of `radixcheck verify`: search a subject, compare it with the reference, and replay the sample trace.

Whatever calls the subject runs in worker processes: the subject may end a process, or never return.
"""

from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace

from radixcheck.verification.core.deadline import Deadline
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.workers import WorkerLost, workers_for
from radixcheck.verification.operations import REQUEST_OPERATIONS
from radixcheck.verification.runs.diff_job import DiffRequest, compare
from radixcheck.verification.runs.replay_job import SAMPLE_POOL, ReplayRequest, replay_requests
from radixcheck.verification.runs.run_results import Scene, VerifyOutcome
from radixcheck.verification.runs.scene import scene
from radixcheck.verification.search.lost import of_lost
from radixcheck.verification.search.search_results import Bounds
from radixcheck.verification.search.verify import LATE_SECONDS, verify
from radixcheck.verification.subjects.registry import HOST_REFERENCE, REFERENCE, isolated, resolve
from radixcheck.verification.trace_replay.replay_results import Settings
from radixcheck.verification.trace_replay.tiered_run import NEEDED

COMPARE_SHARE = 0.1  # of the plan of the search
SCENE_SECONDS = 2.0  # after the ceiling of the search and of shrinking
REPLAYED = Settings(pool=SAMPLE_POOL)
HOST_POOLS = 4  # times the pool: the host pool with which the sample is replayed through a cache with a host tier


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """A subject, and where to search it."""

    subject: Subject
    bounds: Bounds


def search_subject(request: VerifyRequest, progress: Progress = silent) -> VerifyOutcome:
    """Search a subject, and nothing else."""
    with workers_for(request.subject) as pool:
        return _search(pool, request, progress)


def verify_subject(request: VerifyRequest, progress: Progress = silent) -> VerifyOutcome:
    """Search a subject. If nothing is refuted, compare it with the reference and replay the sample trace."""
    with workers_for(request.subject) as pool:
        outcome = _search(pool, request, progress)
        if outcome.report.found or outcome.report.unfinished:
            return outcome
        for part in (_compare, _replay_sample):
            outcome = part(pool, request, outcome, progress)
        return outcome


def _search(pool: Executor, request: VerifyRequest, progress: Progress) -> VerifyOutcome:
    subject, bounds = request.subject, request.bounds
    with progress(f"verify {subject.name}") as tell:
        report = verify(pool, subject, bounds, tell)
        last = Deadline(bounds.deadline.ends + LATE_SECONDS + SCENE_SECONDS)
        jobs = [(found, pool.submit(scene, _seen_in(subject, found), found)) for found in report.found]
        return VerifyOutcome(report, tuple((found, _scene(job, last)) for found, job in jobs))


def _seen_in(subject: Subject, found: Found) -> Subject:
    """Return the subject on which to repeat a trace: in a process of its own, if the trace ends its process."""
    return isolated(subject) if found.ends_process else subject


def _scene(job: "Future[Scene | None]", deadline: Deadline) -> Scene | None:
    """Return the scene of a fault; None if it cannot be had by then."""
    try:
        return job.result(deadline.left)
    except (TimeoutError, WorkerLost, UsageError, KeyboardInterrupt):
        return None


def _compare(pool: Executor, request: VerifyRequest, outcome: VerifyOutcome, progress: Progress) -> VerifyOutcome:
    """Compare the subject with the reference."""
    subject, bounds = request.subject, request.bounds
    reference = resolve(HOST_REFERENCE if bounds.modes else REFERENCE)
    sizes = tuple(size for size in bounds.page_sizes if size in reference.supports.page_sizes)
    if subject.name == reference.name or not sizes:
        return outcome
    shared = replace(bounds, page_sizes=sizes, seconds=bounds.seconds * COMPARE_SHARE)
    try:
        return replace(outcome, agreement=compare(DiffRequest(subject, reference, shared), progress))
    except WorkerLost as lost:
        return _with_lost(outcome, lost)
    except KeyboardInterrupt:
        return _unfinished(outcome, "the comparison with the reference was interrupted")


def _replay_sample(pool: Executor, request: VerifyRequest, outcome: VerifyOutcome, progress: Progress) -> VerifyOutcome:
    """Replay the sample trace, if the subject shows its inside and has the operations."""
    subject, deadline = request.subject, request.bounds.deadline
    if outcome.report.unfinished or not _replayable(subject):
        return outcome
    settings = replace(REPLAYED, device=request.bounds.device)
    if request.bounds.modes and set(subject.supports.host_operations) >= NEEDED:
        settings = replace(settings, host_pool=HOST_POOLS * settings.pool, mode=request.bounds.modes[0])
    job = pool.submit(replay_requests, ReplayRequest(subject, None, settings))
    try:
        with progress("replay sample"):
            return replace(outcome, replayed=job.result(deadline.left))
    except WorkerLost as lost:
        return _with_lost(outcome, lost)
    except TimeoutError:
        return _unfinished(outcome, "the replay of the sample trace had not ended when the time was over: give more --seconds")
    except KeyboardInterrupt:
        return _unfinished(outcome, "the replay of the sample trace was interrupted")


def _unfinished(outcome: VerifyOutcome, why: str) -> VerifyOutcome:
    return replace(outcome, report=replace(outcome.report, unfinished=(*outcome.report.unfinished, why)))


def _with_lost(outcome: VerifyOutcome, lost: WorkerLost) -> VerifyOutcome:
    """Return the outcome with the fault that ended a worker process."""
    found = of_lost(lost)
    if found is None:
        return _unfinished(outcome, str(lost))
    report = outcome.report
    verdicts = tuple(replace(v, verdict=Verdict.REFUTED) if v.property.id == found.violation.property else v for v in report.verdicts)
    return replace(outcome, report=replace(report, found=(found,), verdicts=verdicts), scenes=((found, None),))


def _replayable(subject: Subject) -> bool:
    s = subject.supports
    can = subject.white_box and set(REQUEST_OPERATIONS) <= set(s.operations)
    return can and REPLAYED.page_size in s.page_sizes and REPLAYED.policy in s.policies
