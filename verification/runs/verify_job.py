"""The job of `radixcheck verify`: search a subject, compare it with the reference, and replay the sample trace."""

from dataclasses import dataclass, replace

from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.operations import REQUEST_OPERATIONS
from radixcheck.verification.runs.diff_job import DiffRequest, compare
from radixcheck.verification.runs.replay_job import SAMPLE_POOL, ReplayRequest, replay_requests
from radixcheck.verification.runs.run_results import VerifyOutcome
from radixcheck.verification.runs.scene import scene
from radixcheck.verification.search.search_results import Bounds
from radixcheck.verification.search.verify import verify
from radixcheck.verification.subjects.registry import REFERENCE, resolve
from radixcheck.verification.trace_replay.replay_results import Settings

COMPARE_SECONDS = 8.0  # at most
REPLAYED = Settings(pool=SAMPLE_POOL)


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """A subject, and where to search it."""

    subject: Subject
    bounds: Bounds


def search_subject(request: VerifyRequest, progress: Progress = silent) -> VerifyOutcome:
    """Search a subject, and nothing else."""
    subject = request.subject
    with progress(f"verify {subject.name}") as tell:
        report = verify(subject, request.bounds, tell)
    return VerifyOutcome(report, tuple((found, scene(subject, found)) for found in report.found))


def verify_subject(request: VerifyRequest, progress: Progress = silent) -> VerifyOutcome:
    """Search a subject. If nothing is refuted, compare it with the reference and replay the sample trace."""
    outcome, subject, bounds = search_subject(request, progress), request.subject, request.bounds
    if outcome.report.found:
        return outcome
    reference = resolve(REFERENCE)
    sizes = tuple(size for size in bounds.page_sizes if size in reference.supports.page_sizes)
    if subject.name != REFERENCE and sizes:
        shared = replace(bounds, page_sizes=sizes, seconds=min(COMPARE_SECONDS, bounds.seconds))
        outcome = replace(outcome, agreement=compare(DiffRequest(subject, reference, shared), progress))
    if _replayable(subject):
        replayed = ReplayRequest(subject, None, replace(REPLAYED, device=bounds.device))
        outcome = replace(outcome, replayed=replay_requests(replayed, progress))
    return outcome


def _replayable(subject: Subject) -> bool:
    s = subject.supports
    can = subject.white_box and set(REQUEST_OPERATIONS) <= set(s.operations)
    return can and REPLAYED.page_size in s.page_sizes and REPLAYED.policy in s.policies
