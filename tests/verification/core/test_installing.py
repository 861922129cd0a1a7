"""What a message recommends where a package is missing: it names the place that this package came from."""

import json
import re
import shlex
import sys
import tomllib
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest
from places import ROOT

from radixcheck.verification.core.installing import EXTRAS, install_command, installer, is_checkout, is_extra, missing, named, requirement

METADATA = """Metadata-Version: 2.5
Name: radixcheck
Provides-Extra: check
Requires-Dist: click>=8.1; extra == 'check'
Requires-Dist: rich >=13.7 ; extra == "check"
Requires-Dist: torch>=2.9; extra == 'verify'
Requires-Dist: other>=1
"""
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def installed(folder: Path, direct_url: object = None) -> Distribution:
    """The metadata of an installed package, as an installer leaves it."""
    info = folder / "radixcheck-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(METADATA)
    if direct_url is not None:
        (info / "direct_url.json").write_text(json.dumps(direct_url))
    return PathDistribution(info)


def test_in_a_checkout_it_is_installed_from_there() -> None:
    assert requirement("check") == f"-e {shlex.quote(f'{ROOT}[check]')}"
    assert requirement() == f"-e {shlex.quote(str(ROOT))}"
    assert named("check", Path("/a b"), None) == "-e '/a b[check]'"


@pytest.mark.parametrize(
    ("direct_url", "words"),
    [
        ({"url": "https://host/radixcheck.whl", "archive_info": {}}, ["radixcheck[check] @ https://host/radixcheck.whl"]),
        (
            {"url": "https://host/owner/name.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            [f"radixcheck[check] @ git+https://host/owner/name.git@{COMMIT}"],
        ),
        ({"url": "file:///is/gone/radixcheck.whl", "archive_info": {}}, ["click>=8.1", "rich>=13.7"]),
        ({"url": "file:///a/repository", "vcs_info": {"vcs": "git", "commit_id": COMMIT}}, ["click>=8.1", "rich>=13.7"]),
        (None, ["click>=8.1", "rich>=13.7"]),
    ],
    ids=["wheel", "git", "gone", "git here", "index"],
)
def test_elsewhere_it_is_installed_from_where_it_came_or_its_packages_are(tmp_path: Path, direct_url: object, words: list[str]) -> None:
    assert shlex.split(named("check", None, installed(tmp_path, direct_url))) == words


def test_a_file_that_is_still_there_is_named(tmp_path: Path) -> None:
    file = tmp_path / "a wheel.whl"
    file.touch()

    assert shlex.split(named("check", None, installed(tmp_path, {"url": file.as_uri()}))) == [f"radixcheck[check] @ {file.as_uri()}"]


def test_without_any_knowledge_a_url_is_asked_for(tmp_path: Path) -> None:
    assert named("sglang", None, installed(tmp_path)) == "'radixcheck[sglang] @ URL'"
    assert named("", None, None) == "'radixcheck @ URL'"


def test_a_checkout_is_recognized() -> None:
    assert is_checkout(ROOT)
    assert not is_checkout(ROOT / "verification")


def test_the_command_is_for_this_interpreter_or_for_the_one_that_is_named() -> None:
    assert install_command("check") == f"{installer()} {requirement('check')}"
    assert shlex.split(installer())[0] in (sys.executable, "uv")
    assert install_command("", "a python", "--no-deps") == f"'a python' -m pip install --no-deps {requirement()}"


@pytest.mark.parametrize(("status", "words"), [(0, "{python} -m pip install"), (1, "uv pip install --python {python}")])
def test_the_installer_is_one_that_the_other_environment_has(status: int, words: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\nexit {status}\n")
    python.chmod(0o755)

    assert installer(str(python)) == words.format(python=python)


def test_a_missing_package_is_named_by_its_root_with_its_extra() -> None:
    assert missing("rich.text") == f"rich is not installed: {install_command('check')}"
    assert is_extra(ModuleNotFoundError(name="rich.text"))
    assert not is_extra(ModuleNotFoundError(name="somebody_elses"))
    assert not is_extra(ModuleNotFoundError())


def test_each_package_is_installed_by_the_extra_that_is_recommended() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    distributions = {"crosshair": "crosshair-tool", "z3": "z3-solver", "zmq": "pyzmq"}  # where they have another name than their package

    for package, extra in EXTRAS.items():
        wanted = [name for line in extras[extra] for name in (extras[line[11:-1]] if line.startswith("radixcheck[") else [line])]
        assert any(re.match(f"{distributions.get(package, package)}\\b", line) for line in wanted), package
