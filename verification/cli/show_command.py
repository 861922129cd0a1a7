"""`radixcheck show`."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.new_file import check_new_file
from radixcheck.verification.cli.options import one_subject, options
from radixcheck.verification.cli.output import complain, later, print_json, subject_output
from radixcheck.verification.cli.trace_argument import open_trace
from radixcheck.verification.core.status import worst
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import console

FILES = {".html": "a page", ".svg": "one drawing"}


@click.command(cls=Command)
@click.argument("trace", type=click.Path(path_type=Path))
@one_subject(click.option("--subject", help="[default: that of the trace, else optimized]"))
@click.option("--step", "steps", type=click.IntRange(0), multiple=True, help="only this one; 0 is the start (repeatable)")
@click.option("--svg", "out", type=click.Path(path_type=Path), help="write the pictures there: a page (.html) or one drawing (.svg)")
@options("json")
def show(trace: Path, steps: Sequence[int], out: Path | None, as_json: bool, **_: Any) -> int:
    """Show the tree, the heap and what breaks, after each operation of TRACE (a file that verify --traces or replay --shrink wrote)."""
    if out is not None:
        check_new_file("--svg", out, FILES)
    with subject_output():
        recorded, subject = open_trace(trace)
        last = len(recorded.trace)
        beyond = [step for step in steps if step > last]
        if beyond:
            raise UsageError(f"--step {beyond[0]}: {trace} has {last} operations; give 0, the start, to {last}")
        from radixcheck.verification.runs.show_job import ShowRequest, show_trace

        outcome = show_trace(ShowRequest(trace.name, recorded, subject, tuple(steps)), console.progress)

    from rich.text import Text

    from radixcheck.verification.report import show_view

    troubles: list[UsageError] = []
    if out is not None:
        with later(troubles, f"--svg {out}"):
            show_view.write(out, outcome)
        if troubles:
            out.unlink(missing_ok=True)  # a part of it
    written = out is not None and not troubles
    if as_json:
        print_json(outcome.to_json() | ({"file": str(out)} if written else {}))
    else:
        console.show([*show_view.show(outcome), *([Text(f"written: {shlex.quote(str(out))}")] if written else [])])
    return worst([outcome.status, *complain(troubles)])
