"""The two commands of the README, run as a newcomer would: in a fresh clone, with nothing installed.

What is cloned is the last commit. The second command leaves out tests marked slow,
and so does not come back to this file.
"""

import re
import subprocess
from pathlib import Path

import pytest
from newcomer import newcomer
from places import ROOT


def command_under(heading: str) -> str:
    """The first fenced `sh` block after a heading of the README."""
    text = (ROOT / "README.md").read_text()
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.search(r"^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert found, f"README.md has no block ```sh under '## {heading}'"
    return found[1]


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
