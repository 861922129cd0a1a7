"""Whether what is public of the caches and their specification says what it is (Q13)."""

import ast
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from radixcheck.verification.review_6907.facts.fact import Tried

LAYERS = ("spec", "reference", "optimized")
_SAYS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def complete(seed: int) -> Tried:
    """Every public module, class, function and method of the three layers. The seed changes nothing."""
    places = [place for layer in LAYERS if (spec := find_spec(f"radixcheck.{layer}")) for place in spec.submodule_search_locations or ()]
    return documented(sorted(file for place in places for file in Path(place).rglob("*.py")))


def documented(files: list[Path]) -> Tried:
    """Whether all that is public in these files has a docstring."""
    cases = 0
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for name, node in (("the module", tree), *_public(tree)):
            cases += 1
            if not ast.get_docstring(node):
                return Tried(cases, f"{file.name}: {name} has none", "")
    return Tried(cases, "", f"{cases:,} public modules, classes, functions and methods in {len(files)} files")


def _public(of: ast.Module | ast.ClassDef) -> Iterator[tuple[str, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]]:
    """By their names; a class and what is in it. What a protocol or property repeats counts too."""
    for node in of.body:
        if isinstance(node, _SAYS) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                yield from ((f"{node.name}.{name}", inner) for name, inner in _public(node))
