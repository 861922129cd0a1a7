"""Standard output: it holds the answer of a command and nothing else."""

import json
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

import click

from radixcheck.verification.core.installing import is_extra, missing
from radixcheck.verification.core.status import Outcome, Status
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import console


def subject_output() -> AbstractContextManager[TextIO]:
    """Redirect what a subject prints to standard error."""
    return redirect_stdout(sys.stderr)


def program() -> str:
    """Return how this program was called, so that a command that is printed can be run: it may not be on the path."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m radixcheck"
    found = shutil.which("radixcheck")
    on_path = found is not None and Path(found).absolute() == called.absolute()
    return "radixcheck" if on_path or called.name != "radixcheck" else shlex.quote(str(called))


def print_json(value: Any) -> None:
    """Print a result as JSON."""
    click.echo(json.dumps(value, indent=1))


def print_json_of_each(values: Sequence[Any]) -> None:
    """Print one result as an object, several as a list."""
    print_json(values if len(values) > 1 else values[0])


def answer(outcome: Outcome, as_json: bool, view: Callable[[], list[Any]], store: Path | None = None) -> Status:
    """Store the result if there is a file for it, print it as JSON or as the view shows it, and return its status."""
    if store is not None:
        store.write_text(json.dumps(outcome.to_json(), indent=1) + "\n")
    if as_json:
        print_json(outcome.to_json())
    else:
        console.show(view())
    return outcome.status


def check_store(store: Path | None) -> None:
    """Raise UsageError if results cannot be stored there."""
    try:
        if store is not None:
            store.open("a").close()
    except OSError as error:
        raise UsageError(f"--store {store}: cannot be written ({error.strerror}); give another file") from error


@contextmanager
def later(troubles: list[UsageError]) -> Iterator[None]:
    """Keep a file that cannot be written for `complain`: a verdict is not lost with it."""
    try:
        yield
    except UsageError as wrong:
        troubles.append(wrong)


def complain(troubles: Sequence[UsageError]) -> list[Status]:
    """Print each trouble, one sentence, and return a status for each."""
    for wrong in troubles:
        click.echo(f"radixcheck: {wrong}", err=True)
    return [Status.WRONG_USE] * len(troubles)


@contextmanager
def extras() -> Iterator[None]:
    """Import modules that need packages which may not be installed. Raise UsageError if one is missing."""
    try:
        yield
    except ImportError as error:
        is_known = isinstance(error, ModuleNotFoundError) and is_extra(error)
        raise UsageError(missing(error.name or "") if is_known else str(error)) from error
