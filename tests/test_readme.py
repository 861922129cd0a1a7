"""The two commands of the README, run as a newcomer would: in a fresh clone, with nothing installed.

What is cloned is the last commit. The second command leaves out tests marked slow,
and so does not come back to this file.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

# What an installer needs to reach its index; nothing else of the caller's environment is passed on.
KEPT = re.compile(r"(?i)PIP_\w+|\w+_PROXY|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE")


def command_under(heading: str) -> str:
    """The first fenced `sh` block after a heading of the README."""
    text = (ROOT / "README.md").read_text()
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert found, f"README.md has no block ```sh under '## {heading}'"
    return found[1]


def newcomer(home: Path) -> dict[str, str]:
    """An environment with the system's programs only: no folder of the virtual environment that runs this test."""
    inside = Path(sys.prefix).resolve() if sys.prefix != sys.base_prefix else None
    folders = os.environ["PATH"].split(os.pathsep)
    outside = [folder for folder in folders if inside is None or inside not in Path(folder).resolve().parents]
    kept = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
    return kept | {"PATH": os.pathsep.join(outside), "HOME": str(home)}


def last_line_of(command: str, folder: Path) -> str:
    """Run a command in a fresh clone; it must succeed. Returns the last line that it printed."""
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "radixcheck")], check=True)
    ran = subprocess.run(
        ["sh", "-e", "-c", command],
        cwd=folder / "radixcheck",
        env=newcomer(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-4_000:]
    return ran.stdout.rstrip().splitlines()[-1]


@pytest.mark.slow
def test_the_command_that_checks_a_cache_ends_in_a_verdict(tmp_path: Path) -> None:
    assert "holds" in last_line_of(command_under("Check a cache"), tmp_path)


@pytest.mark.slow
def test_the_command_that_runs_the_tests_ends_with_all_of_them_passing(tmp_path: Path) -> None:
    actual = last_line_of(command_under("Run the tests"), tmp_path)

    assert re.search(r"\b\d+ passed\b", actual)
    assert not re.search(r"failed|error", actual)
