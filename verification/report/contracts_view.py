"""What became of the contracts, as a table for a person and as JSON for machines."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from radixcheck.verification.contracts.contract import Arguments
from radixcheck.verification.contracts.contract_results import EXHAUSTED, REFUTED, UNKNOWN, Decided, status

COLOURS: dict[str, str] = {EXHAUSTED: "green", REFUTED: "bold red", UNKNOWN: "yellow"}


def contracts(decided: Sequence[Decided], seconds: float) -> list[Any]:
    """One row for each contract, what went wrong, and one last line that says it all."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("function", "where it is used", "bounds", "verdict", "paths", "seconds", "twin"):
        table.add_column(column, justify="right" if column in ("paths", "seconds") else "left", overflow="fold")
    for each in decided:
        c, verdict = each.contract, Text(each.judged.verdict, COLOURS[each.judged.verdict])
        twin = Text("refuted") if each.twin.verdict == REFUTED else Text(f"passes: {each.twin.verdict}", "bold red")
        table.add_row(c.name, c.where, c.bound(), verdict, f"{each.paths:,}", f"{each.seconds:.1f}", twin)
    parts: list[Any] = [table, Text()]
    for each in decided:
        parts += [Text(line, "yellow") for line in _complaints(each)]
    held, refuted = sum(each.good for each in decided), sum(each.twin.verdict == REFUTED for each in decided)
    word, colour = {0: ("hold", "green"), 1: ("are refuted", "bold red")}.get(status(decided), ("are undecided", "yellow"))
    numbers = f"{held} of {len(decided)} EXHAUSTED within their bounds, {refuted} twins refuted, {seconds:.0f} s"
    return [*parts, Text.assemble("the contracts ", (word, colour), f": {numbers}")]


def _complaints(each: Decided) -> list[str]:
    name, judged = each.contract.name, each.judged
    out = []
    if judged.verdict == REFUTED and judged.arguments is not None:
        out.append(f"{name} REFUTED at {_shown(judged.arguments)}: {judged.note}. The contract: {each.contract.sentence}")
    elif judged.verdict != EXHAUSTED:
        out.append(f"{name} {judged.verdict}: {judged.note}")
    if each.twin.verdict != REFUTED:
        out.append(
            f"{name}: its twin is not refuted ({each.twin.note or each.twin.verdict}), so the contract shows nothing: {each.contract.fault}"
        )
    return out


def _shown(arguments: Arguments) -> str:
    return ", ".join(f"{name} = {value}" for name, value in arguments.items())


def to_json(decided: Sequence[Decided]) -> list[dict[str, Any]]:
    """Every contract with its sentence, bounds and verdict, and its twin with what refutes it."""
    return [
        {
            "function": each.contract.name,
            "where": each.contract.where,
            "contract": each.contract.sentence,
            "bounds": each.contract.bound(),
            "verdict": each.judged.verdict,
            "note": each.judged.note,
            "counterexample": each.judged.arguments,
            "paths": each.paths,
            "seconds": round(each.seconds, 1),
            "twin": {
                "fault": each.contract.fault,
                "verdict": each.twin.verdict,
                "note": each.twin.note,
                "counterexample": each.twin.arguments,
            },
        }
        for each in decided
    ]
