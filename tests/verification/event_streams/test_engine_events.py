"""What the caches of SGLang and vLLM report, sent by their own publishers and folded here, is what they hold."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from commands import Command
from places import PACKAGE, TESTS

from radixcheck.verification.core.status import Status
from radixcheck.verification.event_streams.batch_format import id_text
from radixcheck.verification.event_streams.recording import read
from radixcheck.verification.event_streams.stream import folded
from radixcheck.verification.event_streams.stream_results import StreamFolded

PYTHON = os.environ.get("RADIXCHECK_PEERS", "")
REQUESTS = 300


@contextmanager
def publishing(cache: str, folder: Path) -> Iterator[tuple[str, str, list[Any]]]:
    """The addresses of an engine's publisher, and the ids of the blocks that its cache holds when all requests are served."""
    address, replay = (f"ipc://{folder}/{name}" for name in ("events", "replay"))
    words = [PYTHON, str(TESTS / "subjects" / "engine_events.py"), cache, address, replay, str(REQUESTS)]
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True) as engine:
        assert engine.stdout is not None
        yield address, replay, json.loads(engine.stdout.readline())
        engine.communicate()


def recorded(cache: str, folder: Path, command: Command) -> tuple[StreamFolded, set[str]]:
    """The folded recording, and what the cache holds."""
    file = folder / "events.jsonl"
    with publishing(cache, folder) as (address, replay, held):
        ran = command("record", address, file, "--replay-endpoint", replay, "--seconds", 1, "--json")
    assert (ran.status, ran.json["batches"], ran.json["complete"]) == (0, REQUESTS, True)
    return folded(read(file)), set(map(str, held))


def resident(seen: StreamFolded) -> set[str]:
    return set(map(id_text, seen.tiers["device"].ids))


@pytest.mark.peers
@pytest.mark.parametrize("cache", ["sglang", "vllm"])
def test_the_events_of_an_engine_hold_and_give_what_its_cache_holds(cache: str, tmp_path: Path, command: Command) -> None:
    seen, held = recorded(cache, tmp_path, command)

    assert (seen.status, seen.faults, seen.doubts) == (Status.HOLDS, (), ())
    assert resident(seen) == held
    assert seen.pages["removed"] > 100
    assert (seen.copies > 0) == (cache == "vllm")


@pytest.mark.peers
def test_ids_of_sglang_forget_the_extra_key_and_its_other_format_does_not_show_it(tmp_path: Path, command: Command) -> None:
    for name in ("keys", "dynamo"):
        (tmp_path / name).mkdir()
    forgotten, _ = recorded("sglang-keys", tmp_path / "keys", command)
    hidden, held = recorded("sglang-dynamo", tmp_path / "dynamo", command)

    assert (forgotten.status, set(forgotten.fault_counts)) == (Status.REFUTED, {"EVENT_ORDER", "EVENT_PARENT"})
    assert (hidden.status, set(hidden.doubtful_counts)) == (Status.UNDECIDED, {"EVENT_ID"})
    assert resident(hidden) == held
