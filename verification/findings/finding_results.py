"""The result of repeating a finding. Importing this module loads no cache."""

from dataclasses import dataclass

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.findings.finding import Finding

REPEATED, GONE, NOT_RUN, NO_TRACE = Verdict.REPEATED, Verdict.GONE, Verdict.NOT_RUN, Verdict.NO_TRACE


@dataclass(frozen=True, slots=True)
class Repeated:
    """The outcome of one finding."""

    finding: Finding
    verdict: str  # of the trace
    text: str  # the verdict of the checker on the last operation, or why the trace was not run
    script: str  # verdict of the script
    script_output: str  # the last line
