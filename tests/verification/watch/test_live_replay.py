"""A fault of SGLang's own cache that a watch has found is repeated without a server. Marked peers: no engine is started."""

import os
from pathlib import Path

import pytest
from commands import Command
from places import PACKAGE, ROOT

from radixcheck.verification.core.traces import read

PEERS_PYTHON = os.environ.get("RADIXCHECK_PEERS", "")  # the interpreter of an environment that has SGLang
PROGRAM = ROOT / "tests" / "subjects" / "live_classic_fault.py"
FAULTY = f"{PEERS_PYTHON} {ROOT / 'verification' / 'remote' / 'serve.py'} {PROGRAM}:evicts_half"


def properties(command: Command, *arguments: object) -> tuple[set[str], set[str]]:
    """What a replay breaks at the last operation, and anywhere."""
    steps = command("replay", *arguments, "--json").json["operations"]
    assert all(step["performed"] for step in steps)
    last, *_ = ({each["property"] for each in step["broken"]} for step in steps[::-1])
    return last, {each["property"] for step in steps for each in step["broken"]}


@pytest.mark.peers
def test_a_fault_of_a_watched_cache_of_sglang_is_repeated_by_its_trace_and_shrunk(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE.parent))
    small, server = tmp_path / "small.jsonl", (PEERS_PYTHON, PROGRAM, "fault")
    ran = command("watch", "--to", tmp_path / "watch", "--operations", 200, "--json", "--", *server)
    (cache,) = ran.json["caches"]
    trace = tmp_path / "watch" / cache["findings"][0]["trace"]

    assert (ran.status, {*cache["found"]}, cache["cache"]) == (1, {"EVICT_PROGRESS"}, "sglang-classic")
    last, _ = properties(command, trace, "--exec", FAULTY, "--shrink", small)
    _, of_clean = properties(command, trace, "--python", PEERS_PYTHON)
    assert last == {"EVICT_PROGRESS"}
    assert of_clean <= {"RECENCY", "CREATION", "ATTRIBUTE_MONO"}  # L5
    assert 1 < len(read(small).trace) <= 5 < len(read(trace).trace)


@pytest.mark.peers
def test_the_same_requests_through_the_cache_as_it_is_show_nothing(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(PACKAGE.parent))
    ran = command("watch", "--to", tmp_path, "--", PEERS_PYTHON, PROGRAM)

    assert ran.status == 0, ran
    assert "accepted departures" in ran.words
