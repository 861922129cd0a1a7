"""Which caches can be named on the command line, and how others are found: an entry point, or `module:factory`.

Caches in other processes: `exec:COMMAND`, and either of the above followed by `@PYTHON`.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Factory = Callable[[Any], Any]
Subject = str | Factory  # a name as on the command line, or the factory itself


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
        Named(
            "optimized",
            "radixcheck.verification.subjects.optimized_subject:optimized_subject",
            "this project's fast cache, in checking mode",
        ),
        Named("reference", "radixcheck.verification.subjects.reference_subject:reference_subject", "the readable cache"),
        Named("model", "radixcheck.verification.subjects.model_subject:model_subject", "the specification, run as a cache"),
        Named(
            "base", "radixcheck.verification.subjects.historical:base_subject", "the cache before sglang#6907 (0.4.6.post5), in our words"
        ),
        Named("as-submitted:pairs", "radixcheck.verification.subjects.historical:pairs_subject", "sglang#6907, heap of (time, node) pairs"),
        Named(
            "as-submitted:nodes", "radixcheck.verification.subjects.historical:nodes_subject", "sglang#6907, heap of nodes with live times"
        ),
        Named(
            "leaf-set", "radixcheck.verification.subjects.historical:leaf_set_subject", "base with sglang#14339: a set of evictable leaves"
        ),
    )
}
PEERS = {
    n.name: n
    for n in (
        Named("sglang-classic", "radixcheck.verification.subjects.sglang_classic:sglang_classic", "SGLang's RadixCache, white box"),
        Named(
            "sglang-python",
            "radixcheck.verification.subjects.sglang_unified:sglang_python",
            "its UnifiedRadixCache, Python core, white box",
        ),
        Named("sglang-rust", "radixcheck.verification.subjects.sglang_unified:sglang_rust", "its UnifiedRadixCache, Rust core, black box"),
        Named("sglang-0.4.6", "radixcheck.verification.subjects.sglang_legacy:sglang_legacy", "SGLang 0.4.6.post5's RadixCache, white box"),
        Named("vllm", "radixcheck.verification.subjects.vllm:vllm", "vLLM's KVCacheManager: requests only, black box"),
    )
}  # caches that people run: each in a process of its own, for what it imports
GROUPS = {"as-submitted": ("as-submitted:pairs", "as-submitted:nodes")}  # a change that can be read in two ways


EXEC = "exec:"  # before the command of a program that serves a cache
ELSEWHERE = "@"  # between a subject and the interpreter of another environment


def _served(command: str) -> Factory:
    """The cache that a program serves."""
    from radixcheck.verification.remote.remote_subject import Remote  # which needs what is in this file

    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"the command {command!r} cannot be read: {error}") from error
    if not words:
        raise UsageError("the command of the subject is empty: give a program that serves a cache")
    return Remote(words)


def _elsewhere(subject: str, python: str) -> Factory:
    from radixcheck.verification.remote.remote_subject import Remote

    return Remote(served_by(subject, python))


def served_by(subject: str, python: str) -> tuple[str, ...]:
    """The command by which another interpreter serves a subject: it needs nothing but its adapter, `serve.py` and the cache.

    Raises `UsageError`.
    """
    if not python or shutil.which(python) is None:
        raise UsageError(f"there is no interpreter {python!r} for {subject!r}: give the path of a Python that can import the cache")
    module, attribute = _place(subject)
    try:
        spec = find_spec(module)
    except ModuleNotFoundError as error:
        raise UsageError(f"cannot find {module!r} for subject {subject!r}: {error}") from error
    if spec is None or spec.origin is None:
        raise UsageError(f"cannot find the file of {module!r} for subject {subject!r}")
    serving = Path(__file__).parent.parent / "remote" / "serve.py"
    return python, str(serving), f"{spec.origin}:{attribute}"


def known() -> list[Named]:
    """Built-in caches, then those of other installed packages (entry-point group `radixcheck.subjects`)."""
    others = [Named(e.name, e.value, f"from {e.dist.name if e.dist else 'an entry point'}") for e in _entry_points()]
    return [*BUILT_IN.values(), *PEERS.values(), *others]


def _entry_points() -> Any:
    return entry_points(group="radixcheck.subjects")


def names_of(subject: str) -> tuple[str, ...]:
    """The subjects that a name on the command line stands for."""
    if subject.startswith(EXEC):
        return (subject,)
    name, *python = subject.partition(ELSEWHERE)
    return tuple("".join((one, *python)) for one in GROUPS.get(name, (name,)))


def name_of(subject: Subject) -> str:
    """The name of a subject; of a factory as it would be on the command line, were it in a module."""
    if isinstance(subject, str):
        return subject
    return f"{getattr(subject, '__module__', '')}:{getattr(subject, '__qualname__', type(subject).__name__)}"


def resolve(subject: Subject) -> Factory:
    """The factory of a subject. Raises `UsageError`."""
    if not isinstance(subject, str):
        return subject
    if subject.startswith(EXEC):
        return _served(subject.removeprefix(EXEC))
    name, elsewhere, python = subject.partition(ELSEWHERE)
    if elsewhere or name in PEERS:
        return _elsewhere(name, python if elsewhere else sys.executable)
    module, attribute = _place(subject)
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        if error.name == "torch" and module.startswith("radixcheck.verification."):
            raise UsageError(f"{subject} needs torch: pip install 'radixcheck[torch]'") from error
        raise UsageError(f"cannot import {module!r} for subject {subject!r}: {error}") from error
    except Exception as error:  # whatever a user's module raises while it is imported
        raise UsageError(f"importing {module!r} for subject {subject!r} raised {type(error).__name__}: {error}") from error
    factory = getattr(found, attribute, None)
    if not callable(factory):
        raise UsageError(f"module {module!r} has no factory {attribute!r}: a subject is named module:factory")
    result: Factory = factory
    return result


def _place(subject: str) -> tuple[str, str]:
    """The module and the factory of a subject. Raises `UsageError`."""
    named = {n.name: n.where for n in known()}
    module, _, attribute = named.get(subject, subject).partition(":")
    if not attribute:
        raise UsageError(f"unknown subject {subject!r}: give one of {', '.join(named)}, or module:factory of a cache of your own")
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m` does: a user's own module lies in the current folder
    return module, attribute
