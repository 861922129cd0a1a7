"""The package in an environment of its own, installed from each kind of place without what it needs: the message says how to go on.

What is installed is the last commit.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from newcomer import newcomer
from places import ROOT
from test_packaging import build


def place(kind: str, folder: Path) -> list[str]:
    """A place to install from, as the arguments of an installer."""
    if kind == "git URL":
        return [f"git+{ROOT.as_uri()}"]
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "a checkout")], check=True)
    checkout = folder / "a checkout"
    if kind == "wheel file":
        return [str(build(checkout, "wheel", folder / "wheel"))]
    return ["-e", str(checkout)] if kind == "checkout" else [str(checkout)]


def shell(command: str, folder: Path, status: int = 0) -> str:
    """Run a command as a newcomer does; it must end with this status. Returns all that it printed."""
    ran = subprocess.run(["sh", "-c", command], cwd=folder, env=newcomer(folder), capture_output=True, text=True, check=False)
    assert ran.returncode == status, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["wheel file", "git URL", "folder", "checkout"])
def test_the_command_that_the_message_names_works_from_where_the_package_stands(kind: str, tmp_path: Path) -> None:
    program = tmp_path / "environment" / "bin"
    subprocess.run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", str(program.parent)], check=True)
    subprocess.run([str(program / "python"), "-m", "pip", "install", "--quiet", "--no-deps", *place(kind, tmp_path)], check=True)

    refused = shell(f"{program}/radixcheck verify reference", tmp_path, 2)
    assert refused.startswith("radixcheck: click is not installed: ")
    assert refused.count("\n") == 1
    shell(refused.partition(" is not installed: ")[2], tmp_path)

    assert "reference and model agree" in shell(
        f"{program}/radixcheck diff reference model --operations 300 --policy lru --page-size 1", tmp_path
    )
    torch = shell(f"{program}/radixcheck verify optimized", tmp_path, 2)
    assert torch.startswith(f"radixcheck: optimized needs torch: {program}/python -m pip install ")
