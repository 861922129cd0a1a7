"""Subjects: made once from a name or a factory, and passed on as values."""

import pickle
import sys
from pathlib import Path

import pytest
from places import TESTS

from radixcheck.spec.values import Key
from radixcheck.verification.checker.misuse import _CALLS
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.core.workers import Here, workers_for
from radixcheck.verification.operations import HOST_MISUSES, REQUEST_MISUSES, TREE_MISUSES, Op
from radixcheck.verification.protocol import Setup
from radixcheck.verification.search.run import Config  # type: ignore[attr-defined]  # as in regression tests that were written earlier
from radixcheck.verification.subjects.reference_subject import ReferenceSubject
from radixcheck.verification.subjects.registry import isolated, resolve
from radixcheck.verification.trace_replay.judge import judge

SETUP = Setup(1, "lru", WatchedPool(8, 1))


def test_a_subject_holds_what_its_cache_declares() -> None:
    subject = resolve("model")
    assert (subject.name, subject.white_box) == ("model", True)
    assert subject.supports == subject(SETUP).supports


def test_a_named_subject_goes_to_worker_processes_although_its_factory_cannot_be_pickled() -> None:
    subject = pickle.loads(pickle.dumps(resolve("faulty:double_free")))
    assert isinstance(subject(SETUP), ReferenceSubject)
    assert subject == resolve("faulty:double_free")


def test_a_factory_stays_in_this_process() -> None:
    subject = resolve(lambda setup: ReferenceSubject(setup.page_size, setup.policy, setup.pool))
    assert resolve(subject) is subject
    assert isinstance(workers_for(resolve("model"), subject), Here)


def test_a_regression_test_that_was_written_earlier_still_runs() -> None:
    operations = (Op("insert", Key((1,))), Op("reset"))
    assert judge(resolve("reference"), Config("lru", page_size=1, pool=4, device="cpu"), operations).violations == ()


NARROW = """
from radixcheck.verification.protocol import Supports
from radixcheck.verification.subjects.reference_subject import ReferenceSubject
class Narrow(ReferenceSubject):
    supports = Supports(policies=("lfu",), page_sizes=(16,))
def cache(setup):
    if (setup.page_size, setup.policy) != (16, "lfu"):
        raise ValueError(f"no pages of {setup.page_size} with {setup.policy}")
    return Narrow(setup.page_size, setup.policy, setup.pool)
def none(setup):
    raise ValueError(f"no pages of {setup.page_size} with {setup.policy}")
"""


@pytest.mark.parametrize("where", ["", f"@{sys.executable}"], ids=["here", "there"])
def test_a_cache_need_not_support_pages_of_one_token_or_lru(where: str, tmp_path: Path) -> None:
    file = tmp_path / "narrow_adapter.py"
    file.write_text(NARROW)

    subject = resolve(f"{file}:cache{where}")
    assert (subject.supports.page_sizes, subject.supports.policies) == ((16,), ("lfu",))
    with pytest.raises(UsageError, match="no pages of 1 with lru"):
        resolve(f"{file}:none{where}")


def test_each_misuse_has_a_call() -> None:
    assert tuple(_CALLS) == TREE_MISUSES + REQUEST_MISUSES + HOST_MISUSES


BESIDE = """
import json
from beside import Reference
from here import VERSION
def cache(setup):
    made = Reference(setup.page_size, setup.policy, setup.pool)
    made.version = VERSION + json.dumps(1)
    return made
"""


def test_a_file_imports_what_lies_beside_it_and_in_the_current_folder_in_each_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "here.py").write_text('VERSION = "1."')
    (tmp_path / "sub" / "beside.py").write_text(f"from {ReferenceSubject.__module__} import ReferenceSubject as Reference")
    (tmp_path / "sub" / "json.py").write_text(BESIDE)  # it may have the name of what it imports
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "beside", None)
    monkeypatch.delitem(sys.modules, "beside")

    assert resolve(f"sub/json.py:cache@{sys.executable}").version == "1.1"
    subject = resolve("sub/json.py:cache")
    assert (subject.version, subject.supports.here, isolated(subject).supports.here) == ("1.1", True, False)


def test_the_toy_is_served_too() -> None:
    subject = isolated(resolve(f"{TESTS / 'subjects' / 'toy_adapter.py'}:Toy"))
    assert subject(SETUP).supports.policies == ("lru",)
