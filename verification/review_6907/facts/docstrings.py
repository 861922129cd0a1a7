"""Whether the public names of the specification and of both caches have docstrings (Q13)."""

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from radixcheck.verification.review_6907.fact_results import Tried

LAYERS = ("spec", "reference", "optimized")
Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def complete(seed: int) -> Tried:
    """Look at every module, public class, function and method of the three layers. The seed changes nothing."""
    places = [place for layer in LAYERS if (spec := find_spec(f"radixcheck.{layer}")) for place in spec.submodule_search_locations or ()]
    return documented(sorted(file for place in places for file in Path(place).rglob("*.py")))


def documented(files: list[Path]) -> Tried:
    """Return the first public name in these files that has no docstring, if there is one."""
    cases = 0
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for name, node in (("the module", tree), *_public(tree)):
            cases += 1
            if not ast.get_docstring(node):
                return Tried(cases, f"{file.name}: {name} has none", "")
    return Tried(cases, "", f"{cases:,} public modules, classes, functions and methods in {len(files)} files")


def _public(of: ast.Module | ast.ClassDef) -> Iterator[tuple[str, Definition]]:
    """Yield the public definitions of a module or class with their names, methods included."""
    for node in of.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                yield from ((f"{node.name}.{name}", inner) for name, inner in _public(node))
