"""Repeats a finding: its trace on the subject, and its script on the package without this project."""

import subprocess
import sys

from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.findings.finding import Finding
from radixcheck.verification.findings.finding_results import GONE, NO_TRACE, NOT_RUN, REPEATED, Repeated
from radixcheck.verification.search.run import replay
from radixcheck.verification.subjects.registry import ELSEWHERE, resolve

SCRIPT_SECONDS = 180
SHOWN, NOT_SHOWN = 1, 0  # exit status of a script


def repeat(finding: Finding, python: str | None) -> Repeated:
    """Run the trace and the script of a finding with an interpreter that has the package, or with this one."""
    verdict, text = _trace(finding, python)
    return Repeated(finding, verdict, text, *_script(finding, python or sys.executable))


def _trace(finding: Finding, python: str | None) -> tuple[str, str]:
    if not finding.trace:
        return NO_TRACE, "no trace shows it: the adapters do not call the cache in this way, or declare it as a choice; the script does"
    name = finding.subject + (f"{ELSEWHERE}{python}" if python else "")
    try:
        found = replay(resolve(name), finding.config, finding.trace).found
    except UsageError as missing:
        return NOT_RUN, str(missing)
    broken = found.get(finding.broken)
    if broken is None:
        return GONE, f"broken: {', '.join(found) or 'nothing'}"
    return REPEATED, broken.violation.text


def _script(finding: Finding, python: str) -> tuple[str, str]:
    try:
        done = subprocess.run([python, str(finding.script)], capture_output=True, text=True, timeout=SCRIPT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return NOT_RUN, f"{type(error).__name__}: {error}"
    lines = (done.stdout if done.returncode in (SHOWN, NOT_SHOWN) and done.stdout else done.stderr).strip().splitlines()
    last = lines[-1] if lines else f"ended with status {done.returncode}"
    if not done.stdout.strip():  # a script prints its finding before it exits: without output it did not get that far
        return NOT_RUN, last
    return {SHOWN: REPEATED, NOT_SHOWN: GONE}.get(done.returncode, NOT_RUN), last
