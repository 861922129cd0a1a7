"""The results of `radixcheck mutants` at the terminal: the kill matrix, and the reliability of the state machine."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from radixcheck.verification.mutants.mutant_results import (
    KILLED,
    NOT_RUN,
    OPERATIONS_MAX,
    OTHER,
    SHARE,
    SURVIVED,
    UNDECIDED,
    VERDICTS,
    Cell,
    Judged,
    Reliability,
)
from radixcheck.verification.report.style import Tone, of_status, table, tone, toned, warning
from radixcheck.verification.report.wording import kill_counts, kills
from radixcheck.verification.review_6907.field_faults import FIELD_FAULTS, OUT_OF_SCOPE
from radixcheck.verification.runs.evidence_results import KillMatrix, Reliabilities

LAST = 12  # rows shown of a growing table
FEW = 4  # mutants that are shown with all details


def matrix(found: KillMatrix) -> list[Any]:
    """Return the table, what is wrong, and lines that count."""
    judged = found.judged
    parts: list[Any] = [_matrix(judged), Text()]
    parts += [part for each in judged if len(judged) <= FEW for part in _details(each)]
    parts += [toned(_not_as_it_must(each), tone(each.verdict)) for each in judged if each.verdict != KILLED]
    long = [each.name for each in judged if each.long]
    parts += [warning(f"no trace of {OPERATIONS_MAX} operations or fewer was found for {', '.join(long)}")] if long else []
    return [*parts, *_counts(found), _verdict(found)]


def _not_as_it_must(each: Judged) -> str:
    wanted = f" (must be killed by {each.wanted} in the detector {each.detector})" if each.detector else ""
    return f"{each.verdict} {each.name}: {each.sentence}{wanted}"


def kill_line(matrix: Mapping[str, Any]) -> Text:
    """Return the counts of a stored kill matrix, and the mutants that were not killed as they must be."""
    return of_status(kills(matrix), matrix["status"])


def growing_matrix(so_far: Sequence[Judged], total: int) -> Group:
    """Return the matrix as far as it is decided."""
    killed = sum(each.verdict == KILLED for each in so_far)
    line = f"{len(so_far)} of {total} mutants judged, {killed} killed by the property that must catch them"
    return Group(Text(line, "bold"), _matrix(so_far[-LAST:]))


def reliability(found: Reliabilities) -> list[Any]:
    """Return the table, the rarest first, and a line that counts."""
    rows = sorted(found.measured, key=lambda each: each.found)
    good, reliable = sum(each.often for each in rows), sum(each.reliable for each in rows)
    words = f"{good} of {len(rows)} mutants found by the state machine with at least {SHARE:.0%} of the seeds"
    words += f", {reliable - good} by others, {len(rows) - reliable} too rarely"
    bound = f"; {found.seeds} seeds, each {found.examples} examples of {found.steps} operations, {found.seconds:.0f} s"
    return [_seeds(rows), Text(), Text.assemble(of_status(words, found.status), bound)]


def growing_reliability(so_far: Sequence[Reliability], total: int) -> Group:
    """Return the table as far as it is measured."""
    return Group(Text(f"{len(so_far)} of {total} mutants measured", "bold"), _seeds(so_far[-LAST:]))


def _matrix(judged: Sequence[Judged]) -> Table:
    shown = table("mutant", "must be caught by", *(cell.detector for cell in judged[0].cells), "smallest trace")
    for each in judged:
        shown.add_row(toned(each.name, tone(each.verdict)), each.wanted, *map(_cell, each.cells), _trace(each))
    return shown


def _cell(cell: Cell) -> Text:
    """Return after how many operations and seconds the mutant was killed, or which other property was broken."""
    words = {
        KILLED: f"{cell.operations:,} {cell.seconds:.1f}s" if cell.operations else f"✓ {cell.seconds:.1f}s",
        OTHER: ", ".join(cell.properties[:1]),
        SURVIVED: "·",
        UNDECIDED: "cut off",
        NOT_RUN: "",
    }
    return toned(words[cell.verdict], tone(cell.verdict))


def _trace(each: Judged) -> str:
    if each.smallest is None:
        return ""
    trace = each.smallest.trace
    return "; ".join(map(str, trace)) if len(trace) <= OPERATIONS_MAX else f"{len(trace):,} operations"


def _details(each: Judged) -> list[Any]:
    """Return what a mutant does wrong, and the result of each detector."""
    sources = f"  ({', '.join(each.sources)})" if each.sources else ""
    reported = [FIELD_FAULTS[source] for source in each.sources if source in FIELD_FAULTS]
    lines = [f"{fault.id}: {fault.sentence} {fault.url}" for fault in reported]
    lines += [f"{cell.detector}: {cell.verdict}{_by(cell)}" + (f": {cell.text}" if cell.text else "") for cell in each.cells]
    if each.smallest is not None:
        lines.append(f"the smallest trace is under {each.smallest.config}: {each.smallest.violation.text}")
    head = Text.assemble((each.name, "bold"), f"{sources}  {each.sentence}")
    return [head, Padding(Text("\n".join(lines)), (0, 0, 1, 2))]


def _by(cell: Cell) -> str:
    return f" by {', '.join(cell.properties)}" if cell.properties else ""


def _counts(found: KillMatrix) -> list[Text]:
    """Return the verdicts of each detector, and how the faults of the field are covered."""
    lines = []
    for cells in zip(*(each.cells for each in found.judged), strict=True):
        verdicts = Counter(cell.verdict for cell in cells)
        lines.append(f"{cells[0].detector}: " + ", ".join(f"{verdicts[word]} {word}" for word in VERDICTS if verdicts[word]))
    if found.covered:
        scope = f"{len(found.covered)} have a mutant here, {len(OUT_OF_SCOPE)} are out of scope"
        lines.append(f"of {len(FIELD_FAULTS)} faults reported in the field {scope}")
    return [toned(line, Tone.DIM) for line in lines]


def _verdict(found: KillMatrix) -> Text:
    words = kill_counts([each.verdict for each in found.judged])
    return Text.assemble(of_status(words, found.status), f", {found.seconds:.0f} s")


def _seeds(measured: Sequence[Reliability]) -> Table:
    shown = table("mutant", "must be caught by", "found", "operations", "note", numbers=("found", "operations"))
    for each in measured:
        seeds = f"{each.found} of {len(each.operations)}"
        found = toned(seeds, Tone.GOOD if each.often else Tone.UNDECIDED if each.reliable else Tone.BAD)
        shown.add_row(each.name, each.wanted, found, "" if each.median is None else f"{each.median:,.0f}", each.directed)
    return shown
