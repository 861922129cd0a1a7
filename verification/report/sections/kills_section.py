"""The section of the kill matrix: each mutant, and which detectors find it."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report.blocks import Badge, Block, Command, Paragraph, Part, Section, Table, Words, link, mark
from radixcheck.verification.report.wording import kill_counts, kill_text, not_killed
from radixcheck.verification.runs.report_data import ReportData
from radixcheck.verification.runs.stored_results import Stored

FOUND = {Verdict.KILLED: "✓", Verdict.ANOTHER_PROPERTY: "other", Verdict.SURVIVED: "·", Verdict.UNDECIDED: "cut off", Verdict.NOT_RUN: ""}


def section(data: ReportData) -> Section:
    """Return the section: a row for each mutant."""
    matrix = data.kill_matrix
    mutants, field = matrix["mutants"], matrix["field"]
    intro = (
        f"Mutants are deliberately wrong caches: {kill_counts([each['verdict'] for each in mutants])}. Of the faults reported in the field "
        f"{len(field['covered'])} have a mutant here, {len(field['out_of_scope'])} are out of scope. ✓: killed by that property; other: by "
        "another one; ·: survived this detector; cut off: undecided, because the time was over; empty: not run. A report runs on each "
        "mutant the detector that must find it; `radixcheck mutants` runs every detector, and prints the smallest trace of each mutant."
    )
    blocks: list[Block] = [Paragraph(intro), *_others(matrix), Command("radixcheck mutants")]
    table = Part("mutants", f"All {len(mutants)} mutants", [_table(mutants), _counts(mutants)], folded=True, label="all mutants")
    return Section("kills", "Kill matrix", [*blocks, table])


def _others(matrix: Stored) -> list[Block]:
    return [
        Paragraph((Badge(each["verdict"]), f" `{each['mutant']}`: {kill_text(each).partition(': ')[2]}.")) for each in not_killed(matrix)
    ]


def _table(mutants: list[Mapping[str, Any]]) -> Table:
    names = _detectors(mutants)
    rows: list[tuple[Words, ...]] = []
    for each in mutants:
        cells = [FOUND[_verdict(each, name)] for name in names]
        reported = ", ".join(each["field"])
        rows.append((mark("mutant", each["mutant"]), link("property", each["property"]), *cells, reported))
    return Table(("mutant", "must be caught by", *names, "reported as"), rows, matrix=True)


def _counts(mutants: list[Mapping[str, Any]]) -> Table:
    rows = []
    for name in _detectors(mutants):
        counted = Counter(_verdict(each, name) for each in mutants)
        rows.append((name, *(str(counted[word]) for word in FOUND)))
    return Table(("detector", *(word.lower() for word in FOUND)), rows, numbers=[word.lower() for word in FOUND])


def _detectors(mutants: list[Mapping[str, Any]]) -> list[str]:
    """Return the detectors that were run on any of them."""
    return list(dict.fromkeys(name for each in mutants for name in each["detectors"]))


def _verdict(mutant: Mapping[str, Any], detector: str) -> Verdict:
    return Verdict(mutant["detectors"][detector]["verdict"]) if detector in mutant["detectors"] else Verdict.NOT_RUN
