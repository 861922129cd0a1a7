"""The package in an environment of its own, installed from each kind of place without what it needs: the message says how to go on.

What is installed is the last commit.
"""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from newcomer import newcomer
from places import ROOT
from test_packaging import build


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and logs nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Do nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the URL at which its files are served."""
    (folder := tmp_path / "served").mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def place(kind: str, folder: Path, served: tuple[Path, str]) -> list[str]:
    """A place to install from, as the arguments of an installer."""
    bare, checkout = served[0] / "radixcheck.git", folder / "a checkout"
    if kind == "git URL":
        subprocess.run(["git", "clone", "--quiet", "--bare", str(ROOT), str(bare)], check=True)
        subprocess.run(["git", "update-server-info"], cwd=bare, check=True)
        return [f"git+{served[1]}/{bare.name}"]
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(checkout)], check=True)
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
def test_the_command_that_the_message_names_works_from_where_the_package_stands(
    kind: str, served: tuple[Path, str], tmp_path: Path
) -> None:
    program = tmp_path / "environment" / "bin"
    subprocess.run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", str(program.parent)], check=True)
    subprocess.run([str(program / "python"), "-m", "pip", "install", "--quiet", "--no-deps", *place(kind, tmp_path, served)], check=True)

    refused = shell(f"{program}/radixcheck verify reference", tmp_path, 2)
    assert refused.startswith("radixcheck: click is not installed: ")
    assert refused.count("\n") == 1
    shell(refused.partition(" is not installed: ")[2], tmp_path)

    assert "reference and model agree" in shell(
        f"{program}/radixcheck diff reference model --operations 300 --policy lru --page-size 1", tmp_path
    )
    torch = shell(f"{program}/radixcheck verify optimized", tmp_path, 2)
    assert torch.startswith(f"radixcheck: optimized needs torch: {program}/python -m pip install ")
