"""The digest of a cache of one's own: it changes with whatever file of the cache changes, and with nothing else."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from places import TESTS

from radixcheck.verification.subjects.own_sources import files_of, subject_digest
from radixcheck.verification.subjects.registry import resolve

ADAPTER = """
import os
from mine.core import tree as the_tree
from mine import LIMIT
import beside

def factory(setup):
    from mine.late import made
    return made(setup)
"""
FILES = {
    "adapter.py": ADAPTER,
    "beside.py": "",
    "stranger.py": "",
    "mine/__init__.py": "LIMIT = 3",
    "mine/late.py": "from radixcheck.verification.subjects.reference_subject import reference_subject as made",
    "mine/core/__init__.py": "",
    "mine/core/tree.py": "from ..deep import node\nfrom . import heap",
    "mine/core/heap.py": "import mine.core.tree",
    "mine/core/unused.py": "",
    "mine/deep/node.py": "import json",
}
UNUSED = {"stranger.py", "mine/core/unused.py"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache of several files, in the current folder."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name, module in sys.modules.items() if str(tmp_path) in str(getattr(module, "__file__", ""))]:
        del sys.modules[name]


@pytest.mark.parametrize("name", ["adapter:factory", "adapter.py:factory", f"adapter.py:factory@{sys.executable}"])
def test_the_files_of_a_cache_are_those_that_its_module_imports(name: str, folder: Path) -> None:
    assert {str(file.relative_to(folder)) for file in files_of(name)} == {*FILES} - UNUSED


def test_a_module_in_a_package_is_found_with_its_packages(folder: Path) -> None:
    (folder / "mine" / "core" / "served.py").write_text("from ..late import made")

    assert {file.name for file in files_of("mine.core.served:made")} == {"served.py", "late.py"}


def test_the_files_of_a_program_are_those_in_its_command(folder: Path) -> None:
    assert files_of("exec:python adapter.py --of mine/late.py") == {Path("adapter.py"), Path("mine/late.py")}


@pytest.mark.parametrize("name", ["reference", "sglang-rust", "vllm@python"])
def test_a_cache_of_the_package_has_no_files_of_its_own(name: str) -> None:
    assert files_of(name) == set()


def test_the_digest_changes_with_each_file_that_is_used(folder: Path) -> None:
    subject = resolve("adapter:factory")
    before = subject_digest(subject)
    changed = {}
    for name, text in FILES.items():
        (folder / name).write_text(f"{text}\n# changed")
        changed[name] = subject_digest(subject) != before
        (folder / name).write_text(text)

    assert {name for name, differs in changed.items() if not differs} == UNUSED
    assert subject_digest(subject) == before


def test_the_digest_changes_with_the_version_that_a_cache_gives() -> None:
    subject = resolve("reference")

    assert len({subject_digest(replace(subject, version=version)) for version in ("", "1", "2")}) == 3
    assert resolve(f"{TESTS / 'subjects' / 'adapter.py'}:factory@{sys.executable}").version == "1"
