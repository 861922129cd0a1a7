"""The section of findings in released caches, and whether they were repeated."""

from collections.abc import Mapping
from typing import Any

from radixcheck.verification.operations import Op
from radixcheck.verification.report.blocks import Badge, Block, Command, Paragraph, Part, Plain, Section, Table, Words, anchor
from radixcheck.verification.runs.report_data import ReportData


def section(data: ReportData) -> Section:
    """Return the section: a row for each finding, then its details."""
    rows = data.findings["findings"]
    shown: list[tuple[Words, ...]] = [
        (f"`{f['subject']}`", ", ".join(f["versions"]), f"`{f['property']}`", f["class"], f["consequence"], Badge(f["verdict"]))
        for f in rows
    ]
    columns = ("cache", "version", "property", "class", "so that", "repeated")
    blocks: list[Block] = [
        Paragraph("Deviations of released caches, each with a trace and a short script that uses only the package."),
        Table(columns, shown),
        Command("radixcheck findings --python PATH"),
        Part("findings", "Each finding", [_finding(f) for f in rows], folded=True),
    ]
    for c in data.findings["comparisons"]:
        blocks += [Paragraph(f"`{c['left']}` and `{c['right']}`: {c['result']}"), Command(c["command"])]
    return Section("field", "Findings in released caches", blocks)


def _finding(f: Mapping[str, Any]) -> Part:
    blocks: list[Block] = [Paragraph(f["sentence"])]
    if f["trace"]:
        blocks.append(Plain("\n".join(f"{i}  {Op.from_json(op)}" for i, op in enumerate(f["trace"], 1))))
    words = [f"So that: {f['consequence']}."]
    words += [f"The duty: {f['duty']}."] if f["duty"] else []
    blocks.append(Paragraph(" ".join([*words, f"Public report: {f['report']}."])))
    return Part(anchor("finding", f["subject"], f["id"]), f"{f['subject']}: {f['id']}", blocks)
