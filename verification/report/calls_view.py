"""The result of `radixcheck live --calls` at the terminal."""

from typing import Any

from rich.text import Text

from radixcheck.verification.live.calls_results import CallsOutcome
from radixcheck.verification.report.style import WORDS, of_status, styled, table


def calls(outcome: CallsOutcome) -> list[Any]:
    """Return a row for each cache and page size, and what was checked."""
    costs = table("page", "cache", "us a request", "least", "greatest", "of default", "cached tokens", numbers=("page", "us a request"))
    for row in outcome.rows():
        numbers = (f"{row['us_per_request']:.1f}", f"{row['least']:.1f}", f"{row['greatest']:.1f}", f"{row['of_default']:.2f}")
        costs.add_row(str(row["page_size"]), row["cache"], *numbers, f"{row['cached_tokens']:,}")
    checked = table("page", "cache", "check", "verdict", "what was seen", numbers=("page",))
    for check in outcome.checks:
        checked.add_row(str(check.page_size), check.backend, check.check, styled(check.verdict), check.text)
    line = f"{outcome.engine}, {outcome.about['requests']:,} requests: that the caches did the same {WORDS[outcome.status]}"
    return [costs, Text(), checked, Text(), of_status(line, outcome.status)]
