"""Standard output: it holds the answer of a command and nothing else."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

import click

from radixcheck.verification.core.atomic_write import write_atomically
from radixcheck.verification.core.installing import is_extra, missing
from radixcheck.verification.core.status import Outcome, Status, worst
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import console


def subject_output() -> AbstractContextManager[TextIO]:
    """Redirect what a subject prints to standard error."""
    return redirect_stdout(sys.stderr)


def print_json(value: Any) -> None:
    """Print a result as JSON."""
    click.echo(json.dumps(value, indent=1))


def print_json_of_each(values: Sequence[Any]) -> None:
    """Print one result as an object, several as a list."""
    print_json(values if len(values) > 1 else values[0])


def answer(outcome: Outcome, as_json: bool, view: Callable[[], list[Any]], store: Path | None = None) -> Status:
    """Print the result as JSON or as the view shows it, store it if there is a file for it, and return its status."""
    if as_json:
        print_json(outcome.to_json())
    else:
        console.show(view())
    troubles: list[UsageError] = []
    if store is not None:
        with later(troubles, f"--store {store}"):
            write_atomically(store, json.dumps(outcome.to_json(), indent=1) + "\n")
    return worst([outcome.status, *complain(troubles)])


def check_store(store: Path | None) -> None:
    """Make the folder of the results. Raise UsageError if they cannot be stored there."""
    if store is None:
        return
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        existed = os.path.lexists(store)
        store.open("a").close()
        if not existed:
            store.unlink()
    except OSError as error:
        raise _cannot(f"--store {store}", error) from error


@contextmanager
def later(troubles: list[UsageError], file: str) -> Iterator[None]:
    """Keep for `complain` that a file cannot be written: a verdict is not lost with it."""
    try:
        yield
    except OSError as error:
        troubles.append(_cannot(file, error))
    except UsageError as wrong:
        troubles.append(wrong)


def _cannot(file: str, error: OSError) -> UsageError:
    return UsageError(f"{file}: cannot be written ({error.strerror}); give another file")


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
