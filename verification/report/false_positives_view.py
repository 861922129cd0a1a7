"""The result of `radixcheck mutants --clean` at the terminal: false positives on correct caches."""

from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.text import Text

from radixcheck.verification.mutants.mutant_results import Cleared
from radixcheck.verification.report.style import Tone, of_status, table, toned
from radixcheck.verification.runs.evidence_results import FalsePositives


def false_positives(outcome: FalsePositives) -> list[Any]:
    """Return the table, every false positive with its operations, and a line that counts."""
    shown = table("subject", "configuration", "runs", "operations", "false positives")
    for each in outcome.cleared:
        found = toned(", ".join(each.found) or "0", Tone.BAD if each.found else Tone.GOOD)
        shown.add_row(each.subject, str(each.place), f"{each.runs:,}", f"{each.operations:,}", found)
    lines = [
        toned(f"{each.subject}, {each.place}: {id_}: {found.violation.text}: {'; '.join(map(str, found.trace))}", Tone.BAD)
        for each in outcome.cleared
        for id_, found in each.found.items()
    ]
    lines += [
        Text(f"{each.subject}: not reached in the stretch phase: {', '.join(each.missed)}", "dim")
        for each in outcome.cleared
        if each.missed
    ]
    operations, count = _totals(outcome.cleared)
    words = of_status(f"{count} false positive{'s' * (count != 1)}", outcome.status)
    more = f" ({outcome.places + outcome.host_places} with a host tier)" if outcome.host_places else ""
    where = f"{outcome.seeds} seeds x {outcome.places} configurations of each cache{more}"
    bound = f"{operations:,} operations, {where}, {outcome.seconds:.0f} s"
    return [shown, Text(), *lines, Text.assemble(words, f", {bound}")]


def growing(so_far: Sequence[Cleared]) -> Group:
    """Return a line about the parts that are done."""
    operations, count = _totals(so_far)
    line = f"{operations:,} operations, {count} false positives; last: {so_far[-1].subject}, {so_far[-1].place}"
    return Group(Text(line, "bold"))


def _totals(cleared: Sequence[Cleared]) -> tuple[int, int]:
    """Return the numbers of operations and of false positives."""
    return sum(each.operations for each in cleared), sum(len(each.found) for each in cleared)
