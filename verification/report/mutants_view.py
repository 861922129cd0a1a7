"""Who kills which mutant, as tables that grow, and as JSON for machines."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from radixcheck.verification.core.status import Status
from radixcheck.verification.mutants import MUTANTS
from radixcheck.verification.mutants.detectors import DETECTORS, EXAMPLES, STEPS
from radixcheck.verification.mutants.kill_matrix import (
    KILLED,
    NOT_RUN,
    OPERATIONS_MAX,
    OTHER,
    SHARE,
    SURVIVED,
    Cell,
    Judged,
    Reliability,
    judge_all,
    measure_all,
    mutant,
)
from radixcheck.verification.review_6907.field_faults import FIELD_FAULTS, OUT_OF_SCOPE

COLOURS = {KILLED: "green", OTHER: "bold yellow", SURVIVED: "bold red", NOT_RUN: "dim"}
LAST = 12  # rows shown of a table that grows
FEW = 4  # mutants of which everything is shown

Show = Callable[[Group], None]


@dataclass(frozen=True, slots=True)
class Matrix:
    """What became of some mutants, or of all."""

    judged: tuple[Judged, ...]
    seconds: float

    @property
    def status(self) -> Status:
        """HOLDS if each was killed by the property that must catch it."""
        return Status.HOLDS if all(each.verdict == KILLED for each in self.judged) else Status.REFUTED

    def parts(self) -> list[Any]:
        """The table, what is wrong, and last lines that count."""
        parts: list[Any] = [_table_of(self.judged), Text()]
        parts += [line for each in self.judged if len(self.judged) <= FEW for line in _in_full(each)]
        parts += [Text(f"{each.verdict} {each.name}: {each.sentence}", "bold red") for each in self.judged if each.verdict != KILLED]
        long = [each.name for each in self.judged if each.long]
        parts += [Text(f"no trace of {OPERATIONS_MAX} operations or fewer was found for {', '.join(long)}", "yellow")] if long else []
        return [*parts, *_counts(self.judged), _verdict(self)]

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        covered = {source for each in self.judged for source in each.sources}
        return {
            "status": self.status,
            "seconds": round(self.seconds, 1),
            "mutants": [_judged_json(each) for each in self.judged],
            "field": {"covered": sorted(covered), "out_of_scope": OUT_OF_SCOPE},
        }


@dataclass(frozen=True, slots=True)
class Reliabilities:
    """How reliably the state machine found some mutants, or all."""

    measured: tuple[Reliability, ...]
    seeds: int
    seconds: float

    @property
    def status(self) -> Status:
        """HOLDS if each was found with enough seeds, or the catalogue names what finds it."""
        return Status.HOLDS if all(each.reliable for each in self.measured) else Status.REFUTED

    def parts(self) -> list[Any]:
        """The table, the rarest first, and a line that counts."""
        rows = sorted(self.measured, key=lambda each: each.found)
        good = sum(each.found >= SHARE * self.seeds for each in rows)
        directed = sum(each.found < SHARE * self.seeds and each.reliable for each in rows)
        bad = len(rows) - good - directed
        bound = f"{self.seeds} seeds, each {EXAMPLES} examples of {STEPS} operations, {self.seconds:.0f} s"
        words = f"{good} of {len(rows)} mutants found by the state machine with at least {SHARE:.0%} of the seeds, {directed} by others"
        last = (f"{words}, {bad} too rarely", "bold red" if bad else "green")
        return [_seeds_table(rows, self.seeds), Text(), Text.assemble(last, f"; {bound}")]

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        rows = [asdict(each) | {"found": each.found, "reliable": each.reliable} for each in self.measured]
        return {"status": self.status, "seeds": self.seeds, "examples": EXAMPLES, "steps": STEPS, "mutants": rows}


def matrix(names: Sequence[str], seed: int, seconds: float, show: Show) -> Matrix:
    """Judge the named mutants; all, if none is named. Raises `UsageError`."""
    names, start = _known(names), perf_counter()
    so_far: list[Judged] = []

    def told(judged: Judged) -> None:
        so_far.append(judged)
        killed = sum(each.verdict == KILLED for each in so_far)
        line = f"{len(so_far)} of {len(names)} mutants judged, {killed} killed by the property that must catch them"
        show(Group(Text(line, "bold"), _table_of(so_far[-LAST:])))

    return Matrix(judge_all(names, seed, seconds, told), perf_counter() - start)


def reliability(names: Sequence[str], seeds: int, show: Show) -> Reliabilities:
    """Measure the named mutants; all, if none is named. Raises `UsageError`."""
    names, start = _known(names), perf_counter()
    so_far: list[Reliability] = []

    def told(measured: Reliability) -> None:
        so_far.append(measured)
        show(Group(Text(f"{len(so_far)} of {len(names)} mutants measured", "bold"), _seeds_table(so_far[-LAST:], seeds)))

    return Reliabilities(measure_all(names, seeds, told), seeds, perf_counter() - start)


def _known(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        mutant(name)
    return tuple(dict.fromkeys(names)) or tuple(MUTANTS)


def _table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column in right else "left")
    return table


def _table_of(judged: Sequence[Judged]) -> Table:
    table = _table("mutant", "must be caught by", *DETECTORS, "smallest trace")
    for each in judged:
        table.add_row(Text(each.name, COLOURS[each.verdict]), each.wanted, *map(_cell, each.cells), _trace(each))
    return table


def _cell(cell: Cell) -> Text:
    """After how many operations and seconds it was killed; by what else; or not."""
    if cell.verdict == KILLED:
        return Text(f"{cell.operations:,} {cell.seconds:.1f}s" if cell.operations else f"✓ {cell.seconds:.1f}s", "green")
    return Text({OTHER: ", ".join(cell.properties[:1]), SURVIVED: "·", NOT_RUN: ""}[cell.verdict], COLOURS[cell.verdict])


def _trace(each: Judged) -> str:
    if each.smallest is None:
        return ""
    trace = each.smallest.trace
    return "; ".join(map(str, trace)) if len(trace) <= OPERATIONS_MAX else f"{len(trace):,} operations"


def _in_full(each: Judged) -> list[Any]:
    """What a mutant does wrong, and what each detector says of it."""
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


def _counts(judged: Sequence[Judged]) -> list[Text]:
    """What each detector did, and how the faults of the field are covered."""
    lines = []
    for i, name in enumerate(DETECTORS):
        verdicts = Counter(each.cells[i].verdict for each in judged)
        lines.append(Text(f"{name}: " + ", ".join(f"{verdicts[word]} {word}" for word in COLOURS if verdicts[word]), "dim"))
    covered = {source for each in judged for source in each.sources}
    if covered:
        scope = f"{len(covered)} have a mutant here, {len(OUT_OF_SCOPE)} are out of scope"
        lines.append(Text(f"of {len(FIELD_FAULTS)} faults reported in the field {scope}", "dim"))
    return lines


def _verdict(found: Matrix) -> Text:
    verdicts = Counter(each.verdict for each in found.judged)
    words = f"{verdicts[KILLED]} of {len(found.judged)} mutants killed by the property that must catch them"
    rest = "".join(f", {verdicts[word]} {word}" for word in (OTHER, SURVIVED, NOT_RUN) if verdicts[word])
    return Text.assemble((words + rest, "bold red" if found.status else "green"), f", {found.seconds:.0f} s")


def _judged_json(each: Judged) -> dict[str, Any]:
    out: dict[str, Any] = {"mutant": each.name, "property": each.wanted, "verdict": each.verdict, "field": each.sources}
    out["detectors"] = {cell.detector: {k: v for k, v in asdict(cell).items() if k != "detector"} for cell in each.cells}
    if each.smallest is not None:
        found = each.smallest
        out["smallest"] = {"config": found.config.to_json(), "text": found.violation.text, "trace": [op.to_json() for op in found.trace]}
    return out


def _seeds_table(measured: Sequence[Reliability], seeds: int) -> Table:
    table = _table("mutant", "must be caught by", "found", "operations", "note", right=("found", "operations"))
    for each in measured:
        colour = "green" if each.found >= SHARE * seeds else "yellow" if each.reliable else "bold red"
        operations = "" if each.median is None else f"{each.median:,.0f}"
        table.add_row(each.name, each.wanted, Text(f"{each.found} of {seeds}", colour), operations, each.directed)
    return table
