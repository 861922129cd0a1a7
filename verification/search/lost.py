"""Faults that end the process of the cache, or from which it does not return: the loss of a worker process as a finding."""

from radixcheck.verification.core.found import Found, Violation
from radixcheck.verification.core.workers import WorkerLost

PROPERTY = "REFINEMENT"  # the answer that the specification gives is missing


def of_lost(lost: WorkerLost) -> Found | None:
    """Return the fault that a lost worker process shows; None if it had performed no operation."""
    if lost.last is None or not lost.last.trace:
        return None
    op = lost.last.trace[-1]
    return Found(Violation(PROPERTY, f"expected an answer to {op.name}; {lost}"), lost.last.trace, lost.last.config, ends_process=True)
