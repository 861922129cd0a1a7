"""The result of `radixcheck live` at the terminal."""

from pathlib import Path
from shlex import quote
from typing import Any

from rich.text import Text

from radixcheck.verification.core.printable import printable
from radixcheck.verification.core.program import program
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
    counts = [_counted(outcome), Text()] if outcome.hit_counts else []
    return [runs, Text(), shown, Text(), *counts, *_recordings(outcome), of_status(line, outcome.status)]


def _recordings(outcome: LiveOutcome) -> list[Any]:
    """Return a line about the recordings, if there are any."""
    files = [quote(str(Path(outcome.recordings) / run.recording)) for run in outcome.runs if run.recording]
    return [Text(printable(f"recordings for {program()} replay --events: {', '.join(files)}"))] if files else []


def _counted(outcome: LiveOutcome) -> Any:
    """Return a row for each run of ours that another engine's hits stand beside."""
    columns = ("requests", "cached tokens", "of ours", "same", "more", "fewer")
    shown = table("beside ours", "page", "page of ours", *columns, "same tokens", numbers=("page", "page of ours", *columns, "same tokens"))
    for each in outcome.hit_counts:
        pages = (str(each.page_size), str(each.ours_page_size))
        counts = (each.requests, each.cached, each.ours_cached, each.same, each.more, each.fewer, each.same_tokens)
        shown.add_row(each.backend, *pages, *(f"{count:,}" for count in counts))
    return shown
