"""Standard output: it holds the answer of a command and nothing else."""

import json
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, redirect_stdout
from typing import Any, TextIO

import click


def subject_output() -> AbstractContextManager[TextIO]:
    """Redirect what a subject prints to standard error."""
    return redirect_stdout(sys.stderr)


def print_json(value: Any) -> None:
    """Print a result as JSON."""
    click.echo(json.dumps(value, indent=1))


def print_json_of_each(values: Sequence[Any]) -> None:
    """Print one result as an object, several as a list."""
    print_json(values if len(values) > 1 else values[0])
