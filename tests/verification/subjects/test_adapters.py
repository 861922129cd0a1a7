"""Adapters of serving engines: what they may import, what they say where their cache is missing, and the layer that all of them share."""

import ast
import os
import sys
from pathlib import Path

import pytest
from places import ROOT

from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.engine_caches import PEERS
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.protocol import Setup
from radixcheck.verification.remote.presence import presence
from radixcheck.verification.remote.remote_subject import Remote
from radixcheck.verification.search.run import random_run
from radixcheck.verification.subjects.registry import resolve, served_by

SERVE = ROOT / "verification" / "remote" / "serve.py"
SUBJECTS = ROOT / "verification" / "subjects"
ADAPTERS = sorted([*SUBJECTS.glob("sglang*.py"), SUBJECTS / "vllm.py", SUBJECTS / "engine_shim.py", SUBJECTS / "host_shim.py"])
BESIDE = {"radixcheck.verification.remote.serve", *(f"radixcheck.verification.subjects.{path.stem}" for path in ADAPTERS)}
POLICIES = ("lru", "fifo", "filo", "mru", "priority")
PEERS_PYTHON = os.environ.get("RADIXCHECK_PEERS", "")  # the interpreter of an environment that has them


def toy_of(name: str) -> Remote:
    """A toy in another process."""
    return Remote((sys.executable, str(SERVE), f"{ROOT / 'tests' / 'subjects' / 'toy_tree.py'}:{name}"))


def found(toy: str, runs: int) -> RunResult:
    """Some random runs on a toy in another process."""
    factory, result = toy_of(toy), RunResult()
    for k in range(runs):
        size = (1, 2, 16)[k % 3]
        config = Config(POLICIES[k % 5], size, (6, 10, 16)[k // 3 % 3] * size)
        result.merge(random_run(factory, config, k, stride=8 if k % 4 else 1, misused=k % 2 == 0))
    return result


def process_of(seed: int) -> int:
    """The process that served a run in which something was refused."""
    numbers = list[int]()

    def factory(setup: Setup) -> object:
        subject = toy_of("white")(setup)
        numbers.append(subject._process._child.pid)
        return subject

    random_run(factory, Config("lru", 1, 6), seed, misused=True, replicated=0)
    return numbers[0]


@pytest.mark.parametrize("toy", ["white", "black"])
def test_a_right_tree_behind_the_callers_is_right(toy: str) -> None:
    result = found(toy, 30)

    assert result.found == {}
    assert result.steps > 2_000
    requests, tree = {"start", "chunk", "decode", "finish", "abort"}, {"lock", "unlock", "insert", "evict", "reset"}
    assert requests | tree | {"alloc", "free"} <= set(result.fired)


@pytest.mark.parametrize(("toy", "property_"), [("generous", "EVICT_EXACT"), ("forgetful", "LOCK_COUNT")])
def test_a_fault_of_the_callers_is_seen(toy: str, property_: str) -> None:
    assert property_ in found(toy, 30).found


def test_a_fault_of_the_tree_is_seen_behind_the_callers_and_charged_to_nothing_else() -> None:
    """Its clock is read twice for a node: what deviates in one reading is not charged to the other."""
    assert {"RECENCY"} <= set(found("hasty", 30).found) <= {"RECENCY", "ORDER"}  # a start evicts by the times that it has just refreshed


def test_a_fault_of_the_tree_is_seen_from_outside() -> None:
    assert not {"ORDER", "EVICT_EXACT", "EVICT_PROGRESS"}.isdisjoint(found("hasty_black", 60).found)


def test_a_subject_that_is_done_with_gives_its_process_back() -> None:
    """Also after refusals, which a trace of calls would keep alive: a second process of a heavy cache takes seconds to start."""
    assert len({process_of(k) for k in range(6)}) == 1


def top_level_imports(source: str) -> list[str]:
    """What a module imports when it is loaded."""
    body = ast.parse(source).body
    names = [alias.name for node in body if isinstance(node, ast.Import) for alias in node.names]
    return names + [node.module or "" for node in body if isinstance(node, ast.ImportFrom)]


@pytest.mark.parametrize("path", ADAPTERS, ids=lambda path: path.stem)
def test_an_adapter_loads_with_python_and_its_neighbours_alone(path: Path) -> None:
    names = top_level_imports(path.read_text())
    assert [name for name in names if name not in BESIDE and name.partition(".")[0] not in sys.stdlib_module_names] == []


def test_an_import_of_something_else_would_be_seen() -> None:
    assert top_level_imports("import torch\nfrom sglang.srt import x") == ["torch", "sglang.srt"]


def test_a_cache_that_is_missing_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PEERS_DIR", raising=False)

    said = presence({name: served_by(name, sys.executable) for name in PEERS}, lambda share, what: None)

    assert set(said) == set(PEERS)
    for name, answer in said.items():
        assert set(answer) == {"missing"}
        assert ("PEERS_DIR" if "0.4.6" in name or name == "vllm" else "pip install sglang") in answer["missing"]


def test_sources_that_are_not_where_they_were_said_to_be_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PEERS_DIR", str(tmp_path))
    with pytest.raises(UsageError, match=r"there is no sglang-0\.4\.6\.post5 in PEERS_DIR=.*pip download"):
        resolve("sglang-0.4.6")(Setup(1, "lru", WatchedPool(8, 1)))


@pytest.mark.peers
@pytest.mark.parametrize("name", sorted(PEERS))
def test_every_verb_of_a_peer_can_be_called(name: str) -> None:
    """Needs RADIXCHECK_PEERS, a Python that has SGLang and what vLLM imports, and PEERS_DIR with the extracted sources."""
    factory, result = resolve(f"{name}@{PEERS_PYTHON}"), RunResult()
    for k in range(8):
        result.merge(random_run(factory, Config("lru", (1, 16)[k % 2], 10 * (1, 16)[k % 2]), k, misused=k % 2 == 0))

    assert (result.lost, {"REFINEMENT", "MISUSE"} & result.found.keys()) == (0, set())
    assert result.steps > 100
