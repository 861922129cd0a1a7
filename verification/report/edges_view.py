"""Edges at the terminal: a table of how often a search took each."""

from collections.abc import Mapping
from typing import Any

from rich.text import Text

from radixcheck.verification.core.edges import EDGES
from radixcheck.verification.report.style import Tone, table, toned


def edges_table(taken: Mapping[str, int], excluded: Mapping[str, str]) -> Any:
    """Return a table of all edges. `taken`: how often, by id; `excluded`: why an edge cannot be taken on the subject, by id."""
    rows = table("edge", "what a caller does", "taken", "", numbers=("taken",))
    for edge in EDGES.values():
        count, reason = taken.get(edge.id, 0), excluded.get(edge.id, "")
        note = toned(reason, Tone.DIM) if reason else Text() if count else toned("never taken", Tone.UNDECIDED)
        rows.add_row(edge.id, edge.sentence, Text("-") if reason else Text(f"{count:,}"), note)
    return rows
