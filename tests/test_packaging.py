"""What is built and installed: every module under its import name, the command, the version, and nothing else."""

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from places import LAYERS, PACKAGE, ROOT

OWN_FILES = {"__init__.py", "__main__.py", "py.typed"}
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def build(source: Path, target: str, into: Path) -> Path:
    """Build one distribution with the build backend of this environment, and return its file."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (built,) = into.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the contents of a wheel that was built from the sdist."""
    folder = tmp_path_factory.mktemp("packaging")
    with tarfile.open(build(ROOT, "sdist", folder / "sdist")) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    with zipfile.ZipFile(build(unpacked, "wheel", folder / "wheel")) as wheel:
        wheel.extractall(folder / "installed")
    return folder / "installed"


def python(path: Path, *arguments: str) -> str:
    """Run Python with this folder before all others; it must succeed. Returns what it printed."""
    environment = os.environ | {"PYTHONPATH": str(path)}
    return subprocess.run([sys.executable, *arguments], env=environment, cwd=path, check=True, capture_output=True, text=True).stdout


def test_a_wheel_built_from_the_sdist_holds_every_module(installed: Path) -> None:
    actual = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    modules = {f"radixcheck/{path.relative_to(ROOT)}" for layer in LAYERS for path in (ROOT / layer).rglob("*.py")}

    assert modules <= actual
    assert {name.split("/")[0] for name in actual} == {"radixcheck", f"radixcheck-{VERSION}.dist-info"}
    assert {path.name for path in (installed / "radixcheck").iterdir()} == OWN_FILES | set(LAYERS)
    assert sum(name.endswith("licenses/LICENSE") for name in actual) == 1


@pytest.mark.parametrize("editable", [False, True])
def test_the_package_runs_as_the_command_and_knows_its_version(installed: Path, editable: bool) -> None:
    path = PACKAGE.parent if editable else installed

    assert python(path, "-m", "radixcheck", "--version") == f"radixcheck, version {VERSION}\n"
    program = "import radixcheck; print(radixcheck.__file__, radixcheck.__version__)"
    assert python(path, "-c", program) == f"{path / 'radixcheck' / '__init__.py'} {VERSION}\n"


def test_data_beside_modules_is_read_from_a_wheel(installed: Path) -> None:
    program = "from radixcheck.verification.watch.departures import departures; print(*(each.cache for each in departures()))"

    assert python(installed, "-c", program).split()[:2] == ["sglang-classic", "sglang-python"]


def test_where_the_package_is_not_installed_it_knows_its_version_too() -> None:
    program = f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); import radixcheck; print(radixcheck.__version__)"

    assert python(PACKAGE.parent, "-I", "-S", "-c", program) == f"{VERSION}\n"


@pytest.mark.parametrize("module", ["optimized", "optimized.heap", "optimized.integrations.sglang_limits"])
def test_where_torch_is_missing_the_optimized_cache_says_so_in_one_sentence(module: str) -> None:
    """Without site-packages there is no torch."""
    program = (
        f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r})\n"
        "import radixcheck.reference\n"
        f"try: import radixcheck.{module}\n"
        "except ImportError as error: print(type(error).__name__, error.name, error.__suppress_context__, error, sep='; ')"
    )

    assert python(PACKAGE.parent, "-I", "-S", "-c", program) == (
        "ModuleNotFoundError; torch; True; radixcheck.optimized keeps slots in tensors and needs torch, which is not installed for this "
        "Python: pip install torch (radixcheck.reference and radixcheck.spec run without it)\n"
    )


def test_the_links_of_an_editable_install_are_relative() -> None:
    """So that a checkout can be moved and cloned."""
    links = {path.name: os.readlink(path) for path in PACKAGE.iterdir() if path.is_symlink()}

    assert links == {layer: f"../../{layer}" for layer in LAYERS}
    assert {path.name for path in PACKAGE.iterdir()} - {"__pycache__"} == OWN_FILES | set(LAYERS)
