"""The text of the project's own files, and what its Python files import."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from places import LAYERS, PACKAGE, ROOT, TESTS


@cache
def tracked() -> tuple[str, ...]:
    """Paths, relative to the root, of the files that git keeps. Links are left out: what they lead to is listed itself."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return tuple(path for path in listed.stdout.split("\0") if (ROOT / path).is_file())


@cache
def python_files() -> dict[str, str]:
    """Every Python file's text by its path; new files too, before git keeps them."""
    paths = [*PACKAGE.glob("*.py"), *(path for folder in (*map(ROOT.joinpath, LAYERS), TESTS) for path in folder.rglob("*.py"))]
    return {str(path.relative_to(ROOT)): path.read_text() for path in sorted(paths)}


@cache
def syntax(path: str) -> ast.Module:
    """The syntax tree of one of `python_files`."""
    return ast.parse(python_files()[path])


@cache
def modules() -> dict[str, str]:
    """The paths of the package's modules by the names under which they are imported. Scripts of findings are no modules."""
    paths = [path for path in python_files() if not path.startswith("tests/") and "/scripts/" not in path]
    return {module_name(path): path for path in paths}


def module_name(path: str) -> str:
    """The name under which a file of the package is imported.

    >>> module_name("spec/__init__.py"), module_name(".dev/radixcheck/__main__.py")
    ('radixcheck.spec', 'radixcheck.__main__')
    """
    parts = Path(path.removeprefix(".dev/radixcheck/")).with_suffix("").parts
    return ".".join(["radixcheck", *parts]).removesuffix(".__init__")


def imported_names(source: ast.Module) -> Iterator[str]:
    """What a module imports at any depth; `from a import b` gives `a.b`, for `b` may be a module."""
    for node in ast.walk(source):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            yield from (f"{origin}.{alias.name}" for alias in node.names)
