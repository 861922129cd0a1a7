"""A trace file as the argument of a command: its subject, and the options that its header replaces."""

from collections.abc import Collection
from pathlib import Path

from radixcheck.verification.cli.options import given, subject_or
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.traces import Recorded, read
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.runs.checked_bounds import check_config
from radixcheck.verification.subjects.registry import resolve

OPTIONS = {"out": "shrink", "command": "exec"}  # whose parameters have other names


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
    wrong = [f"--{OPTIONS.get(name, name.replace('_', '-'))}" for name in names if name in given()]
    if wrong:
        raise UsageError(f"{', '.join(wrong)} {'make' if len(wrong) > 1 else 'makes'} no sense for {path}: {why}")
