"""Judges a call outside its guard: it must raise a typed error and change nothing."""

from radixcheck.verification.checker.checked_run import CheckedRun
from radixcheck.verification.checker.engine import SubjectFailed
from radixcheck.verification.checker.misuse import misuse
from radixcheck.verification.core.found import Violation


def judge_misuse(run: CheckedRun, name: str) -> list[Violation]:
    """Make one misuse, if it is possible in the present state, and judge it."""
    run.before = run.seen
    answer = misuse(run.engine, run.oracle, name)
    run.tally.count("MISUSE", answer is not None)
    if answer is None:
        return []
    if not answer.refused:
        found = f"it raised {answer.error_text}" if answer.error else "the call was accepted"
        return [Violation("MISUSE", f"{name}: expected a typed error, {found}")]
    changes = [finding.text for finding in run.engine.pool.findings]
    if run.transparent:
        changes += _changes(run)
    return [Violation("MISUSE", f"{name}: refused, but {changes[0]}")] if changes else []


def _changes(run: CheckedRun) -> list[str]:
    try:
        findings = [violation.text for violation in run.observe()]
    except SubjectFailed as failed:
        findings = [str(failed)]
    return findings + [f"{name} changed" for name in run.differing(run.tainted)]
