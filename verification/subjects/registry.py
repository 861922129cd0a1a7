"""Named subjects, and how a name or a factory becomes a `Subject`.

A name is that of a built-in cache, of an entry point of an installed package, `module:factory` or `file.py:factory`. `exec:COMMAND`
names a program that serves a cache; `NAME@PYTHON` runs the adapter of a named cache under another interpreter.
"""

import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any
from zlib import crc32

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.core.declared import WrongDeclaration, declared
from radixcheck.verification.core.engine_caches import PEERS
from radixcheck.verification.core.installing import install_command
from radixcheck.verification.core.printable import error_text, let_interrupt_pass
from radixcheck.verification.core.subject import Factory, Given, Named, Subject
from radixcheck.verification.core.supervision import SUPERVISION
from radixcheck.verification.core.usage import CannotMake, UsageError
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.protocol import Setup

REFERENCE, HOST_REFERENCE = "reference", "reference-host"
_HERE = "radixcheck.verification.subjects"
BUILT_IN = {
    n.name: n
    for n in (
        Named("optimized", f"{_HERE}.optimized_subject:optimized_subject", "this project's fast cache, in checking mode"),
        Named(REFERENCE, f"{_HERE}.reference_subject:reference_subject", "the readable cache"),
        Named("model", "radixcheck.verification.subjects.model_subject:model_subject", "the specification, run as a cache"),
        Named("reference-host", f"{_HERE}.reference_host_subject:reference_host_subject", "the readable cache, with a host tier"),
        Named("optimized-host", f"{_HERE}.optimized_host_subject:optimized_host_subject", "the cache for use, with a host tier"),
        Named("model-host", "radixcheck.verification.subjects.model_host_subject:model_host_subject", "the model, with a host tier"),
        Named("base", f"{_HERE}.historical:base_subject", "the cache before sglang#6907 (0.4.6.post5), in our words"),
        Named("as-submitted:pairs", f"{_HERE}.historical:pairs_subject", "sglang#6907, heap of (time, node) pairs"),
        Named("as-submitted:nodes", f"{_HERE}.historical:nodes_subject", "sglang#6907, heap of nodes with live times"),
        Named("leaf-set", f"{_HERE}.historical:leaf_set_subject", "base with sglang#14339: a set of evictable leaves"),
        Named("hiradix:base", f"{_HERE}.historical:hierarchical_base_subject", "its cache with a host tier (HiRadixCache), over base"),
        Named("hiradix:as-submitted:pairs", f"{_HERE}.historical:hierarchical_pairs_subject", "the same over as-submitted:pairs"),
        Named("hiradix:as-submitted:nodes", f"{_HERE}.historical:hierarchical_nodes_subject", "the same over as-submitted:nodes"),
    )
}
GROUPS = {  # a change that can be read in two ways
    name: (f"{name}:pairs", f"{name}:nodes") for name in ("as-submitted", "hiradix:as-submitted")
}

EXEC = "exec:"  # prefix of the command of a program that serves a cache
SETUPS = (  # the page size and the policy of a throw-away cache, in the order in which they are tried
    *((size, "lru") for size in (1, 16, 64, 32, 2, 4, 8, 128, 256)),
    *((size, policy) for policy in POLICIES for size in (1, 16, 64) if policy != "lru"),
)
THROWN_AWAY = 64  # pages of its pool
ALIKE = 0.75  # how like another name one must be that is probably meant
FILE = ".py"  # ends the path of a file, in place of the name of a module
ELSEWHERE = "@"  # between a subject and the interpreter of another environment


def known() -> list[Named]:
    """Return the built-in caches, those of serving engines, and those of installed packages (entry-point group `radixcheck.subjects`)."""
    from importlib.metadata import entry_points  # slow to import, and often not needed

    found = entry_points(group="radixcheck.subjects")
    others = [Named(e.name, e.value, f"from {e.dist.name if e.dist else 'an entry point'}") for e in found]
    return [*BUILT_IN.values(), *PEERS.values(), *others]


def names_of(subject: str) -> tuple[str, ...]:
    """Return the subjects that a name on the command line stands for: several for the name of a group."""
    if subject.startswith(EXEC):
        return (subject,)
    name, *python = subject.partition(ELSEWHERE)
    return tuple("".join((one, *python)) for one in GROUPS.get(name, (name,)))


@dataclass(frozen=True, slots=True)
class Imported:
    """The factory `module:attribute`. It is pickled by name, so that a worker process can import factories that cannot be pickled."""

    module: str  # its name, or the path of its file
    attribute: str

    def __call__(self, setup: Setup) -> Any:
        """Return a fresh cache."""
        return getattr(loaded(self.module), self.attribute)(setup)


def isolated(subject: Subject) -> Subject:
    """Return the subject in a process of its own, in which it may end or never return; the same subject if it cannot be started there."""
    if not subject.portable or not subject.supports.here:
        return subject
    factory = _remote(served_by(subject.name, sys.executable))
    return replace(subject, factory=factory, supports=replace(subject.supports, here=False))


def as_argument(name: str) -> tuple[str, ...]:
    """Return how a command takes a subject with this name as its argument."""
    return ("--exec", name.removeprefix(EXEC)) if name.startswith(EXEC) else (name,)


def apart(name: str) -> str:
    """Return the name of a cache in a process of its own, with the interpreter of this one; the same name if it has one anyway."""
    base, elsewhere, _ = name.partition(ELSEWHERE)
    return name if name.startswith(EXEC) or elsewhere or base in PEERS else f"{name}{ELSEWHERE}{sys.executable}"


def resolve(given: Given, device: str = "cpu") -> Subject:
    """Return the subject of a name or of a factory. One throw-away cache is made on `device` to read what it supports.

    Raise UsageError if there is no such subject or device, if no cache can be made, or if it does not declare what it supports.
    """
    if isinstance(given, Subject):
        return given
    check_device(device)
    if isinstance(given, str):
        SUPERVISION.doing(f"importing {given!r}")
        name, factory = given, factory_of(given)
    else:
        name, factory = f"{getattr(given, '__module__', '')}:{getattr(given, '__qualname__', type(given).__name__)}", given
    SUPERVISION.doing(f"making a cache of {name!r}")
    try:
        made = _first_made(factory, device)
        white_box = hasattr(made, "observe")
        supports, version = declared(made), str(getattr(made, "version", ""))
    except UsageError:
        raise
    except WrongDeclaration as wrong:
        raise UsageError(f"subject {name!r}: {wrong}") from wrong
    except BaseException as error:  # a user's factory may raise anything
        let_interrupt_pass(error)
        raise UsageError(f"the factory of {name!r} raised {error_text(error)}") from error
    return Subject(name, factory, supports, white_box, portable=isinstance(given, str), version=version)


def _first_made(factory: Factory, device: str) -> Any:
    """Return a cache for the first page size and policy for which one is made. Raise the first error if there is none."""
    size, policy = SETUPS[0]
    try:
        return factory(Setup(size, policy, WatchedPool(THROWN_AWAY, size), device))
    except Exception as error:
        if isinstance(error, (UsageError, WrongDeclaration)) and not isinstance(error, CannotMake):
            raise
        for size, policy in SETUPS[1:]:
            with suppress(Exception):
                return factory(Setup(size, policy, WatchedPool(THROWN_AWAY * size, size), device))
        raise


def check_device(device: str) -> None:
    """Raise UsageError unless this machine has the device."""
    if device == "cpu":
        return
    kind, _, number = device.partition(":")
    if kind != "cuda" or (number and not number.isdigit()):
        raise UsageError(f"unknown device {device!r}: give cpu, cuda or cuda:N")
    try:
        import torch
    except ModuleNotFoundError as error:
        raise UsageError(f"--device cuda needs torch: {install_command('torch')}") from error
    if int(number or 0) >= torch.cuda.device_count():
        raise UsageError(f"--device {device}: this machine has {torch.cuda.device_count()} such devices; use --device cpu")


def factory_of(name: str) -> Factory:
    """Return the factory of a named subject; no cache is made. Raise UsageError if there is none."""
    if name.startswith(EXEC):
        return _remote(words_of(name.removeprefix(EXEC)))
    base, elsewhere, python = name.partition(ELSEWHERE)
    if elsewhere or base in PEERS:
        return _remote(served_by(base, python if elsewhere else sys.executable))
    module, attribute = place_of(name)
    if not callable(_attribute(name, module, attribute)):
        raise UsageError(f"module {module!r} has no factory {attribute!r}: a subject is named module:factory, or file.py:factory")
    return Imported(module, attribute)


def is_file(name: str) -> bool:
    """Return whether a name is that of something in a file, as `file.py:factory`."""
    return name.rpartition(":")[0].endswith(FILE)


def attribute_of(name: str) -> Any:
    """Return what `module:attribute` or `file.py:attribute` names. Raise UsageError if there is no such thing."""
    found = _attribute(name, *place_of(name))
    if found is None:
        raise UsageError(f"{name!r}: there is no such thing in its module")
    return found


def _attribute(name: str, module: str, attribute: str) -> Any:
    """Return an attribute of a module; None if it has none. Raise UsageError if the module cannot be imported."""
    try:
        return getattr(loaded(module), attribute, None)
    except ModuleNotFoundError as error:
        if error.name == "torch" and module.startswith("radixcheck.verification."):
            raise UsageError(f"{name} needs torch: {install_command('torch')}, or name a cache without it, as {REFERENCE}") from error
        raise UsageError(f"cannot import {module!r} for subject {name!r}: {error_text(error)}") from error
    except BaseException as error:  # a user's module may raise anything while it is imported
        let_interrupt_pass(error)
        raise UsageError(f"importing {module!r} for subject {name!r} raised {error_text(error)}") from error


def loaded(module: str) -> ModuleType:
    """Return a module, by its name or by the path of its file.

    A file's folder is put on the path, as `python FILE` does. If its name is that of another module, the file gets another one.
    """
    if not module.endswith(FILE):
        return import_module(module)
    path = os.path.realpath(module)
    folder, name = os.path.dirname(path), os.path.basename(path).removesuffix(FILE)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = find_spec(name) if name.isidentifier() else None
    if spec is not None and spec.origin is not None and os.path.realpath(spec.origin) == path:
        return import_module(name)
    return _loaded_as(f"radixcheck_subject_{name}_{crc32(path.encode())}", path)


def _loaded_as(name: str, path: str) -> ModuleType:
    """Return the module of a file, under a name of its own."""
    if name in sys.modules:
        return sys.modules[name]
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    made = sys.modules[name] = module_from_spec(spec)
    try:
        spec.loader.exec_module(made)
    except BaseException:
        del sys.modules[name]
        raise
    return made


def _remote(command: tuple[str, ...]) -> Factory:
    """Return a factory of caches in processes of their own."""
    from radixcheck.verification.remote.remote_subject import Remote  # with what it imports, only when needed

    return Remote(command)


def words_of(command: str) -> tuple[str, ...]:
    """Split a command as a shell does. Raise UsageError if it is empty or cannot be split."""
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"the command {command!r} cannot be read: {error}") from error
    if not words:
        raise UsageError("the command of the subject is empty: give a program that serves a cache")
    return words


def served_by(subject: str, python: str) -> tuple[str, ...]:
    """Return the command that serves a subject under another interpreter, which needs only the adapter, `serve.py` and the cache.

    Raise UsageError if there is no such interpreter or adapter.
    """
    if not python or shutil.which(python) is None:
        raise UsageError(f"there is no interpreter {python!r} for {subject!r}: give the path of a Python that can import the cache")
    module, attribute = place_of(subject)
    serving = str(Path(__file__).parent.parent / "remote" / "serve.py")
    if module.endswith(FILE):
        return python, serving, f"{os.path.realpath(module)}:{attribute}"
    try:
        spec = find_spec(module)
    except ModuleNotFoundError as error:
        raise UsageError(f"cannot find {module!r} for subject {subject!r}: {error}") from error
    if spec is None or spec.origin is None:
        raise UsageError(f"cannot find the file of {module!r} for subject {subject!r}")
    return python, serving, f"{spec.origin}:{attribute}"


def place_of(subject: str) -> tuple[str, str]:
    """Return the module and the attribute of a named factory. Raise UsageError if the name is unknown."""
    named = {n.name: n.where for n in known()}
    module, _, attribute = named.get(subject, subject).rpartition(":")
    if not module or not attribute:
        raise UsageError(_unknown(subject, named))
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m` does, so that a module in the current folder can be imported
    if module.endswith(FILE) and not os.path.isfile(module):
        raise UsageError(f"there is no file {module!r} for subject {subject!r}")
    return module, attribute


def _unknown(subject: str, named: Mapping[str, str]) -> str:
    """Return the sentence about an unknown name: with the nearest one, or with what a file lacks."""
    file = subject.rstrip(":").removesuffix(FILE) + FILE
    if os.path.isfile(file):
        return f"unknown subject {subject!r}: {file} is a file; name the factory in it, as {file}:factory"
    nearest = get_close_matches(subject, [*named, *GROUPS], 1, ALIKE)
    meant = f"; did you mean {nearest[0]}?" if nearest else ""
    own = f"or module:factory or file.py:factory of a cache of your own{meant}"
    return f"unknown subject {subject!r}: give one of {', '.join(named)}, {own}"
