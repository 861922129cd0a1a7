"""Imports only go down, and the two lower layers need nothing but Python."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import ROOT

# What a layer may import besides the standard library and itself.
BELOW = {
    "spec": set[str](),
    "reference": {"radixcheck.spec"},
    "optimized": {"radixcheck.spec", "torch"},
    "verification": {
        *("radixcheck.spec", "radixcheck.reference", "radixcheck.optimized"),
        *("click", "crosshair", "hypothesis", "jinja2", "markupsafe", "pytest", "rich", "torch", "z3", "cvc5"),
        *("sglang", "vllm", "core"),  # in adapters, which run where these are installed
        "matplotlib",
    },
}


def layer_sources() -> list[tuple[str, Path]]:
    """Every module of the package with the layer it lies in."""
    return [(layer, path) for layer in BELOW for path in sorted((ROOT / layer).rglob("*.py")) if path.parent.name != "scripts"]


def module_name(path: Path) -> str:
    """The name under which a file of the package is imported."""
    return ".".join(["radixcheck", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__")


def imported_names(source: str) -> Iterator[str]:
    """What a module imports at any depth; `from a import b` gives `a.b`, for `b` may be a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def forbidden_imports(layer: str, source: str) -> list[str]:
    """Imports that are neither below this layer, nor in it, nor of the standard library."""
    allowed = BELOW[layer] | {f"radixcheck.{layer}"}

    def is_allowed(name: str) -> bool:
        parts = name.split(".")
        return parts[0] in sys.stdlib_module_names or parts[0] in allowed or ".".join(parts[:2]) in allowed

    return [name for name in imported_names(source) if not is_allowed(name)]


def test_imports_only_go_down() -> None:
    actual = {
        str(path.relative_to(ROOT)): wrong for layer, path in layer_sources() if (wrong := forbidden_imports(layer, path.read_text()))
    }

    assert actual == {}


@pytest.mark.parametrize(
    ("layer", "source"),
    [
        ("spec", "import radixcheck.reference"),
        ("spec", "from radixcheck import verification"),
        ("spec", "import torch"),
        ("reference", "from radixcheck.optimized import heap"),
        ("reference", "def late():\n    import torch.cuda"),
        ("optimized", "from radixcheck.reference.cache import RadixCache"),
        ("optimized", "from radixcheck.verification import protocol"),
        ("optimized", "import hypothesis"),
        ("optimized", "from . import heap"),
        ("verification", "from tests.test_layers import ROOT"),
        ("verification", "import spec"),
    ],
)
def test_an_import_that_goes_up_or_sideways_is_seen(layer: str, source: str) -> None:
    assert len(forbidden_imports(layer, source)) == 1


def test_every_module_is_named_by_another() -> None:
    """A module that no other file imports or names, as `module:factory` or in the project's configuration, is dead."""
    named_by = {
        path: {*imported_names(path.read_text()), *re.findall(r"radixcheck(?:\.\w+)+", path.read_text())}
        for path in [*(path for _, path in layer_sources()), *(ROOT / "tests").rglob("*.py")]
    }
    configuration = (ROOT / "pyproject.toml").read_text()

    actual = [
        name
        for _, path in layer_sources()
        if path.stem not in ("__init__", "__main__")
        and (name := module_name(path)) not in configuration
        and not any(name in names for other, names in named_by.items() if other != path)
    ]

    assert actual == []


def test_spec_and_reference_run_on_the_standard_library_alone() -> None:
    """Without site-packages every module of the two imports, and leaves nothing else loaded."""
    names = [module_name(path) for layer, path in layer_sources() if layer in ("spec", "reference")]
    program = (
        f"import importlib, sys; sys.path.insert(0, {str(ROOT / '.dev')!r})\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "roots = {name.partition('.')[0] for name in sys.modules}\n"
        "print(*sorted(roots - sys.stdlib_module_names - {'__main__'}))"
    )

    ran = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=False)

    assert ran.stderr == ""
    assert ran.stdout.split() == ["radixcheck"]


@pytest.mark.parametrize("layer", BELOW)
def test_the_bare_name_of_a_layer_is_refused(layer: str) -> None:
    """`import spec` finds the folder from the checkout; the last statement of its `__init__` stops it."""
    source = ROOT / layer / "__init__.py"
    guard = compile(ast.Module(ast.parse(source.read_text()).body[-1:], type_ignores=[]), str(source), "exec")

    exec(guard, {"__name__": f"radixcheck.{layer}"})
    with pytest.raises(ImportError, match=f"radixcheck.{layer}"):
        exec(guard, {"__name__": layer})


def test_the_core_has_no_dependency_and_the_extras_hold_what_the_layers_import() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    verify = {requirement.partition(">=")[0] for requirement in project["optional-dependencies"]["verify"]}

    assert project["dependencies"] == []
    assert project["optional-dependencies"]["torch"] == ["torch>=2.9"]
    assert verify == {*("radixcheck[torch]", "click", "crosshair-tool", "hypothesis", "jinja2", "pytest", "rich", "z3-solver", "cvc5")}
