"""The section of the kill matrix: each mutant, and which detectors find it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.mutants.mutant_results import OPERATIONS_MAX
from radixcheck.verification.operations import Op
from radixcheck.verification.report.blocks import Badge, Block, Command, Paragraph, Part, Section, Table, Words, link
from radixcheck.verification.runs.report_data import ReportData

FOUND = {Verdict.KILLED: "✓", Verdict.ANOTHER_PROPERTY: "other", Verdict.SURVIVED: "·", Verdict.NOT_RUN: ""}


def section(data: ReportData) -> Section:
    """Return the section: a row for each mutant."""
    mutants = data.stored("mutants")["mutants"]
    killed = sum(each["verdict"] == Verdict.KILLED for each in mutants)
    field = data.stored("mutants")["field"]
    intro = (
        f"{killed} of {len(mutants)} deliberately wrong caches are killed by the property that must catch them. Of the faults reported in "
        f"the field {len(field['covered'])} have a mutant here, {len(field['out_of_scope'])} are out of scope. ✓: killed by that property; "
        "other: by another one; ·: survived this detector; empty: not run here (`radixcheck mutants` runs every detector)."
    )
    blocks: list[Block] = [Paragraph(intro), *_survivors(mutants), Command("radixcheck mutants")]
    table = Part("mutants", f"All {len(mutants)} mutants", [_table(mutants), _counts(mutants)], folded=True)
    return Section("kills", "Kill matrix", [*blocks, table])


def _survivors(mutants: list[Mapping[str, Any]]) -> list[Block]:
    return [Paragraph((Badge(each["verdict"]), f" `{each['mutant']}`.")) for each in mutants if each["verdict"] != Verdict.KILLED]


def _table(mutants: list[Mapping[str, Any]]) -> Table:
    names = list(mutants[0]["detectors"])
    rows: list[tuple[Words, ...]] = []
    for each in mutants:
        cells = [FOUND[each["detectors"][name]["verdict"]] for name in names]
        rows.append((f"`{each['mutant']}`", link("property", each["property"]), *cells, _trace(each)))
    return Table(("mutant", "must be caught by", *names, "smallest trace"), rows)


def _trace(each: Mapping[str, Any]) -> str:
    if "smallest" not in each:
        return ""
    trace = each["smallest"]["trace"]
    return "; ".join(str(Op.from_json(op)) for op in trace) if len(trace) <= OPERATIONS_MAX else f"{len(trace):,} operations"


def _counts(mutants: list[Mapping[str, Any]]) -> Table:
    rows = []
    for name in mutants[0]["detectors"]:
        counted = Counter(each["detectors"][name]["verdict"] for each in mutants)
        rows.append((name, *(str(counted[word]) for word in FOUND)))
    return Table(("detector", *(word.lower() for word in FOUND)), rows, numbers=[word.lower() for word in FOUND])
