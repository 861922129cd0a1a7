"""Options that several commands share."""

from collections.abc import Callable
from functools import wraps
from math import isfinite
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.core.deadline import NEVER, Deadline
from radixcheck.verification.core.supervision import SUPERVISION
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.protocol import MODES
from radixcheck.verification.search.search_results import CEILING_SECONDS
from radixcheck.verification.subjects.registry import ELSEWHERE, EXEC

Decorator = Callable[[Any], Any]
_Folder = click.Path(path_type=Path, file_okay=False)
DEFAULT, HOST_DEFAULT = "optimized", "optimized-host"  # the subject if none is named, without and with a host tier
KILL_SECONDS = 28.0  # after `--seconds`: whatever a cache does, the command has ended within 30


class Seconds(click.FloatRange):
    """A finite number of seconds, with a minimum. NaN and infinity are rejected with UsageError."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        seconds = super().convert(value, param, ctx)
        if not isfinite(seconds):
            raise UsageError(f"--seconds {value}: {value} is not a number of seconds")
        return seconds


def command_deadline(seconds: float) -> Deadline:
    """Return the deadline of the work of a command with `--seconds`, and see to it that the command ends KILL_SECONDS after them.

    Both count from the start of the command.
    """
    start = SUPERVISION.started if SUPERVISION.started != NEVER else Deadline.after(0)
    SUPERVISION.until(Deadline(start.ends + seconds + KILL_SECONDS))
    return Deadline(start.ends + seconds + CEILING_SECONDS)


def options(*names: str) -> Decorator:
    """Return a decorator that adds some of the options that several commands share."""
    every = {
        "seed": click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="of the random choices"),
        "policy": click.option("--policy", "policies", multiple=True, help=f"{', '.join(POLICIES)} (repeatable)"),
        "page-size": click.option("--page-size", "page_sizes", type=int, multiple=True, help="tokens (repeatable)"),
        "pool": click.option("--pool", type=int, help="size of the slot pool, in tokens"),
        "host-pool": click.option("--host-pool", type=int, help="size of the host pool, in tokens, of a cache with a host tier"),
        "mode": click.option("--mode", "modes", multiple=True, help=f"of the host tier: {', '.join(MODES)} (repeatable)"),
        "device": click.option("--device", default="cpu", show_default=True, help="cpu, cuda or cuda:N"),
        "results": click.option("--results", type=_Folder, default=Path("radixcheck-results"), show_default=True, help="of stored results"),
        "junit": click.option("--junit", type=click.Path(path_type=Path), help="write JUnit XML there"),
        "summary": click.option("--summary", type=click.Path(path_type=Path), help="append Markdown there, as to $GITHUB_STEP_SUMMARY"),
        "json": click.option("--json", "as_json", is_flag=True, help="print JSON for machines"),
    }

    def decorate(function: Any) -> Any:
        for name in reversed(names):
            function = every[name](function)
        return function

    return decorate


def one_subject(named: Decorator) -> Decorator:
    """Return a decorator for the subject of a command: its name (an argument or an option), `--exec`, or a name and `--python`."""

    def decorate(function: Any) -> Any:
        @named
        @click.option("--exec", "command", help="a program that serves the subject over standard input and output (any language)")
        @click.option("--python", help="the interpreter of another environment, in which the subject's adapter runs")
        @wraps(function)
        def with_subject(*, subject: str | None, command: str | None, python: str | None, **others: Any) -> Any:
            return function(subject=_name(subject, command, python), **others)

        return with_subject

    return decorate


def given() -> set[str]:
    """Return the names, in Python, of the parameters that were given on the command line."""
    context = click.get_current_context()
    return {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}


def named(*parameters: str) -> bool:
    """Return whether one of these parameters was given on the command line."""
    return not given().isdisjoint(parameters)


def subject_or(recorded: str) -> str:
    """Return the subject of the command line, else that of a trace, in the environment of --python. Raise UsageError."""
    params = click.get_current_context().params
    _check_named(params["subject"])
    subject = params["subject"] or (recorded if params["command"] is None else None)
    return _name(subject or None, params["command"], params["python"])


def _check_named(subject: str | None) -> None:
    """Raise UsageError for an empty name: it is probably an unset shell variable, not a wish for the default."""
    if subject == "":
        raise UsageError(f"the name of the subject is empty: give a name, or leave it out for {DEFAULT}")


def _name(subject: str | None, command: str | None, python: str | None) -> str:
    """Return the name of the subject in the registry. Raise UsageError."""
    _check_named(subject)
    if command is None:
        return (subject or DEFAULT) + (f"{ELSEWHERE}{python}" if python is not None else "")
    if subject is not None:
        raise UsageError(f"two subjects are given, {subject!r} and --exec: give one")
    if python is not None:
        raise UsageError("--python runs the adapter of a named subject: with --exec write the interpreter into the command")
    return EXEC + command
