"""Which caches can be named on the command line, and how others are found: an entry point, or `module:factory`."""

import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

Factory = Callable[[Any], Any]


class UsageError(Exception):
    """A wrong input: the message names it and the mend. The command ends with status 2."""


@dataclass(frozen=True, slots=True)
class Named:
    """A cache that can be checked by name."""

    name: str
    where: str  # module:factory
    sentence: str


BUILT_IN = {
    n.name: n
    for n in (
        Named("optimized", "radixcheck.verification.subjects.optimized:optimized_subject", "this project's fast cache, in checking mode"),
        Named("reference", "radixcheck.verification.subjects.reference:reference_subject", "the readable cache"),
        Named("model", "radixcheck.verification.subjects.model:model_subject", "the specification, run as a cache"),
        Named("base", "radixcheck.verification.historical:base_subject", "the cache before sglang#6907 (0.4.6.post5), in our words"),
        Named("as-submitted:pairs", "radixcheck.verification.historical:pairs_subject", "sglang#6907, heap of (time, node) pairs"),
        Named("as-submitted:nodes", "radixcheck.verification.historical:nodes_subject", "sglang#6907, heap of nodes with live times"),
    )
}
GROUPS = {"as-submitted": ("as-submitted:pairs", "as-submitted:nodes")}  # a change that can be read in two ways


EXEC = "exec:"  # before the command of a program that serves a cache


def _served(command: str) -> Factory:
    from radixcheck.verification.remote.subject import Remote  # which needs what is in this file

    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"the command {command!r} cannot be read: {error}") from error
    if not words:
        raise UsageError("the command of the subject is empty: give a program that serves a cache")
    return Remote(words)


def known() -> list[Named]:
    """Built-in caches, then those of other installed packages (entry-point group `radixcheck.subjects`)."""
    others = [Named(e.name, e.value, f"from {e.dist.name if e.dist else 'an entry point'}") for e in _entry_points()]
    return [*BUILT_IN.values(), *others]


def _entry_points() -> Any:
    return entry_points(group="radixcheck.subjects")


def names_of(subject: str) -> tuple[str, ...]:
    """The subjects that a name on the command line stands for."""
    return GROUPS.get(subject, (subject,))


def resolve(subject: str) -> Factory:
    """The factory of a subject. Raises `UsageError`."""
    if subject.startswith(EXEC):
        return _served(subject.removeprefix(EXEC))
    named = {n.name: n.where for n in known()}
    where = named.get(subject, subject)
    module, _, attribute = where.partition(":")
    if not attribute:
        raise UsageError(f"unknown subject {subject!r}: give one of {', '.join(named)}, or module:factory of a cache of your own")
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m` does: a user's own module lies in the current folder
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        if error.name == "torch" and where.startswith("radixcheck.verification."):
            raise UsageError(f"{subject} needs torch: pip install 'radixcheck[torch]'") from error
        raise UsageError(f"cannot import {module!r} for subject {subject!r}: {error}") from error
    except Exception as error:  # whatever a user's module raises while it is imported
        raise UsageError(f"importing {module!r} for subject {subject!r} raised {type(error).__name__}: {error}") from error
    factory = getattr(found, attribute, None)
    if not callable(factory):
        raise UsageError(f"module {module!r} has no factory {attribute!r}: a subject is named module:factory")
    result: Factory = factory
    return result
