"""Trace files on the command line: their subject, and their replay."""

import json
import sys
from collections.abc import Collection
from contextlib import redirect_stdout
from pathlib import Path

import click

from radixcheck.verification.cli.options import given, subject_or
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.traces import Recorded, read
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import console
from radixcheck.verification.runs.request import check
from radixcheck.verification.subjects.registry import resolve

OWN = ("policy", "page_size", "pool", "device")  # fields of a trace's header
OF_REQUESTS = ("running", "tokens_per_id", "limit")  # options for traces of requests


def opened(path: Path) -> tuple[Recorded, Subject]:
    """Return a trace and the subject to run it on: that of the command line, else that of the trace. Raise UsageError."""
    recorded = read(path)
    name, config = subject_or(recorded.subject), recorded.config
    try:
        subject = resolve(name, config.device)
        check(subject, (config.policy,), (config.page_size,))
    except UsageError as error:
        raise UsageError(f"{path}: {str(error).replace('--device ', 'device ')}") from error  # here it is a field, not an option
    return recorded, subject


def refuse(path: Path, names: Collection[str], why: str) -> None:
    """Raise UsageError if one of these options was given on the command line."""
    wrong = [f"--{name.replace('_', '-')}" for name in names if name in given()]
    if wrong:
        raise UsageError(f"{', '.join(wrong)} {'make' if len(wrong) > 1 else 'makes'} no sense for {path}: {why}")


def replay_trace_file(path: Path, out: Path | None, seconds: float, as_json: bool) -> int:
    """Run `radixcheck replay` on a trace file and return the exit status. Raise UsageError."""
    from radixcheck.verification.report.shrunk_view import check_new, of_recorded, shorten
    from radixcheck.verification.report.trace_view import replay_recorded

    refuse(path, (*OWN, *OF_REQUESTS), "it holds operations with their configuration in its first line; leave that out")
    if out is not None:
        check_new(out)
    with redirect_stdout(sys.stderr):  # what a subject prints is not part of the answer
        recorded, subject = opened(path)
        outcome = replay_recorded(path, recorded, subject, console.progress)
        short = shorten(of_recorded(subject, outcome), out, seconds, console.progress) if out is not None else None
    if as_json:
        click.echo(json.dumps(outcome.to_json() | ({"shrunk": short.to_json()} if short else {}), indent=1))
    else:
        console.show([*outcome.parts(), *(short.parts() if short else ())])
    return outcome.status
