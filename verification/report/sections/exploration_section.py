"""The section of the exploration: every state within bounds."""

from collections.abc import Iterable, Iterator, Mapping

from radixcheck.verification.report.blocks import Badge, Block, Command, Items, Paragraph, Section, Table, Words
from radixcheck.verification.runs.report_data import ReportData
from radixcheck.verification.runs.stored_results import Stored

COLUMNS = ("cache", "scope", "policy", "page", "states", "transitions", "depth", "s", "verdict")


def section(data: ReportData) -> Section:
    """Return the section: a row for each exploration."""
    explored = data.explored
    rows = [_row(name, e) for name, explorations in explored.items() for e in explorations]
    bounds = dict.fromkeys(f"{e['scope']}: {e['bound']}" for explorations in explored.values() for e in explorations)
    intro = (
        "Where the verdict is EXHAUSTED, every sequence of operations within the bounds was taken, up to renaming of tokens, slots and "
        "holders, until none led to a new state. Every property of one state or one operation was checked at each state that was reached. "
        "A trace that is found in this way is shortest."
    )
    blocks: list[Block] = [Paragraph(intro), Table(COLUMNS, rows, numbers=("page", "states", "transitions", "depth", "s"), matrix=True)]
    return Section("exploration", "Exploration", [*blocks, Items(list(bounds)), *_commands(explored)])


def _row(name: str, e: Stored) -> tuple[Words, ...]:
    counted = (f"{e['states']:,}", f"{e['transitions']:,}", str(e["depth"]), f"{e['seconds']:.0f}")
    return (f"`{name}`", e["scope"], e["policy"], str(e["page_size"]), *counted, Badge(e["verdict"]))


def _commands(explored: Mapping[str, Iterable[Stored]]) -> Iterator[Command]:
    for name, explorations in explored.items():
        sizes = " ".join(f"--page-size {size}" for size in dict.fromkeys(e["page_size"] for e in explorations))
        yield Command(f"radixcheck explore {name} {sizes}")
