"""The result of `radixcheck live --watch-cost` at the terminal."""

from typing import Any

from rich.text import Text

from radixcheck.verification.live.watch_cost_results import WatchCostOutcome
from radixcheck.verification.report.style import WORDS, of_status, table


def watch_cost(outcome: WatchCostOutcome) -> list[Any]:
    """Return a row for each cache, page size and budget, and one for each number of nodes."""
    columns = ("budget, us", "us a request", "added", "us a call", "least", "greatest", "left out a call", "window a call")
    costs = table("cache", "page", *columns, numbers=("page", *columns))
    for row in outcome.rows():
        budget = "no watch" if row["budget"] is None else f"{row['budget']:.0f}"
        micros = (f"{row[name]:.1f}" for name in ("us_per_request", "added", "us_per_call", "least", "greatest"))
        costs.add_row(row["cache"], str(row["page_size"]), budget, *micros, str(row["skipped_per_call"]), str(row["window_per_call"]))
    grown = table("cache", "nodes", "us a call", "of smallest", numbers=("nodes", "us a call", "of smallest"))
    for row in outcome.grown():
        grown.add_row(row["cache"], f"{row['nodes']:,}", f"{row['us_per_call']:.1f}", f"{row['of_smallest']:.2f}")
    line = f"{outcome.engine}, {outcome.about['requests']:,} requests: that no watch found anything {WORDS[outcome.status]}"
    return [costs, Text(), grown, Text(), of_status(line, outcome.status)]
