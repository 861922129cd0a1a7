"""A recording in a thread: whole when it ends, whatever it is ended by."""

import errno
import threading
from pathlib import Path

import pytest
from event_server import serving
from event_trials import frames, payloads

from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.event_streams.background_recorder import BackgroundRecorder
from radixcheck.verification.event_streams.batch_writer import NewFile
from radixcheck.verification.event_streams.live_source import Endpoint
from radixcheck.verification.event_streams.recording import Complete, read
from radixcheck.verification.event_streams.stream import folded

SENT = payloads(seed=5, batches=40)


def test_everything_that_was_sent_before_the_end_is_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    with serving(SENT, before=7, lost=(20,)) as server, BackgroundRecorder(Endpoint(server.address, server.replay), file) as recorder:
        recorder.start()
        server.sent.wait(60)
        recorder.end()

    assert list(read(file))[-1] == Complete(39)
    assert folded(read(file)).tiers == folded(frames(seed=5, batches=40)).tiers
    assert recorder.stopped == ""


def test_a_recorder_that_is_never_started_leaves_nothing_open(tmp_path: Path) -> None:
    threads = threading.active_count()
    with BackgroundRecorder(Endpoint("tcp://127.0.0.1:9"), tmp_path / "events.jsonl") as recorder:
        pass

    assert (threading.active_count(), recorder.stopped) == (threads, "")
    assert (tmp_path / "events.jsonl").read_bytes() == b""


def test_a_file_that_cannot_be_written_on_ends_the_recording_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(self: NewFile, line: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(NewFile, "write", write)
    with serving(SENT) as server, BackgroundRecorder(Endpoint(server.address, server.replay), tmp_path / "events.jsonl") as recorder:
        recorder.start()
        server.sent.wait(60)

    assert recorder.stopped == "the file cannot be written on: No space left on device"


def test_a_file_that_exists_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not overwritten"):
        BackgroundRecorder(Endpoint("tcp://127.0.0.1:9"), tmp_path)
