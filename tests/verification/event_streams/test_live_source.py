"""Batches of a live server: what was missed comes from its replay socket, and the mark of completeness says that nothing is missing."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from threading import Timer
from time import sleep
from typing import Any

import pytest
import zmq
from commands import Command
from event_server import EventServer, serving
from event_trials import frames, payloads

from radixcheck.verification.core.deadline import Deadline
from radixcheck.verification.core.status import Status
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.event_streams.live_source import Endpoint, LiveSource
from radixcheck.verification.event_streams.payload import StreamError
from radixcheck.verification.event_streams.recording import Complete, Frame, Item, read
from radixcheck.verification.event_streams.stream import folded

SENT = payloads(seed=5, batches=40)
WHOLE = folded(frames(seed=5, batches=40))


def items(endpoint: Endpoint, server: EventServer | None = None, seconds: float = 20.0) -> list[Item]:
    """What comes until the server has sent everything, or for some seconds."""
    with closing(LiveSource(endpoint)) as source:
        return list(source.items(Deadline.after(seconds), server.sent.is_set if server else lambda: False))


def seqs(found: list[Item]) -> list[int]:
    return [item.seq for item in found if isinstance(item, Frame)]


@pytest.mark.parametrize("how", [{}, {"before": 13, "again": (5,)}, {"lost": (3, 4, 20, 39)}, {"before": 10, "lost": (10, 30)}])
def test_with_a_replay_socket_every_batch_comes_in_order_and_the_end_is_marked(how: dict[str, Any]) -> None:
    with serving(SENT, **how) as server:
        found = items(Endpoint(server.address, server.replay), server)

    assert seqs(found) == list(range(40))
    assert found[-1] == Complete(39)
    assert (folded(found).status, folded(found).tiers) == (Status.HOLDS, WHOLE.tiers)


def test_a_batch_that_the_server_sends_twice_is_a_fault() -> None:
    with serving(SENT, again=(5,)) as server:
        found = folded(items(Endpoint(server.address, server.replay), server))

    assert [(fault.property, fault.seq) for fault in found.faults] == [("EVENT_ORDER", 5)]


def test_what_the_server_no_longer_has_stays_a_gap() -> None:
    with serving(SENT, before=30, kept=5) as server:
        found = folded(items(Endpoint(server.address, server.replay), server))

    assert (found.status, found.first, found.complete) == (Status.UNDECIDED, 25, True)
    assert "starts late" in found.doubts[0].why


@pytest.mark.parametrize("how", [{"before": 13}, {"lost": (3, 4, 20)}])
def test_without_a_replay_socket_what_was_missed_leaves_the_stream_undecided(how: dict[str, Any]) -> None:
    with serving(SENT, **how) as server:
        found = folded(items(Endpoint(server.address), server, seconds=2.0))

    assert found.status == Status.UNDECIDED
    assert "--replay-endpoint" in found.doubts[0].decides
    assert not found.complete


def test_a_replay_socket_that_does_not_answer_is_given_up() -> None:
    with serving(SENT, replays=False) as server:
        found = items(Endpoint(server.address, server.replay), server)

    assert not any(isinstance(item, Complete) for item in found)


def test_a_message_that_is_not_a_batch_ends_the_stream() -> None:
    context = zmq.Context()
    pub = context.socket(zmq.PUB)
    port = pub.bind_to_random_port("tcp://127.0.0.1")
    with closing(LiveSource(Endpoint(f"tcp://127.0.0.1:{port}"))) as source:
        timer = Timer(0.5, lambda: pub.send_multipart([b"kv", b"12", b"?"]))
        timer.start()
        with pytest.raises(StreamError, match="not a topic, a sequence number of 8 bytes and a payload"):
            list(source.items(Deadline.after(20), lambda: False))
        timer.join()
    context.destroy(linger=0)


@pytest.mark.parametrize("address", ["tcp://nowhere:x", "smoke://signal", "tcp://"])
def test_an_address_that_cannot_be_used_is_wrong_use(address: str) -> None:
    with pytest.raises(UsageError, match="is not an address that can be used"):
        LiveSource(Endpoint(address))


def test_a_recording_of_a_live_server_is_folded_as_the_stream_itself(tmp_path: Path, command: Command) -> None:
    file = tmp_path / "events.jsonl"
    with serving(SENT, before=7, lost=(20,)) as server:
        ran = command("record", server.address, file, "--replay-endpoint", server.replay, "--seconds", 2, "--json")

    assert (ran.status, ran.json["batches"], ran.json["missing"], ran.json["complete"]) == (0, 40, 0, True)
    assert folded(read(file)).tiers == WHOLE.tiers
    again = command("replay", "--events", file, "--json")
    assert (again.status, again.json["complete"], again.json["unnoticed"]) == (0, True, "")
    assert again.json["resident"]["device"]["pages"] == len(WHOLE.tiers["device"].ids)
    assert "is not overwritten" in command("record", server.address, file).complaint


def test_what_was_recorded_before_an_end_by_force_is_in_the_file(tmp_path: Path) -> None:
    """The process is killed while the server still sends."""
    file = tmp_path / "events.jsonl"
    with serving(SENT) as server:
        words = [sys.executable, "-m", "radixcheck", "record", server.address, str(file), "--replay-endpoint", server.replay]
        recorder = subprocess.Popen(words, start_new_session=True)
        try:
            wait_for(lambda: file.exists() and file.read_bytes().count(b"\n") == 41)
        finally:
            os.killpg(recorder.pid, signal.SIGKILL)
            recorder.wait()

    assert (folded(read(file)).batches, folded(read(file)).complete) == (40, False)


def test_ctrl_c_ends_a_replay_with_its_result() -> None:
    with serving(SENT) as server:
        words = [sys.executable, "-m", "radixcheck", "replay", "--events", server.address, "--replay-endpoint", server.replay, "--json"]
        replaying = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            wait_for(server.sent.is_set)
            server.questions.wait(60)
            sleep(0.5)
        finally:
            replaying.send_signal(signal.SIGINT)
            out, err = replaying.communicate(timeout=60)

    assert (replaying.returncode, err) == (0, "")
    assert json.loads(out)["complete"]


def wait_for(done: Callable[[], bool]) -> None:
    """Wait until something has happened; a minute at most."""
    end = Deadline.after(60)
    while not done():
        assert not end.passed
        sleep(0.05)


def test_a_live_server_is_replayed_until_the_seconds_are_over(command: Command) -> None:
    with serving(SENT) as server:
        ran = command("replay", "--events", server.address, "--replay-endpoint", server.replay, "--seconds", 2, "--json")

    assert (ran.status, ran.json["batches"], ran.json["stream"]) == (0, 40, server.address)
