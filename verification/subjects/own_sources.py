"""The digest of a cache of one's own: results of one state of its sources are never taken for those of another.

The built-in caches are part of the package, whose digest is in `core/sources.py`.
"""

import ast
import os
import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from sysconfig import get_paths

from radixcheck.verification.core.engine_caches import PEERS
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.subjects.registry import BUILT_IN, ELSEWHERE, EXEC, FILE, place_of, words_of

INIT = f"__init__{FILE}"
INSTALLED = tuple(Path(os.path.realpath(get_paths()[name])) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
NOT_OWN = {*sys.stdlib_module_names, "radixcheck"}


def subject_digest(subject: Subject) -> str:
    """Return a digest of the version that a cache gives of itself, and of its files."""
    found = sha256(subject.version.encode())
    for file in sorted(files_of(subject.name)):
        found.update(file.read_bytes())
    return found.hexdigest()[:16]


def files_of(name: str) -> set[Path]:
    """Return the files of a named cache: its module, and those that it imports, directly or not, but for what is installed.

    For a program they are the files in its command. None for a cache of this package.
    """
    if name.startswith(EXEC):
        return {Path(word) for word in words_of(name.removeprefix(EXEC)) if os.path.isfile(word)}
    base = name.partition(ELSEWHERE)[0]
    if base in BUILT_IN or base in PEERS:
        return set()
    module = place_of(base)[0]
    if module.endswith(FILE):
        file = Path(os.path.realpath(module))
        return _reached(file, file.parent)
    spec = find_spec(module)
    file_of = _file(spec)
    if file_of is None:
        return set()
    return _reached(file_of, file_of.parents[module.count(".") + (file_of.name == INIT)])


def _reached(file: Path, root: Path) -> set[Path]:
    """Return a file and those that it imports, directly or not. `root`: the folder of its module or of its package."""
    reached, due = set[Path](), [(file, root)]
    while due:
        file, root = due.pop()
        if file not in reached:
            reached.add(file)
            due += _imported(file, root)
    return reached


def _imported(file: Path, root: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the files that a file imports, each with the folder of its module or of its package."""
    if file.suffix != FILE or _is_installed(file):
        return
    try:
        syntax = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, RecursionError):  # it cannot be imported either
        return
    for node in ast.walk(syntax):
        if isinstance(node, ast.Import):
            for each in node.names:
                yield from _absolute(each.name.split("."), root)
        elif isinstance(node, ast.ImportFrom):
            module = node.module.split(".") if node.module else []
            for each in node.names:
                names = [*module, each.name]
                if node.level:
                    yield from ((found, root) for found in _below(file.parents[node.level - 1], names))
                else:
                    yield from _absolute(names, root)


def _absolute(names: list[str], root: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the files of a module that is imported by its full name: from `root`, or from where this process finds it."""
    found = list(_below(root, names))
    if not found and names[0] not in NOT_OWN and (file := _file(_top(names[0]))) is not None and not _is_installed(file):
        root = file.parents[file.name == INIT]
        found = list(_below(root, names))
    yield from ((each, root) for each in found)


def _is_installed(file: Path) -> bool:
    return any(file.is_relative_to(place) for place in INSTALLED)


def _top(name: str) -> ModuleSpec | None:
    """Return the specification of a module that is in no package; nothing is imported. None if it is not found."""
    try:
        return find_spec(name)
    except (ImportError, ValueError):
        return None


def _file(spec: ModuleSpec | None) -> Path | None:
    """Return the file of a module; None if it has none."""
    return Path(os.path.realpath(spec.origin)) if spec is not None and spec.origin and os.path.isfile(spec.origin) else None


def _below(folder: Path, names: list[str]) -> Iterator[Path]:
    """Yield the files of a module in a folder and of the packages around it. The last name may be that of something in a module."""
    for name in names:
        yield from (file for file in (folder / f"{name}{FILE}", *folder.glob(f"{name}.*.so")) if file.is_file())
        folder /= name
        if (folder / INIT).is_file():
            yield folder / INIT
