"""Where a replay stops."""

from dataclasses import dataclass

from radixcheck.verification.core.found import Violation


@dataclass(frozen=True, slots=True)
class Fault:
    """What was found, and at which operation."""

    violation: Violation
    request: int  # of the trace, from 1
    step: int  # operations so far
    operation: str
