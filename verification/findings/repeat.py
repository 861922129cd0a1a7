"""Seeing a finding again: its trace on the subject, and its script on the package alone."""

import subprocess
import sys
from dataclasses import dataclass

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.findings.finding import Finding
from radixcheck.verification.search.run import replay
from radixcheck.verification.subjects.registry import ELSEWHERE, resolve

SCRIPT_SECONDS = 180
REPEATED, GONE, NOT_RUN, NO_TRACE = Verdict.REPEATED, Verdict.GONE, Verdict.NOT_RUN, Verdict.NO_TRACE
SHOWN, NOT_SHOWN = 1, 0  # exit status of a script


@dataclass(frozen=True, slots=True)
class Repeated:
    """What became of one finding."""

    finding: Finding
    verdict: str  # of the trace
    text: str  # what the checker said of the last operation, or why it was not run
    script: str  # verdict of the script
    said: str  # its last line


def repeat(finding: Finding, python: str | None) -> Repeated:
    """Run both under an interpreter that has the package; without one, under this."""
    verdict, text = _trace(finding, python)
    script, said = _script(finding, python or sys.executable)
    return Repeated(finding, verdict, text, script, said)


def _trace(finding: Finding, python: str | None) -> tuple[str, str]:
    if not finding.trace:
        return NO_TRACE, "the callers of the adapters do not make this mistake: its script shows it"
    name = finding.subject + (f"{ELSEWHERE}{python}" if python else "")
    try:
        found = replay(resolve(name), finding.config, finding.trace).found
    except UsageError as missing:
        return NOT_RUN, str(missing)
    broken = found.get(finding.broken)
    if broken is None:
        return GONE, f"broken is {', '.join(found) or 'nothing'}"
    return REPEATED, broken.violation.text


def _script(finding: Finding, python: str) -> tuple[str, str]:
    try:
        done = subprocess.run([python, str(finding.script)], capture_output=True, text=True, timeout=SCRIPT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return NOT_RUN, f"{type(error).__name__}: {error}"
    lines = (done.stdout if done.returncode in (SHOWN, NOT_SHOWN) and done.stdout else done.stderr).strip().splitlines()
    last = lines[-1] if lines else f"ended with status {done.returncode}"
    if not done.stdout.strip():  # it speaks before it judges: without a word it has judged nothing
        return NOT_RUN, last
    return {SHOWN: REPEATED, NOT_SHOWN: GONE}.get(done.returncode, NOT_RUN), last
