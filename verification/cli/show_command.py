"""`radixcheck show`: a trace, operation by operation, as pictures at the terminal or in a file."""

import json
import shlex
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click

from radixcheck.verification.cli.options import one_subject, options
from radixcheck.verification.cli.trace_files import opened
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import console


@click.command()
@click.argument("trace", type=click.Path(path_type=Path))
@one_subject(click.option("--subject", help="[default: that of the trace, else optimized]"))
@click.option("--step", "steps", type=click.IntRange(0), multiple=True, help="only this one; 0 is the start (repeatable)")
@click.option("--svg", "out", type=click.Path(path_type=Path), help="write the pictures there: a page (.html) or one drawing (.svg)")
@options("json")
def show(trace: Path, steps: Sequence[int], out: Path | None, as_json: bool, **_: Any) -> int:
    """Show the tree, the heap and what breaks, after each operation of TRACE (a file that verify --traces or replay --shrink wrote).

    Exit status 1: a property breaks, in whatever step.
    """
    from radixcheck.verification.report.trace_pictures import check_out, shown, written

    if out is not None:
        check_out(out)
    with redirect_stdout(sys.stderr):  # what a subject prints is not part of the answer
        recorded, subject = opened(trace)
        beyond = [step for step in steps if step > len(recorded.trace)]
        if beyond:
            raise UsageError(
                f"--step {beyond[0]}: {trace} has {len(recorded.trace)} operations; give 0, the start, to {len(recorded.trace)}"
            )
        with console.progress(f"show {trace.name}"):
            pictures = shown(trace.name, recorded, subject, steps)
    if out is not None:
        written(out, pictures)
    if as_json:
        click.echo(json.dumps(pictures.to_json() | ({"file": str(out)} if out else {}), indent=1))
    else:
        saved = f"written: {shlex.quote(str(out))}" if out is not None else ""
        console.show(pictures.parts(saved))
    return pictures.status
