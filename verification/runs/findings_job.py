"""The job of `radixcheck findings`: repeat findings in caches of other projects."""

from dataclasses import dataclass
from shutil import which

from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.findings.finding import Finding, comparisons, findings, searches, subjects
from radixcheck.verification.findings.finding_results import NOT_RUN, Repeated
from radixcheck.verification.findings.repeat import repeat
from radixcheck.verification.runs.evidence_results import FindingsOutcome


@dataclass(frozen=True, slots=True)
class FindingsRequest:
    """The findings to repeat, and the interpreter that has the packages."""

    subject: str | None = None  # None: the findings of all caches
    python: str | None = None  # None: this interpreter


def findings_request(subject: str | None = None, python: str | None = None) -> FindingsRequest:
    """Return a request. Raise UsageError if there is no such subject or interpreter."""
    if subject is not None and subject not in subjects():
        raise UsageError(f"there is no finding of {subject!r}: choose from {', '.join(subjects())}")
    check_interpreter(python, "packages")
    return FindingsRequest(subject, python)


def check_interpreter(python: str | None, needed: str) -> None:
    """Raise UsageError if there is no such interpreter."""
    if python is not None and which(python) is None:
        raise UsageError(f"there is no interpreter {python!r}: give the path of a Python that has the {needed}")


def repeat_findings(request: FindingsRequest, progress: Progress = silent) -> FindingsOutcome:
    """Repeat each finding, by its trace and by its script."""
    repeated, chosen = list[Repeated](), findings(request.subject)
    with progress("findings") as tell:
        for each in chosen:
            tell(len(repeated) / len(chosen), each.id)
            repeated.append(repeat(each, request.python))
    return _with_records(request.subject, repeated)


def recorded_findings() -> FindingsOutcome:
    """Return all findings as they were recorded. Their verdicts are NOT RUN."""
    return _with_records(None, list(map(_not_run, findings())))


def _not_run(finding: Finding) -> Repeated:
    return Repeated(finding, NOT_RUN, "not repeated here", NOT_RUN, "not repeated here")


def _with_records(subject: str | None, repeated: list[Repeated]) -> FindingsOutcome:
    """Return the findings with the recorded comparisons and searches of the subject."""
    compared = tuple(c for c in comparisons() if subject in (None, c.left, c.right))
    return FindingsOutcome(tuple(repeated), compared, tuple(s for s in searches() if subject in (None, s.subject)))
