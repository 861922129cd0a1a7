"""Edges at the terminal: a compact table of how often a search took each."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from radixcheck.verification.core.edges import EDGES, HOST_EDGES
from radixcheck.verification.report.layout import Spread
from radixcheck.verification.report.style import Tone, table, toned
from radixcheck.verification.search.search_results import Report

COLUMNS = 3  # edges in one row, at most


def edges_grid(report: Report) -> Any:
    """Return a table of the edges that can be taken on the subject, each with how often it was taken."""
    possible = [id_ for id_ in EDGES if id_ not in report.impossible_edges]
    possible += [id_ for id_ in HOST_EDGES if id_ in report.edges or id_ in report.missing_edges]
    taken = [(id_, report.edges.get(id_, 0)) for id_ in possible]
    return Spread(lambda columns: _rows(taken, columns), COLUMNS)


def _rows(taken: Sequence[tuple[str, int]], columns: int) -> Table:
    """Return a table with so many edges in a row."""
    made = table(*("edge", "taken") * columns, numbers=("taken",))
    for i in range(0, len(taken), columns):
        made.add_row(*(cell for id_, times in taken[i : i + columns] for cell in (Text(id_), _count(times))))
    return made


def _count(times: int) -> Text:
    return Text(f"{times:,}") if times else toned("never", Tone.UNDECIDED)
