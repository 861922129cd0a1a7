"""What a router predicts from the events that it saw, beside what the server had."""

import json
from pathlib import Path
from typing import Any

import pytest
from commands import Command
from event_trials import frames

from radixcheck.spec.events.event_fold import EVENT_REPLAY
from radixcheck.verification.event_streams.recording import Complete, Frame, Item, line_of

PROMPT = [1, 2, 3, 4, 5, 6, 7]


def stored(id_: int, parent: int | None, *tokens: int) -> dict[str, Any]:
    fields = {"block_hashes": [id_], "parent_block_hash": parent, "token_ids": tokens, "block_size": 2, "lora_id": None, "medium": "GPU"}
    return {"type": "BlockStored", **fields}


SENT = [
    Frame("", seq, None, [0.0, [event]])
    for seq, event in enumerate(
        (
            *(stored(1, None, 1, 2), stored(2, 1, 3, 4), stored(3, 2, 5, 6), stored(9, None, 8, 8)),
            {"type": "BlockRemoved", "block_hashes": [3], "medium": "GPU"},
        )
    )
]


def compared(folder: Path, command: Command, seen: list[Any], lookups: list[tuple[int, list[int]]], sent: list[Any] | None = None) -> Any:
    """The result for what a router saw, and requests with the batch before them."""
    paths = [folder / name for name in ("seen.jsonl", "sent.jsonl", "requests.jsonl")]
    for path, items in zip(paths, (seen, SENT if sent is None else sent), strict=False):
        path.write_bytes(b"".join(map(line_of, items)))
    paths[2].write_text("".join(json.dumps({"tokens": tokens, "batch": batch}) + "\n" for batch, tokens in lookups))
    ran = command("replay", "--events", paths[0], "--against", paths[1], "--requests", paths[2], "--json")
    return ran.json | {"verdict": next(each["verdict"] for each in ran.json["properties"] if each["id"] == EVENT_REPLAY)}


def test_a_router_that_saw_everything_predicts_what_is_cached(tmp_path: Path, command: Command) -> None:
    found = compared(tmp_path, command, list(SENT), [(4, PROMPT), (0, PROMPT), (2, PROMPT), (2, [9, 9]), (7, PROMPT)])

    assert (found["status"], found["verdict"]) == (0, "TESTED")
    assert found["router"] == {
        **{"pages_of_both": 3, "pages_of_router": 0, "pages_of_server": 0, "not_looked_up": 1},
        **{"requests": 4, "prompt_tokens": 23, "predicted_tokens": 12, "cached_tokens": 12, "wrong_tokens": 0, "missed_tokens": 0},
    }


@pytest.mark.parametrize(
    ("lost", "wrong", "missed", "of_router", "of_server"),
    [
        (4, 2, 0, 1, 0),  # the removal: it predicts a page that has gone
        (1, 0, 6, 0, 1),  # a store in the middle: nothing behind it is found
    ],
)
def test_a_lost_batch_makes_it_predict_wrongly(
    lost: int, wrong: int, missed: int, of_router: int, of_server: int, tmp_path: Path, command: Command
) -> None:
    """Both prompts are looked up after batch 2 and at the end."""
    found = compared(tmp_path, command, [frame for frame in SENT if frame.seq != lost], [(2, PROMPT), (4, PROMPT)])
    router = found["router"]

    assert (found["verdict"], found["status"]) == ("REFUTED", 1)
    assert (router["wrong_tokens"], router["missed_tokens"]) == (wrong, missed)
    assert (router["pages_of_router"], router["pages_of_server"]) == (of_router, of_server)


def test_events_that_come_late_are_not_known_before(tmp_path: Path, command: Command) -> None:
    """A batch that reaches the router only with a later one does not help with the requests between."""
    late: list[Item] = [SENT[0], SENT[2], SENT[1], *SENT[3:], Complete(4)]

    assert compared(tmp_path, command, late, [(1, PROMPT)])["router"]["missed_tokens"] == 2


def test_without_all_that_was_sent_nothing_is_decided(tmp_path: Path, command: Command) -> None:
    assert compared(tmp_path, command, list(SENT), [], sent=SENT[1:])["verdict"] == "UNDECIDED"


def test_a_clean_stream_equals_itself(tmp_path: Path, command: Command) -> None:
    clean = frames(2)
    assert compared(tmp_path, command, list(clean), [], sent=list(clean))["verdict"] == "TESTED"


@pytest.mark.parametrize(
    ("line", "reason"), [("{", "is not JSON"), ('{"tokens": [1]}', "give requests with tokens"), ('{"tokens": 1, "batch": 0}', "tokens")]
)
def test_a_wrong_log_of_requests_is_named_by_its_line(line: str, reason: str, tmp_path: Path, command: Command) -> None:
    for name, text in (("a", b"".join(map(line_of, SENT))), ("log", line.encode())):
        (tmp_path / name).write_bytes(text)
    said = command("replay", "--events", tmp_path / "a", "--against", tmp_path / "a", "--requests", tmp_path / "log").complaint

    assert "log, line 1" in said
    assert reason in said
    assert "give --against too" in command("replay", "--events", tmp_path / "a", "--requests", tmp_path / "log").complaint
