"""The section of findings in released caches, and whether they were repeated."""

from collections.abc import Iterator, Mapping
from typing import Any

from radixcheck.verification.operations import Op
from radixcheck.verification.report.blocks import (
    Badge,
    Block,
    Command,
    Inline,
    Link,
    Paragraph,
    Part,
    Plain,
    Section,
    Table,
    WebLink,
    Words,
    anchor,
)
from radixcheck.verification.runs.report_data import ReportData


def section(data: ReportData) -> Section:
    """Return the section: a row for each finding, then its details."""
    rows = data.findings["findings"]
    shown: list[tuple[Words, ...]] = [
        (_named(f), tuple(_versions(f)), f"`{f['property']}`", f["class"], f["consequence"], Badge(f["verdict"])) for f in rows
    ]
    columns = ("cache", "version", "departs from", "class", "so that", "repeated")
    blocks: list[Block] = [
        Paragraph("Deviations of released caches, each with a trace and a short script that uses only the package."),
        Table(columns, shown),
        Command("radixcheck findings --python PATH"),
        Part("findings", "Each finding", [_finding(f) for f in rows], folded=True, label="each finding"),
    ]
    for c in data.findings["comparisons"]:
        blocks += [Paragraph(f"`{c['left']}` and `{c['right']}`: {c['result']}"), Command(c["command"])]
    return Section("field", "Findings in released caches", blocks)


def _named(f: Mapping[str, Any]) -> Link:
    return Link(anchor("finding", f["subject"], f["id"]), f["subject"])


def _versions(f: Mapping[str, Any]) -> Iterator[Inline]:
    """Yield the versions, each with its public source."""
    name = "vllm-project/vllm" if f["subject"].startswith("vllm") else "sgl-project/sglang"
    for i, version in enumerate(f["versions"]):
        yield ", " if i else ""
        yield WebLink(f"https://github.com/{name}/tree/v{version}", version)


def _finding(f: Mapping[str, Any]) -> Part:
    blocks: list[Block] = [Paragraph(f["sentence"])]
    if f["trace"]:
        blocks.append(Plain("\n".join(f"{i}  {Op.from_json(op)}" for i, op in enumerate(f["trace"], 1))))
    words = [f"The duty: {f['duty']}."] if f["duty"] else []
    blocks.append(Paragraph(" ".join([*words, f"Public report: {f['report']}."])))
    return Part(anchor("finding", f["subject"], f["id"]), f"{f['subject']}: {f['id']}", blocks, whole=True)
