"""The result of `radixcheck findings` at the terminal."""

from collections.abc import Sequence
from typing import Any

from rich.padding import Padding
from rich.text import Text

from radixcheck.verification.findings.finding_results import NO_TRACE, REPEATED, Repeated
from radixcheck.verification.report.style import styled, table
from radixcheck.verification.runs.evidence_results import FindingsOutcome


def findings(outcome: FindingsOutcome) -> list[Any]:
    """Return a row for each finding, its details, the comparisons and searches, and a line that counts."""
    shown = table("subject", "version", "finding", "property", "operations", "class", "trace", "script", numbers=("operations",))
    for each in outcome.repeated:
        f = each.finding
        verdicts = (styled(each.verdict), styled(each.script))
        shown.add_row(f.subject, ", ".join(f.versions), f.id, f.broken, str(len(f.trace)), f.kind, *verdicts)
    parts: list[Any] = [shown, Text(), *(part for each in outcome.repeated for part in _details(each))]
    for c in outcome.comparisons:
        parts += _record(f"{c.left} and {c.right} ({', '.join(c.versions)}): {c.result}", c.command)
    for s in outcome.searches:
        parts += _record(search_text(s.subject, s.versions, s.operations, s.runs, s.result), s.command)
    count = sum(each.verdict in (REPEATED, NO_TRACE) and each.script == REPEATED for each in outcome.repeated)
    return [*parts, Text(f"{count} of {len(outcome.repeated)} findings seen again, by their traces and by their scripts")]


def search_text(subject: str, versions: Sequence[str], operations: int, runs: int, result: str) -> str:
    """Return the result of a long search in one sentence."""
    return f"{subject} ({', '.join(versions)}), {operations:,} operations in {runs:,} runs: {result}"


def _record(text: str, command: str) -> list[Any]:
    return [Text(text), Padding(Text(command), (0, 0, 1, 2))]


def _details(each: Repeated) -> list[Any]:
    f = each.finding
    trace = "; ".join(map(str, f.trace))
    lines = [f.sentence, f"so that: {f.consequence}", *([f"{trace}   under {f.config}"] if trace else [])]
    lines += [f"the duty: {f.duty}"] if f.duty else []
    lines += [f"public report: {f.report}", f"the checker: {each.text}", f"{f.script.name}: {each.script_output}"]
    return [Text(f"{f.subject} {f.id}", "bold"), *(Padding(Text(line), (0, 0, 0, 2)) for line in lines), Text()]
