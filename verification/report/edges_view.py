"""Edges at the terminal: a compact table of how often a search took each."""

from typing import Any

from rich.text import Text

from radixcheck.verification.core.edges import EDGES, HOST_EDGES
from radixcheck.verification.report.style import Tone, table, toned
from radixcheck.verification.search.search_results import Report

COLUMNS = 3


def edges_grid(report: Report) -> Any:
    """Return a table of the edges that can be taken on the subject, each with how often it was taken."""
    rows = table(*("edge", "taken") * COLUMNS, numbers=("taken",))
    possible = [id_ for id_ in EDGES if id_ not in report.impossible_edges]
    possible += [id_ for id_ in HOST_EDGES if id_ in report.edges or id_ in report.missing_edges]
    for i in range(0, len(possible), COLUMNS):
        ids = possible[i : i + COLUMNS]
        rows.add_row(*(cell for id_ in ids for cell in (Text(id_), _count(report.edges.get(id_, 0)))))
    return rows


def _count(times: int) -> Text:
    return Text(f"{times:,}") if times else toned("never", Tone.UNDECIDED)
