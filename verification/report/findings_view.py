"""Findings as a table, with the words of each below it, and as JSON for machines."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from radixcheck.verification.core.status import Status
from radixcheck.verification.findings.finding import Comparison, Search
from radixcheck.verification.findings.finding_results import GONE, NO_TRACE, NOT_RUN, REPEATED, Repeated

COLOURS: dict[str, str] = {REPEATED: "green", GONE: "bold red", NOT_RUN: "yellow", NO_TRACE: "dim"}


def status(repeated: Sequence[Repeated]) -> Status:
    """Return REFUTED if a finding was not reproduced, UNDECIDED if one could not be run."""
    seen = {verdict for each in repeated for verdict in (each.verdict, each.script)}
    return Status.REFUTED if GONE in seen else Status.UNDECIDED if NOT_RUN in seen else Status.HOLDS


def findings(repeated: Sequence[Repeated], comparisons: Sequence[Comparison], searches: Sequence[Search]) -> list[Any]:
    """One row for each, then its words."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("subject", "version", "finding", "property", "operations", "class", "trace", "script"):
        table.add_column(column, justify="right" if column == "operations" else "left", overflow="fold")
    for each in repeated:
        f = each.finding
        verdicts = (Text(verdict, COLOURS[verdict]) for verdict in (each.verdict, each.script))
        table.add_row(f.subject, ", ".join(f.versions), f.id, f.broken, str(len(f.trace)), f.kind, *verdicts)
    parts: list[Any] = [table, Text()]
    for each in repeated:
        parts += _words(each)
    for c in comparisons:
        parts += [Text(f"{c.left} and {c.right} ({', '.join(c.versions)}): {c.result}"), Padding(Text(c.command), (0, 0, 1, 2))]
    for s in searches:
        parts += [Text(searched(s.subject, s.versions, s.operations, s.runs, s.result)), Padding(Text(s.command), (0, 0, 1, 2))]
    count = sum(each.verdict in (REPEATED, NO_TRACE) and each.script == REPEATED for each in repeated)
    return [*parts, Text(f"{count} of {len(repeated)} findings seen again, by their traces and by their scripts")]


def searched(subject: str, versions: Sequence[str], operations: int, runs: int, result: str) -> str:
    """A long search in one sentence."""
    return f"{subject} ({', '.join(versions)}), {operations:,} operations in {runs:,} runs: {result}"


def _words(each: Repeated) -> list[Any]:
    f = each.finding
    trace = "; ".join(map(str, f.trace))
    lines = [f.sentence, f"so that: {f.consequence}", *([f"{trace}   under {f.config}"] if trace else [])]
    lines += [f"the duty: {f.duty}"] if f.duty else []
    lines += [f"public report: {f.report}", f"the checker: {each.text}", f"{f.script.name}: {each.script_output}"]
    return [Text(f"{f.subject} {f.id}", "bold"), *(Padding(Text(line), (0, 0, 0, 2)) for line in lines), Text()]


def to_json(repeated: Sequence[Repeated], comparisons: Sequence[Comparison], searches: Sequence[Search]) -> dict[str, Any]:
    """Everything, for machines."""
    rows = [
        {
            "id": each.finding.id,
            "subject": each.finding.subject,
            "versions": list(each.finding.versions),
            "property": each.finding.broken,
            "trace": [op.to_json() for op in each.finding.trace],
            "class": each.finding.kind,
            "sentence": each.finding.sentence,
            "consequence": each.finding.consequence,
            "duty": each.finding.duty,
            "report": each.finding.report,
            "verdict": each.verdict,
            "text": each.text,
            "script": each.script,
            "said": each.script_output,
        }
        for each in repeated
    ]
    compared = [{"left": c.left, "right": c.right, "command": c.command, "result": c.result} for c in comparisons]
    return {
        "status": status(repeated),
        "findings": rows,
        "comparisons": compared,
        "searches": [asdict(s) | {"command": s.command} for s in searches],
    }
