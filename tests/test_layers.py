"""Imports only go down: between layers, between the rooms of `verification/`, and never in a circle."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

import pytest
from places import LAYERS, PACKAGE, ROOT
from sources import imported_names, modules, python_files, syntax

# What a layer may import besides the standard library and itself.
BELOW = {
    "spec": set[str](),
    "reference": {"radixcheck.spec"},
    "optimized": {"radixcheck.spec", "torch"},
    "optimized/integrations": {"radixcheck.spec", "radixcheck.optimized", "torch", "sglang"},  # an engine only within functions
    "verification": {
        *("radixcheck.spec", "radixcheck.reference", "radixcheck.optimized"),
        *("click", "crosshair", "hypothesis", "jinja2", "markupsafe", "pytest", "rich", "torch", "z3", "cvc5"),
        *("sglang", "vllm", "transformers", "gguf", "core"),  # in adapters, which run where these are installed
        *("matplotlib", "msgpack", "zmq", "ray"),
    },
}

# The room of `optimized` that nothing else of that layer imports, and who may import it.
INTEGRATIONS = "radixcheck.optimized.integrations"
MAY_INTEGRATE = ("optimized/integrations/", "verification/live/", "verification/watch/", "tests/")

# What a room of `verification/` may import besides itself and the lower layers: only rooms that stand above it in this table.
CHECKING = {"core", "remote", "subjects", "checker"}
EVIDENCE = {
    "stretch",
    "search",
    "explore",
    "trace_replay",
    "proofs",
    "contracts",
    "bench",
    "findings",
    "live",
    "mutants",
    "review_6907",
    "event_streams",
    "watch",
    "campaign",
}
ROOMS = {
    "core": set[str](),
    "remote": {"core"},
    "subjects": {"core", "remote"},
    "checker": {"core", "subjects"},
    "probes": {"core", "checker"},
    "stretch": {"core", "checker"},
    "search": {*CHECKING, "probes", "stretch"},
    "explore": {*CHECKING, "search"},
    "trace_replay": {*CHECKING, "search"},
    "proofs": CHECKING,
    "contracts": {"core"},
    "bench": {*CHECKING, "trace_replay"},
    "findings": {*CHECKING, "search"},
    "watch": {"core"},
    "event_streams": {"core"},
    "live": {"core", "remote", "watch", "event_streams"},
    "mutants": {*CHECKING, "search", "probes", "stretch", "explore", "trace_replay", "proofs"},
    "review_6907": {*CHECKING, "proofs", "bench", "live", "mutants"},
    "campaign": {*CHECKING, "search", "stretch", "explore", "mutants", "proofs", "review_6907"},
    "runs": CHECKING | EVIDENCE,
    "report": {"core"},  # and result types, below
    "api": {"core", "subjects", "runs"},
    "cli": {*CHECKING, *EVIDENCE, "runs", "report"},
    "pytest_plugin": {*CHECKING, *EVIDENCE, "runs", "report"},
}
# The modules of no folder, and the package itself.
BESIDE_ROOMS = {"protocol": "core", "operations": "core", "wrong_values": "core", "api": "api", "": "api"}
# `report/` turns results into text. Of other rooms it sees what a result is, in modules named `..._results`, and these plain data.
# `tests/verification/report/test_renders_only.py` tests that importing it loads nothing that runs a cache.
PLAIN_DATA = {
    *("findings.finding", "bench.bench_data", "trace_replay.alt_text"),
    *("runs.countermodel", "runs.report_data"),
    *("review_6907.questions", "review_6907.answers", "review_6907.short_answers", "review_6907.cost_claims", "review_6907.field_faults"),
}

SHARED_NAMES = {"batch.py", "cache.py", "node.py", "tree.py", "operations.py"}  # file names that two layers may share, beside:
ENTRY_POINTS = ("__init__.py", "__main__.py")


def forbidden_imports(layer: str, source: ast.Module) -> list[str]:
    """Imports that are neither below this layer, nor in it, nor of the standard library."""
    allowed = BELOW[layer] | {f"radixcheck.{layer}"}

    def is_allowed(name: str) -> bool:
        parts = name.split(".")
        if name.startswith(INTEGRATIONS):
            return layer in ("optimized/integrations", "verification")
        return parts[0] in sys.stdlib_module_names or parts[0] in allowed or ".".join(parts[:2]) in allowed

    return [name for name in imported_names(source) if not is_allowed(name)]


def layer_of(path: str) -> str:
    """The part of the package that a file belongs to, as `BELOW` names it."""
    return next((layer for layer in reversed(BELOW) if path.startswith(f"{layer}/")), "")


def room_of(name: str) -> str:
    """The room of a name below `radixcheck.verification`."""
    part = f"{name}..".split(".")[2]
    return BESIDE_ROOMS.get(part, part)


def forbidden_rooms(room: str, source: ast.Module) -> list[str]:
    """Imports from rooms that are not below this one."""

    def is_allowed(name: str) -> bool:
        _, _, other, module, *_ = f"{name}...".split(".")
        plain = module.endswith("_results") or f"{other}.{module}" in PLAIN_DATA
        return room_of(name) in ROOMS[room] | {room} or (room == "report" and plain)

    return [name for name in imported_names(source) if name.startswith("radixcheck.verification") and not is_allowed(name)]


def circle(imports: Mapping[str, set[str]]) -> list[str]:
    """Modules that import each other in a circle, or nothing."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def run_python(*arguments: str) -> list[str]:
    """Run Python, which must not complain. Returns the words that it printed."""
    ran = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    return ran.stdout.split()


def test_imports_only_go_down() -> None:
    actual = {path: wrong for path in modules().values() if (layer := layer_of(path)) and (wrong := forbidden_imports(layer, syntax(path)))}

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
        ("optimized", "from radixcheck.optimized.integrations import sglang_plugin"),
        ("optimized", "import sglang"),
        ("optimized/integrations", "from radixcheck.reference.cache import RadixCache"),
        ("optimized", "from . import heap"),
        ("verification", "from tests.test_layers import ROOT"),
        ("verification", "import spec"),
    ],
)
def test_an_import_that_goes_up_or_sideways_is_seen(layer: str, source: str) -> None:
    assert len(forbidden_imports(layer, ast.parse(source))) == 1


def test_only_live_runs_and_tests_import_the_integrations() -> None:
    actual = {path for path in python_files() for name in imported_names(syntax(path)) if name.startswith(INTEGRATIONS)}

    assert {path for path in actual if not path.startswith(MAY_INTEGRATE)} == set()


def test_the_cache_is_imported_without_its_integrations() -> None:
    program = "import sys, radixcheck.optimized; print(*(name for name in sys.modules if 'integrations' in name or 'sglang' in name))"

    assert run_python("-W", "ignore", "-c", program) == []


def test_every_room_stands_below_those_that_import_it() -> None:
    order = list(ROOMS)

    assert {room: wrong for room, rooms in ROOMS.items() if (wrong := rooms - {*order[: order.index(room)]})} == {}
    assert {path.name for path in (ROOT / "verification").iterdir() if (path / "__init__.py").is_file()} | {"api"} == set(ROOMS)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_below_it(room: str) -> None:
    files = {path: syntax(path) for name, path in modules().items() if path.startswith("verification/") and room_of(name) == room}

    assert files
    assert {path: wrong for path, source in files.items() if (wrong := forbidden_rooms(room, source))} == {}


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("core", "from radixcheck.verification.subjects.registry import resolve"),
        ("core", "from radixcheck.verification.checker import misuse"),
        ("remote", "def late():\n    import radixcheck.verification.subjects"),
        ("search", "from radixcheck.verification import mutants"),
        ("proofs", "from radixcheck.verification.review_6907.claims import CLAIMS"),
        ("runs", "from radixcheck.verification.report.console import show"),
        ("report", "from radixcheck.verification.search.diff import differences"),
        ("report", "from radixcheck.verification.checker import engine"),
        ("cli", "import radixcheck.verification.pytest_plugin"),
    ],
)
def test_an_import_from_a_higher_room_is_seen(room: str, source: str) -> None:
    assert len(forbidden_rooms(room, ast.parse(source))) == 1


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("remote", "from radixcheck.verification.protocol import Setup"),
        ("remote", "from radixcheck.verification import operations"),
        ("report", "from radixcheck.verification.search.search_results import Verdict"),
        ("report", "from radixcheck.verification.findings.finding import Finding"),
        ("report", "from radixcheck.verification.report import tables"),
    ],
)
def test_an_import_from_below_passes(room: str, source: str) -> None:
    assert forbidden_rooms(room, ast.parse(source)) == []


def test_no_files_import_each_other_in_a_circle() -> None:
    imports = {name: set[str]() for name in modules()}
    for name, path in modules().items():
        found = {other if other in imports else other.rpartition(".")[0] for other in imported_names(syntax(path))}
        imports[name] = found & imports.keys() - {name}

    assert sum(map(len, imports.values())) > len(imports)
    assert circle(imports) == []


def test_a_circle_is_seen() -> None:
    assert set(circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == {"a", "b", "c"}


def test_no_two_modules_have_the_same_file_name() -> None:
    names = Counter(path.rpartition("/")[2] for path in modules().values())
    twice = {name for name, count in names.items() if count > 1} - {*ENTRY_POINTS}

    assert twice <= SHARED_NAMES
    assert max(names[name] for name in SHARED_NAMES) <= 2


def test_every_module_is_named_by_another() -> None:
    """A module that no other file imports or names, as `module:factory` or in the project's configuration, is dead."""
    named_by = {path: {*imported_names(syntax(path)), *re.findall(r"radixcheck(?:\.\w+)+", text)} for path, text in python_files().items()}
    configuration = (ROOT / "pyproject.toml").read_text()

    actual = [
        name
        for name, path in modules().items()
        if not path.endswith(("/__init__.py", "/__main__.py"))
        and name not in configuration
        and not any(name in names for other, names in named_by.items() if other != path)
    ]

    assert actual == []


def test_spec_and_reference_run_on_the_standard_library_alone() -> None:
    """Without site-packages every module of the two imports, and leaves nothing else loaded."""
    names = [name for name, path in modules().items() if path.startswith(("spec/", "reference/"))]
    program = (
        f"import importlib, sys; sys.path.insert(0, {str(PACKAGE.parent)!r})\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "roots = {name.partition('.')[0] for name in sys.modules}\n"
        "print(*sorted(roots - sys.stdlib_module_names - {'__main__'}))"
    )

    assert run_python("-I", "-S", "-c", program) == ["radixcheck"]


@pytest.mark.parametrize("layer", LAYERS)
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
    assert {each.partition(">=")[0] for each in project["optional-dependencies"]["events"]} == {"msgpack", "pyzmq"}
    assert verify == {
        *("radixcheck[check]", "radixcheck[torch]", "radixcheck[plot]", "crosshair-tool", "jinja2", "pytest", "z3-solver", "cvc5")
    }
    assert {each.partition(">=")[0] for each in project["optional-dependencies"]["check"]} == {"click", "hypothesis", "rich"}
