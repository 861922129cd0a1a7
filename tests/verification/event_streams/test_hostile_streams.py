"""Whatever a stream holds, reading it ends with what was read and one sentence: no exception of another kind leaves it."""

import json
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any

import msgpack
import pytest
from event_trials import frames

from radixcheck.verification.core.status import Status
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.event_streams.batch_format import batch_of
from radixcheck.verification.event_streams.payload import StreamError, unpacked
from radixcheck.verification.event_streams.recording import header, line_of, read
from radixcheck.verification.event_streams.stream import folded
from radixcheck.verification.event_streams.stream_results import StreamFolded

CLEAN = frames(seed=3, batches=12)
LINES = header("ipc://clean") + b"".join(map(line_of, CLEAN))
SINGLE = [msgpack.packb([b"kv", frame.seq.to_bytes(8, "big"), frame.payload]) for frame in CLEAN]
VALUES = b"".join(SINGLE)
STORED = {"type": "BlockStored", "block_hashes": [7], "parent_block_hash": None, "token_ids": [1, 2], "block_size": 2, "lora_id": None}


def fold_file(path: Path, content: bytes) -> StreamFolded:
    path.write_bytes(content)
    return folded(read(path))


@pytest.mark.parametrize("content", [LINES, VALUES], ids=["lines", "values"])
def test_both_forms_of_a_recording_hold_the_same(content: bytes, tmp_path: Path) -> None:
    seen = fold_file(tmp_path / "a", content)

    assert (seen.status, seen.batches, seen.tiers) == (Status.HOLDS, 12, folded(CLEAN).tiers)


@pytest.mark.parametrize("content", [LINES, VALUES], ids=["lines", "values"])
@pytest.mark.parametrize("trials", [60, pytest.param(1_000, marks=pytest.mark.slow)])
def test_a_changed_recording_is_read_to_its_end_or_to_a_sentence(content: bytes, trials: int, tmp_path: Path) -> None:
    undecided = 0
    for trial in range(trials):
        seen = fold_file(tmp_path / "a", mutated(content, Random(trial)))
        undecided += bool(seen.doubts)
        assert seen.doubts or seen.batches >= 11
        assert all(doubt.why and "\n" not in doubt.why and doubt.decides for doubt in seen.doubts)

    assert undecided > trials / 2


def mutated(content: bytes, random: Random) -> bytes:
    """The content with some bytes changed, taken out or put in."""
    changed = bytearray(content)
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(changed))
        match random.randrange(4):
            case 0:
                changed[at] = random.randrange(256)
            case 1:
                del changed[at : at + random.randrange(1, 40)]
            case 2:
                changed[at:at] = random.randbytes(random.randrange(1, 10))
            case 3:
                changed[at] ^= 1 << random.randrange(8)
    return bytes(changed)


@pytest.mark.parametrize("content", [LINES, VALUES], ids=["lines", "values"])
def test_a_recording_that_is_cut_keeps_the_batches_before_the_cut(content: bytes, tmp_path: Path) -> None:
    ends = set(accumulate(map(len, content.splitlines(keepends=True)))) if content is LINES else set(accumulate(map(len, SINGLE)))
    for end in range(1, len(content), 101):
        seen = fold_file(tmp_path / "a", content[:end])
        assert seen.status in (Status.HOLDS, Status.UNDECIDED)
        assert seen.tiers == folded(CLEAN[: seen.batches]).tiers
        assert seen.unnoticed or not seen.batches
        assert any("cut" in doubt.why for doubt in seen.doubts) != bool(ends & {end, end + (content is LINES)})


@pytest.mark.parametrize("seed", range(30))
def test_random_bytes_are_no_recording(seed: int, tmp_path: Path) -> None:
    seen = fold_file(tmp_path / "a", b"{[\x93 "[seed % 4 : seed % 4 + 1] + Random(seed).randbytes(1 << seed % 14))

    assert (seen.batches, seen.status, len(seen.doubts)) == (0, Status.UNDECIDED, 1)


@pytest.mark.parametrize(
    "payload", [b"", b"\xc1", b"\xdd\xff\xff\xff\xff", b"\x91" * 5_000, b"\x93\x01", b"\x81\x91\x01\x02", b"\x01\x02", b"\xa1\xff"]
)
def test_bytes_that_are_not_one_value_are_refused_before_they_take_memory(payload: bytes) -> None:
    with pytest.raises(StreamError, match="not one value of msgpack"):
        unpacked(payload)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "is None, not a batch"),
        ([1.0], "not a batch"),
        (["now", []], "not a batch"),
        ([1.0, [], 0, 0], "not a batch"),
        ([1.0, [], "0"], "the rank '0'"),
        ([1.0, [], True], "the rank True"),
        ([1.0, [5]], "event 0 of the batch is 5"),
        ([1.0, [["BlockMoved", 1]]], "of the type 'BlockMoved'"),
        ([1.0, [{"type": "BlockMoved"}]], "perhaps of another version"),
        ([1.0, [{"block_hashes": []}]], "not an object with a type"),
        ([1.0, [["BlockRemoved"]]], "is a BlockRemoved without block_hashes"),
        ([1.0, [["BlockRemoved", [1], None, None, None, None, None]]], "nor a list of a type and its fields"),
        ([1.0, [STORED, {"type": "BlockRemoved", "block_hashes": 5}]], "event 1 of the batch has 5 for block_hashes"),
        ([1.0, [{"type": "BlockRemoved", "block_hashes": [1.5]}]], "the id 1.5"),
        ([1.0, [{"type": "BlockRemoved", "block_hashes": [b""]}]], "the id b''"),
        ([1.0, [{"type": "BlockRemoved", "block_hashes": [True]}]], "the id True"),
        ([1.0, [{"type": "BlockRemoved", "block_hashes": [1], "medium": 3}]], "has 3 for a medium"),
        ([1.0, [{"type": "BlockRemoved", "block_hashes": [1], "group_idx": -1}]], "the group_idx -1"),
        ([1.0, [STORED | {"block_size": 0}]], "the block_size 0"),
        ([1.0, [STORED | {"token_ids": "ab"}]], "'ab' for token_ids"),
        ([1.0, [STORED | {"token_ids": [1, -2]}]], "the token -2"),
        ([1.0, [STORED | {"token_ids": [1, [1, 2, 3]]}]], "the token [1, 2, 3]"),
        ([1.0, [STORED | {"lora_id": [1]}]], "[1] for an adapter"),
        ([1.0, [STORED | {"extra_keys": 1}]], "has 1 for extra_keys"),
        ([1.0, [STORED | {"kv_cache_spec_kind": 1}]], "the kv_cache_spec_kind 1"),
    ],
)
def test_a_value_that_is_not_a_batch_is_refused_with_the_part_that_is_wrong(value: Any, reason: str) -> None:
    with pytest.raises(StreamError) as raised:
        batch_of(value)

    assert reason in str(raised.value)
    assert len(str(raised.value)) < 250


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"seq": 0', "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("7", "holds 7, not a batch"),
        ('{"seq": -1, "payload": ""}', "the sequence number -1"),
        ('{"seq": 9223372036854775808, "payload": ""}', "the sequence number"),
        ('{"seq": true, "payload": ""}', "the sequence number True"),
        ('{"seq": 0, "payload": "?"}', "not base64"),
        ('{"seq": 0, "payload": ""}', "not one value of msgpack"),
        ('{"seq": 0, "payload": "", "topic": 4}', "the topic 4"),
        ('{"seq": 0, "content": [0.0, [{"type": "BlockRemoved", "block_hashes": [{"bytes": "xy"}]}]]}', "not written in hexadecimal"),
        ('{"complete": "all"}', "'all' for complete"),
        ('{"radixcheck": "trace", "version": 1}', "is the header of 'trace', version 1"),
        ('{"radixcheck": "events", "version": 2}', "version 2; this radixcheck reads events, version 1"),
    ],
)
def test_a_line_that_cannot_be_read_ends_the_stream_and_what_came_before_is_kept(line: str, reason: str, tmp_path: Path) -> None:
    seen = fold_file(tmp_path / "a", LINES + line.encode() + b"\n" + line_of(CLEAN[0]))

    assert (seen.status, seen.batches, seen.tiers) == (Status.UNDECIDED, 12, folded(CLEAN).tiers)
    assert reason in seen.doubts[0].why
    assert "line 14" in seen.doubts[0].why
    assert "the 12 batches before it were read" in seen.doubts[0].why


def test_deep_content_is_refused(tmp_path: Path) -> None:
    content: Any = 1
    for _ in range(400):
        content = [content]
    line = json.dumps({"seq": 12, "content": [0.0, [STORED | {"extra_keys": [content], "block_hashes": [9]}]]})
    assert fold_file(tmp_path / "a", LINES + line.encode()).batches in (12, 13)


def test_a_file_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        folded(read(tmp_path / "absent"))
    with pytest.raises(UsageError, match="Is a directory"):
        folded(read(tmp_path))
