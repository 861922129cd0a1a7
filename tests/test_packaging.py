"""What is built and installed: every module under its import name, and nothing else."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from places import ROOT

LAYERS = ("spec", "reference", "optimized", "verification")


def build(source: Path, target: str, into: Path) -> Path:
    """Build one distribution with the build backend of this environment, and return its file."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(into)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (built,) = into.iterdir()
    return built


def test_a_wheel_built_from_the_sdist_holds_every_module(tmp_path: Path) -> None:
    with tarfile.open(build(ROOT, "sdist", tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (unpacked,) = (tmp_path / "unpacked").iterdir()

    with zipfile.ZipFile(build(unpacked, "wheel", tmp_path / "wheel")) as wheel:
        actual = {name for name in wheel.namelist() if ".dist-info/" not in name}
        licences = [name for name in wheel.namelist() if name.endswith("licenses/LICENSE")]

    modules = {f"radixcheck/{path.relative_to(ROOT)}" for layer in LAYERS for path in (ROOT / layer).rglob("*.py")}
    markers = {f"radixcheck/{layer}/py.typed" for layer in LAYERS}
    assert modules | markers <= actual
    assert {name.split("/")[0] for name in actual} == {"radixcheck"}
    assert {name.split("/")[1] for name in actual} == set(LAYERS)
    assert len(licences) == 1


def test_the_links_of_an_editable_install_are_relative() -> None:
    """So that a checkout can be moved and cloned."""
    actual = {link.name: os.readlink(link) for link in (ROOT / ".dev" / "radixcheck").iterdir()}

    assert actual == {layer: f"../../{layer}" for layer in LAYERS}
