"""A trace file as the argument of a command: its subject, and the options that its header replaces."""

from collections.abc import Collection
from pathlib import Path

import click

from radixcheck.verification.cli.options import given, subject_or
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.traces import Recorded, read
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.runs.checked_bounds import check_config
from radixcheck.verification.subjects.registry import resolve


def open_trace(path: Path) -> tuple[Recorded, Subject]:
    """Return a trace and the subject to run it on: that of the command line, else that of the trace. Raise UsageError."""
    recorded = read(path)
    name, config = subject_or(recorded.subject), recorded.config
    try:
        subject = resolve(name, config.device)
        check_config(subject, config)
    except UsageError as error:
        raise UsageError(f"{path}: {str(error).replace('--device ', 'device ')}") from error  # here it is a field, not an option
    return recorded, subject


def refuse_options(path: Path | str, names: Collection[str], why: str) -> None:
    """Raise UsageError if one of these options was given on the command line."""
    wrong = [_as_given(name) for name in names if name in given()]
    if wrong:
        raise UsageError(f"{', '.join(wrong)} {'make' if len(wrong) > 1 else 'makes'} no sense for {path}: {why}")


def _as_given(name: str) -> str:
    """Return how a parameter is written on the command line."""
    parameter = next(each for each in click.get_current_context().command.params if each.name == name)
    return max(parameter.opts, key=len) if isinstance(parameter, click.Option) else parameter.human_readable_name
