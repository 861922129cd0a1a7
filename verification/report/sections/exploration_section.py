"""Exploration: every state within bounds."""

from collections.abc import Iterator
from typing import Any

from radixcheck.verification.report.blocks import Badge, Block, Command, Items, Paragraph, Section, Table, Words
from radixcheck.verification.runs.report_data import Gathered

COLUMNS = ("cache", "scope", "policy", "page", "states", "transitions", "depth", "s", "verdict")


def section(found: Gathered) -> Section:
    """One row for each exploration."""
    explored = {
        source.partition(" ")[2]: found.stored(source)["explorations"] for source in found.results.stored if source.startswith("explore ")
    }
    rows = [_row(name, e) for name, explorations in explored.items() for e in explorations]
    bounds = dict.fromkeys(f"{e['scope']}: {e['bound']}" for explorations in explored.values() for e in explorations)
    intro = (
        "Every sequence of operations within the bounds was taken, up to names of tokens, slots and holders, until none led to a new "
        "state; every property that speaks of one state or one operation was checked at each. A trace found so is as short as any."
    )
    blocks: list[Block] = [Paragraph(intro), Table(COLUMNS, rows, numbers=("page", "states", "transitions", "depth", "s"))]
    return Section("exploration", "Exploration", [*blocks, Items(list(bounds)), *_commands(explored)])


def _row(name: str, e: dict[str, Any]) -> tuple[Words, ...]:
    counted = (f"{e['states']:,}", f"{e['transitions']:,}", str(e["depth"]), f"{e['seconds']:.0f}")
    return (f"`{name}`", e["scope"], e["policy"], str(e["page_size"]), *counted, Badge(e["verdict"]))


def _commands(explored: dict[str, Any]) -> Iterator[Command]:
    for name, explorations in explored.items():
        sizes = " ".join(f"--page-size {size}" for size in dict.fromkeys(e["page_size"] for e in explorations))
        yield Command(f"radixcheck explore {name} {sizes}")
