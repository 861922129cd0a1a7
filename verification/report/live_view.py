"""The result of `radixcheck live` at the terminal."""

from typing import Any

from rich.text import Text

from radixcheck.verification.core.status import Status
from radixcheck.verification.live.live_results import LiveOutcome
from radixcheck.verification.report.style import WORDS, of_status, styled, table


def live(outcome: LiveOutcome) -> list[Any]:
    """Return a row for each run, a row for each check, and a line that counts."""
    runs = table("backend", "page", "requests", "cached tokens", "start, s", "serving, s", numbers=("page", "requests", "cached tokens"))
    for run in outcome.runs:
        times = (f"{run.start_seconds:.1f}", f"{run.seconds:.1f}" + (", ended early" if run.lost else ""))
        runs.add_row(run.backend, str(run.page_size), f"{len(run.answers):,}", f"{run.cached:,}", *times)
    shown = table("backend", "page", "check", "verdict", "what was seen", numbers=("page",))
    for check in outcome.checks:
        shown.add_row(check.backend, str(check.page_size), check.check, styled(check.verdict), check.text)
    good = sum(check.status == Status.HOLDS for check in outcome.checks)
    line = f"{outcome.engine}, {outcome.model}: {good} of {len(outcome.checks)} checks hold; the whole {WORDS[outcome.status]}"
    return [runs, Text(), shown, Text(), of_status(line, outcome.status)]
