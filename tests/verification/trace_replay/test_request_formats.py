"""The formats of requests that a replay reads: known by the first request, checked, and never rescaled silently."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import Command
from event_trials import frames

from radixcheck.verification.event_streams.recording import header, line_of
from radixcheck.verification.trace_replay.mooncake import TraceError, TraceRequest
from radixcheck.verification.trace_replay.request_formats import BAILIAN, LOG, MOONCAKE, Requests, read_requests
from radixcheck.verification.trace_replay.sample import FILE, generate

ONE = {"timestamp": 0, "input_length": 600, "output_length": 7, "hash_ids": [0, 1]}
CHAT = {
    "chat_id": 159,
    "parent_chat_id": -1,
    "timestamp": 61.114,
    "input_length": 40,
    "output_length": 13,
    "type": "text",
    "turn": 1,
    "hash_ids": [5, 6, 7],
}


def written(tmp_path: Path, *lines: Any) -> Path:
    path = tmp_path / "trace.jsonl"
    path.write_text("".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines))
    return path


def found(tmp_path: Path, *lines: Any) -> Requests:
    return read_requests(written(tmp_path, *lines))


def test_the_sample_is_in_the_format_of_mooncake_with_512_tokens_an_id() -> None:
    read = read_requests(FILE)

    assert (read.format, read.per_id, read.requests, read.error) == (MOONCAKE, 512, generate(), None)


@pytest.mark.parametrize(
    ("lengths", "per_id"),
    [
        ([(600, 2)], 512),  # 300 to 599: the one of the paper fits
        ([(200, 2), (300, 3)], 128),  # 100 to 149: a power of two
        ([(1000, 10), (100, 1)], 100),  # 100 to 111
        ([(64, 1), (65, 2)], 64),
        ([(3000, 1)], 4096),
    ],
)
def test_the_tokens_that_an_id_stands_for_are_inferred(lengths: list[tuple[int, int]], per_id: int, tmp_path: Path) -> None:
    read = found(tmp_path, *(ONE | {"input_length": length, "hash_ids": list(range(ids))} for length, ids in lengths))

    assert (read.error, read.per_id) == (None, per_id)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([ONE, ONE | {"input_length": 2_000}], "input_length 2000 does not fit 2 hash_ids; those before have 300 to 599 tokens an id"),
        ([ONE, ONE | {"input_length": 200, "hash_ids": [1, 2]}], "input_length 200 does not fit 2 hash_ids"),
        ([ONE, ONE | {"input_length": 600, "hash_ids": [1]}], "input_length 600 does not fit 1 hash_ids"),
        ([ONE | {"input_length": 600, "hash_ids": [1]}, ONE | {"input_length": 500}], "those before have at least 600 tokens an id"),
        ([ONE, ONE | {"input_length": 0}], "input_length 0 does not fit"),
        ([CHAT, CHAT | {"input_length": 64}], "input_length 64 does not fit 3 hash_ids of 16 tokens"),
        ([CHAT, CHAT | {"input_length": 32}], "input_length 32 does not fit 3 hash_ids of 16 tokens"),
        ([CHAT, CHAT | {"timestamp": "now"}], "timestamp is 'now', not a number of seconds"),
        ([CHAT, CHAT | {"hash_ids": []}], "at least one id"),
        ([{"tokens": [1, 2]}, {"tokens": [1, -2]}], "tokens holds -2"),
        ([{"tokens": [1, 2]}, {"tokens": "12"}], "tokens is str"),
        ([{"tokens": [1, 2]}, {"tokens": []}], "empty prompt"),
        ([{"tokens": [1, 2]}, {"tokens": [1], "text": "a"}], "not one of the fields tokens and text"),
        ([{"tokens": [1, 2]}, {"tokens": [1], "output_length": -1}], "output_length is -1"),
        ([{"text": "a"}, {"text": 5}], "text is int"),
        ([{"text": "a"}, {"text": "a", "lora_name": "b"}], "has the field lora_name, which keeps prefixes apart"),
        ([{"text": "a"}, "[" * 100_000], "is not JSON"),
    ],
)
def test_a_request_that_does_not_fit_ends_the_reading_and_those_before_it_stay(lines: list[Any], reason: str, tmp_path: Path) -> None:
    read = found(tmp_path, *lines)

    assert len(read.requests) == 1
    assert read.error is not None
    assert read.error.line == 2
    assert reason in read.error.reason


def test_chats_of_bailian_are_read_with_whole_and_with_partial_blocks(tmp_path: Path) -> None:
    read = found(tmp_path, CHAT, CHAT | {"input_length": 50}, CHAT | {"input_length": 48})

    assert (read.format, read.per_id, read.error) == (BAILIAN, 16, None)
    assert read.requests[0] == TraceRequest(61_114, 40, 13, (5, 6, 7))


def test_a_log_is_read_token_by_token_and_a_text_byte_by_byte(tmp_path: Path) -> None:
    read = found(tmp_path, {"tokens": [9, 8, 9], "output_length": 4, "user": "x"}, {"text": "aé", "lora_name": None})

    assert (read.format, read.per_id, read.error) == (LOG, 1, None)
    assert read.requests == (TraceRequest(0, 3, 4, (9, 8, 9)), TraceRequest(0, 3, 1, (97, 195, 169)))


@pytest.mark.parametrize("line", ["{", "7", '{"question": 5}', "\x00\xff", "[" * 100_000])
def test_an_unknown_file_gets_one_sentence_that_names_what_is_accepted(line: str, tmp_path: Path, command: Command) -> None:
    said = command("replay", written(tmp_path, line, ONE)).complaint

    for each in ("has no known format", "verify --traces", "Mooncake", "Qwen-Bailian", "tokens or text", "radixcheck record"):
        assert each in said


def test_a_file_that_cannot_be_read_or_is_empty_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="holds no request"):
        found(tmp_path)
    with pytest.raises(TraceError, match="No such file"):
        read_requests(tmp_path / "absent")


def test_a_replay_states_how_lengths_are_scaled(tmp_path: Path, command: Command) -> None:
    scaled = command("replay", "--sample", "--subject", "reference", "--limit", 4)
    same = command("replay", written(tmp_path, CHAT), "--subject", "reference", "--pool", 160)

    assert "a hash id stands for 512 tokens there and for 16 here: lengths times 0.0312" in scaled.words
    assert "Qwen-Bailian: lengths as recorded, a hash id for 16 tokens" in same.words


def test_a_log_is_replayed_with_its_own_tokens(tmp_path: Path, command: Command) -> None:
    path = written(tmp_path, *({"text": "one prompt that all share" + end, "output_length": 3} for end in ("", " and more", " and less")))
    ran = command("replay", path, "--subject", "reference", "--pool", 200, "--page-size", 1, "--json")

    assert (ran.status, ran.json["format"], ran.json["prompt_tokens"]) == (0, LOG, 25 + 34 + 34)
    assert ran.json["hit_tokens"] == 25 + len("one prompt that all share and ")
    assert (ran.json["settings"]["tokens_per_id"], ran.json["settings"]["recorded_per_id"]) == (1, 1)
    assert ran.json["operations"]["decode"] == 3  # at each arrival one of each that runs
    assert "--tokens-per-id makes no sense" in command("replay", path, "--tokens-per-id", 4).complaint


def test_a_recording_of_events_is_known_and_judged(tmp_path: Path, command: Command) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(header("ipc://a") + b"".join(map(line_of, frames(1, 10))))

    assert command("replay", path, "--json").json["batches"] == 10
    assert "--pool makes no sense" in command("replay", path, "--pool", 32).complaint
