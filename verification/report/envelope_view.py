"""The envelope at the terminal: how far the world of a search went, in one compact table."""

from collections.abc import Sequence
from math import ceil
from typing import Any

from rich.table import Table
from rich.text import Text

from radixcheck.verification.core.envelope import Envelope
from radixcheck.verification.report.layout import Spread
from radixcheck.verification.search.search_results import Report

COLUMNS = 3  # pairs of a value and its quantity in one row, at most
LARGE = 2**31  # from here on a value next to a power of two is written as such


def envelope(reached: Envelope) -> list[Any]:
    """Return a table with the largest value of each quantity, to be read column by column."""
    pairs = [(number(value), words) for words, value in reached.in_words()]
    return [Text("How far it went (the largest value in one run):"), Spread(lambda columns: _pairs(pairs, columns), COLUMNS), Text()]


def _pairs(pairs: Sequence[tuple[str, str]], columns: int) -> Table:
    """Return a table of so many columns of pairs."""
    rows = ceil(len(pairs) / columns)
    shown = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for _ in range(columns):
        shown.add_column(justify="right")
        shown.add_column()
    for i in range(rows):
        shown.add_row(*(part for pair in pairs[i::rows] for part in pair))
    return shown


def reaches(report: Report) -> list[Any]:
    """Return how many dimensions of the stretch phase were taken to their end, and why the others were not."""
    if not report.reaches:
        why = "left out" if not report.bounds.stretch else "not begun"
        return [Text(f"Stretch phase: {why}"), Text()]
    short: dict[str, list[str]] = {}
    for name, reach in report.reaches.items():
        if reach.reason or reach.refuted:
            short.setdefault(reach.sentence, []).append(name)
    done = len(report.reaches) - sum(map(len, short.values()))
    lines = [Text(f"Stretch phase: {done} of {len(report.reaches)} dimensions were taken past their thresholds")]
    return [*lines, *(Text(f"  {'; '.join(names)}: {why}") for why, names in short.items()), Text()]


def number(value: int) -> str:
    """Return a number for a reader.

    >>> number(65_537), number(2**53 + 1), number(2**32), number(2**63 - 1)
    ('65,537', '2^53 + 1', '2^32', '2^63 - 1')
    """
    for offset, words in ((-1, " - 1"), (0, ""), (1, " + 1")):
        power = value - offset
        if power >= LARGE and not power & (power - 1):
            return f"2^{power.bit_length() - 1}{words}"
    return f"{value:,}"
