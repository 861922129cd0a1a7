"""`radixcheck show`: a recorded trace step by step, in pictures, at the terminal or as a page of its own."""

import json
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

import click

from radixcheck.verification.options import DEFAULT, one_subject, options
from radixcheck.verification.report import console
from radixcheck.verification.subjects.registry import UsageError, resolve
from radixcheck.verification.traces import read


@click.command()
@click.argument("trace", type=click.Path(path_type=Path))
@one_subject(click.option("--subject", help="[default: the cache that the trace names, or optimized]"), default="")
@click.option("--step", "steps", type=click.IntRange(0), multiple=True, help="only these: 0 is before the first (repeatable)")
@click.option("--html", "out", type=click.Path(path_type=Path, dir_okay=False), help="write the pictures there, as one page")
@options("json")
def show(trace: Path, subject: str, steps: Sequence[int], out: Path | None, as_json: bool) -> int:
    """Show a recorded TRACE step by step: the tree, the heap, what is new, evicted, locked or lost. Exit status 1: a property breaks."""
    from radixcheck.verification.report import shown
    from radixcheck.verification.report.frames import frames

    recorded = read(trace)
    name = recorded.named(subject, DEFAULT)
    for step in steps:
        if step > len(recorded.trace):
            raise UsageError(f"--step {step}: {trace} has {len(recorded.trace)} operations; 0 is before the first")
    with redirect_stdout(sys.stderr):
        found = frames(resolve(name), recorded.config, recorded.trace)
    chosen = [frame for frame in found if not steps or frame.number in steps]
    if out is not None:
        shown.write(out, name, recorded, chosen)
        print(f"wrote {out}", file=sys.stderr)
    if as_json:
        click.echo(json.dumps(shown.to_json(name, recorded, chosen), indent=1))
    else:
        console.show(shown.text(name, recorded, chosen))
    return shown.status(found)
