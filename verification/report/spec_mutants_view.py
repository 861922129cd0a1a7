"""What became of the mutants of the specification, as tables for a person and as JSON for machines."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from radixcheck.verification.core.status import Status
from radixcheck.verification.proofs.proof_results import CAUGHT, EQUIVALENT, SURVIVED, Judged

VERDICTS = (CAUGHT, EQUIVALENT, SURVIVED)


def mutate(judged: Sequence[Judged], seconds: float) -> list[Any]:
    """Which changes leave the same steps, and why; how many were caught, by machine and by formula; and what survived."""
    same = _table("equivalent mutant", "because it is proved that")
    for each in judged:
        if each.verdict == EQUIVALENT:
            same.add_row(f"{each.mutant.machine}: {each.mutant.name}", each.by)
    counts = _table("machine", "mutants", *VERDICTS)
    for machine in dict.fromkeys(each.mutant.machine for each in judged):
        verdicts = Counter(each.verdict for each in judged if each.mutant.machine == machine)
        counts.add_row(machine, str(verdicts.total()), *(str(verdicts[verdict]) for verdict in VERDICTS))
    by = Counter(each.by.partition(" ")[0].rpartition("/")[2] for each in judged if each.verdict == CAUGHT)
    parts: list[Any] = [same, Text(), counts, Text()]
    parts.append(Text("caught by " + ", ".join(f"{formula} {count}" for formula, count in by.most_common()), "dim"))
    parts += [Text(f"SURVIVED {each.mutant.machine}: {each.mutant.name}", "bold red") for each in judged if each.verdict == SURVIVED]
    total = Counter(each.verdict for each in judged)
    words = ", ".join(f"{total[verdict]} {verdict}" for verdict in VERDICTS)
    last = (f"{len(judged)} mutants of the specification: {words}", "bold red" if total[SURVIVED] else "green")
    return [*parts, Text.assemble(last, f", {seconds:.0f} s")]


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def status(judged: Sequence[Judged]) -> Status:
    """Return UNDECIDED if a mutant survived: a proof that it is equivalent may exist."""
    return Status.UNDECIDED if any(each.verdict == SURVIVED for each in judged) else Status.HOLDS


def to_json(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """Every mutant, with its verdict and what it rests on."""
    return [{"machine": j.mutant.machine, "mutant": j.mutant.name, "verdict": j.verdict, "by": j.by, "seconds": j.seconds} for j in judged]
