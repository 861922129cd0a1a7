"""The extra `check` is enough to check a cache in Python: with its packages alone, commands and the pytest plugin work.

What only other extras install is not there; the commands that need it are refused with the command that installs it.
"""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from places import PACKAGE, ROOT, TESTS

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
ABSENT = ("torch", "z3", "cvc5", "crosshair", "jinja2", "matplotlib", "msgpack", "zmq", "numpy")

REFUSED = {
    "verify": "optimized needs torch",
    "prove": "the proofs need Z3",
    "contracts": "torch is not installed",
    "mutants": "torch is not installed",
    "report": "jinja2 is not installed",
}


def packages_of(requirements: list[str], found: frozenset[str] = frozenset()) -> frozenset[str]:
    """The names of what is required, and of what that requires; requirements with a condition are left out."""
    for line in requirements:
        name = re.match(r"[\w.-]+", line)
        assert name
        if name[0] not in found:
            needed = [each for each in distribution(name[0]).requires or () if ";" not in each]
            found = packages_of(needed, found | {name[0]})
    return found


def linked(packages: frozenset[str], folder: Path) -> Path:
    """A folder to import from, with a link to each file and folder at the top of these packages, and to nothing else."""
    folder.mkdir()
    for name in packages:
        found = distribution(name)
        for part in {file.parts[0] for file in found.files or () if file.parts[0] not in ("..", "__pycache__")}:
            (folder / part).symlink_to(str(found.locate_file(part)))
    return folder


def environment_of(packages: frozenset[str], folder: Path) -> dict[str, str]:
    path = [linked(packages, folder / "packages"), PACKAGE.parent, TESTS / "subjects"]
    return os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))}


def ran(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a program where only the packages of the extra, and pytest, can be imported."""
    (folder / "program.py").write_text(program)
    environment = environment_of(packages_of([*EXTRAS["check"], "pytest"]), folder)
    command = [sys.executable, "-S", "program.py"]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def test_with_the_extra_check_alone_what_needs_more_is_refused_with_the_command_that_installs_it(tmp_path: Path) -> None:
    program = f"""
from importlib.util import find_spec
from radixcheck.verification.cli.app import run

assert [name for name in {ABSENT} if find_spec(name)] == []
print([int(run([command])) for command in {[*REFUSED]}])
"""
    found = ran(program, tmp_path)

    assert found.stdout == f"{[2] * len(REFUSED)}\n", found.stderr
    for line, words in zip(found.stderr.splitlines(), REFUSED.values(), strict=True):
        assert line.startswith(f"radixcheck: {words}: "), line
        assert str(ROOT) in line


@pytest.mark.slow
def test_with_the_extra_check_alone_caches_are_checked_compared_replayed_and_shown(tmp_path: Path) -> None:
    program = """
from radixcheck.verification.cli.app import run

if __name__ == "__main__":
    small = ["--operations", "300", "--policy", "lru", "--page-size", "1"]
    for arguments, expected in (
        (["verify", "as-submitted:pairs", *small, "--no-stretch", "--traces", "found"], 1),
        (["diff", "reference", "model", *small], 0),
        (["replay", "found/as-submitted-pairs-EVICT_LEAF.jsonl", "--subject", "as-submitted:pairs"], 1),
        (["show", "found/as-submitted-pairs-EVICT_LEAF.jsonl", "--subject", "as-submitted:pairs"], 1),
    ):
        assert run(arguments) == expected, arguments
    import pytest
    plugin = ["-p", "radixcheck.verification.pytest_plugin", "--radixcheck-subject=as-submitted:pairs"]
    assert pytest.main([*plugin, "-k", "EVICT_LEAF", "--radixcheck-seconds=3"]) == 1
"""
    found = ran(program, tmp_path)

    assert found.returncode == 0, found.stdout[-2_000:] + found.stderr[-2_000:]
    assert "EVICT_LEAF REFUTED" in found.stdout
    assert "1 failed" in found.stdout
