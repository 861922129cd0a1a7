"""A recorded trace through right caches; and the traces themselves, the wrong ones too."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from radixcheck.reference.eviction import evictable_leaves
from radixcheck.verification.checker.incremental.whole_state import LINEAR
from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.optimized_subject import optimized_subject
from radixcheck.verification.subjects.reference_subject import ReferenceSubject, reference_subject
from radixcheck.verification.trace_replay.mooncake import BLOCK, TraceError, TraceRequest, output_length, parse, prompt, read
from radixcheck.verification.trace_replay.replay import check_fits, replay
from radixcheck.verification.trace_replay.replay_results import Settings
from radixcheck.verification.trace_replay.replay_run import FIRST_OUTPUT
from radixcheck.verification.trace_replay.sample import FILE, generate, text

Factory = Callable[[Setup], Any]

SAMPLE = generate()
GOOD = '{"timestamp": 0, "input_length": 600, "output_length": 7, "hash_ids": [0, 1]}'


def test_the_sample_that_is_shipped_is_what_its_generator_makes() -> None:
    assert FILE.read_text() == text(SAMPLE)
    assert read(FILE).requests == SAMPLE
    assert all((len(r.hash_ids) - 1) * BLOCK < r.input_length <= len(r.hash_ids) * BLOCK for r in SAMPLE)


@pytest.mark.parametrize("factory", [reference_subject, optimized_subject])
def test_the_sample_runs_clean(factory: Factory, device: str, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[int, int]] = []
    settings = Settings(pool=8_000, device=device)
    result = replay(SAMPLE, factory, settings, progress=lambda done, total: told.append((done, total)))

    assert result.clean, result.fault
    assert (result.requests, result.prompt_tokens, result.hit_tokens) == (300, 51_872, 31_408)
    assert result.operations == {"start": 300, "chunk": 300, "decode": 2_860, "finish": 300}
    assert (result.victims, result.evicted_tokens, result.refused) == (257, 14_304, 0)
    assert round(result.hit_rate, 3) == 0.605
    assert result.local
    assert told == [(i + 1, 300) for i in range(300)]
    assert capsys.readouterr().out == ""

    looked = result.looked
    assert looked["whole states"] >= sum(n for name, n in result.operations.items() if name != "decode") // 100
    assert (looked["sizes"], looked["victims"]) == (3_760, 257)
    assert looked["touched paths"] > 1_000
    assert looked["paths in rotation"] > 250
    keeps_heap = factory is optimized_subject
    assert ("heap entries" in looked) == keeps_heap
    assert looked.get("victims of the second cache") == (257 if keeps_heap else None)
    assert {id_ for id_ in LINEAR if id_ not in result.formulas} == (set() if keeps_heap else {"HEAP_FULL", "HEAP_STALE"})


@pytest.mark.parametrize(("policy", "page_size"), [("mru", 1), ("lfu", 2), ("slru", 64), ("filo", 16), ("priority", 2)])
def test_other_policies_and_page_sizes_run_clean(policy: str, page_size: int) -> None:
    result = replay(SAMPLE[:80], optimized_subject, Settings(policy, page_size, tokens_per_id=10, pool=2_560, running=8))

    assert result.clean, result.fault
    assert result.victims > 0
    assert result.looked["victims of the second cache"] == result.victims


def test_where_there_is_no_room_calls_are_refused_alike_and_tried_again() -> None:
    result = replay(SAMPLE[:60], reference_subject, Settings(pool=1_024, running=32))

    assert result.clean, result.fault
    assert result.requests == 60
    assert result.refused > 0


# Traces.


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("7", "holds int"),
        (GOOD.replace("timestamp", "time"), "has no field timestamp"),
        (GOOD.replace("hash_ids", "ids"), "has no field hash_ids"),
        (GOOD.replace("600", "-600"), "input_length is -600"),
        (GOOD.replace("7", "7.5"), "output_length is 7.5"),
        (GOOD.replace("7", "true"), "output_length is True"),
        (GOOD.replace("[0, 1]", "[]"), "at least one id"),
        (GOOD.replace("[0, 1]", '"01"'), "at least one id"),
        (GOOD.replace("[0, 1]", "[0, -1]"), "hash_ids holds -1"),
        (GOOD.replace("[0, 1]", f"[{2**60}]"), f"hash_ids holds {2**60}"),
    ],
)
def test_a_bad_line_is_named_and_what_came_before_it_stays(line: str | bytes, reason: str) -> None:
    recorded = parse("a.jsonl", [GOOD, "\n", GOOD, line, GOOD])

    assert recorded.requests == (TraceRequest(0, 600, 7, (0, 1)),) * 2
    assert isinstance(recorded.error, TraceError)
    assert (recorded.error.file, recorded.error.line) == ("a.jsonl", 4)
    assert reason in recorded.error.reason
    assert str(recorded.error).startswith("a.jsonl, line 4: ")


def test_a_file_that_is_missing_or_empty_is_an_error_too(tmp_path: Path) -> None:
    missing, empty = read(tmp_path / "none"), tmp_path / "empty"
    empty.write_text("\n")

    assert "cannot be read" in str(missing.error)
    assert str(read(empty).error) == f"{empty}: holds no request"
    assert len(read(FILE, limit=7).requests) == 7


def test_tokens_of_different_blocks_never_meet() -> None:
    ids = sorted({i for r in SAMPLE for i in r.hash_ids})
    tokens = prompt(TraceRequest(0, 0, 0, tuple(ids)), 16)

    assert len(set(tokens)) == 16 * len(ids)
    assert max(tokens) < FIRST_OUTPUT
    assert output_length(TraceRequest(0, 1, 0, (0,)), 16) == 1


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (Settings(pool=320), "request 1 needs 336 slots"),
        (Settings(pool=100), "not a multiple of the page size"),
        (Settings(running=0), "at least 1"),
        (Settings(tokens_per_id=0), "0 tokens for a hash id"),
    ],
)
def test_settings_under_which_no_replay_is_possible_are_refused(settings: Settings, reason: str) -> None:
    with pytest.raises(TraceError, match=reason):
        check_fits([TraceRequest(0, 1, 1, tuple(range(20)))], settings)


class Reversed(ReferenceSubject):
    """Right: the slots of victims may go back in any order. Pages of one token."""

    def evict(self, tokens: int) -> int:
        """All victims' slots by one call, the last one first."""
        gone: list[int] = []
        while len(gone) < tokens and (leaves := list(evictable_leaves(self.root))):
            leaf = min(leaves, key=self._eviction_key)
            self._evict_leaf(leaf)
            gone += leaf.slots
        if gone:
            self.pool.free(gone[::-1])
        return len(gone)


def test_the_slots_of_victims_may_come_back_in_any_order() -> None:
    settings = Settings(page_size=1, tokens_per_id=4, pool=1_000)
    result = replay(SAMPLE[:120], Reversed.of, settings)

    assert result.clean, result.fault
    assert result.victims > 50
