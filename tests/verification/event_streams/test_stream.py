"""What a stream shows: faults with the event that shows them, and what missing batches leave undecided."""

from typing import Any

import pytest

from radixcheck.spec.events.event_fold import EVENT_ID, EVENT_ORDER, EVENT_PARENT, EVENT_REPLAY, Resident
from radixcheck.spec.events.event_values import DEVICE, HOST, Stored
from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.event_streams.batch_format import batch_of, id_text
from radixcheck.verification.event_streams.recording import Complete, Frame, Item
from radixcheck.verification.event_streams.stream import folded, is_second_id

CLEARED = {"type": "AllBlocksCleared"}


def stored(*ids: Any, parent: Any = None, tokens: int = 0, **others: Any) -> dict[str, Any]:
    """Pages of two tokens; those of a page follow from its id unless they are given."""
    numbers = [token for id_ in ids for token in (int(id_) + tokens, 1)]
    fields = {"block_hashes": [*ids], "parent_block_hash": parent, "token_ids": numbers, "block_size": 2, "lora_id": None, "medium": "GPU"}
    return {"type": "BlockStored", **fields, **others}


def removed(*ids: Any, **others: Any) -> dict[str, Any]:
    return {"type": "BlockRemoved", "block_hashes": [*ids], "medium": "GPU", **others}


def frame(seq: int, *events: dict[str, Any], time: float = 0.0, rank: int | None = None) -> Frame:
    return Frame(f"line {seq}", seq, None, [time, [*events], rank])


@pytest.mark.parametrize(
    ("batches", "property_", "place"),
    [
        ([[stored(1)], [stored(1)]], EVENT_ORDER, (1, 0)),
        ([[stored(1), removed(1), removed(1)]], EVENT_ORDER, (0, 2)),
        ([[stored(1)], [removed(2)]], EVENT_ORDER, (1, 0)),
        ([[stored(1, 2)], [removed(1)]], EVENT_PARENT, (1, 0)),
        ([[stored(1)], [], [stored(3), stored(4, parent=2)]], EVENT_PARENT, (2, 1)),
        ([[stored(1)], [removed(1)], [stored(1, tokens=5)]], EVENT_ID, (2, 0)),
        ([[stored(1, group_idx=0)], [stored(2, tokens=-1, group_idx=0)]], EVENT_ID, (1, 0)),
        ([[stored(1)], [CLEARED], [removed(1)]], EVENT_ORDER, (2, 0)),
        (
            [[stored(1), stored(1, medium="CPU"), removed(1)], [removed(1, medium="CPU"), removed(1, medium="CPU_PINNED")]],
            EVENT_ORDER,
            (1, 1),
        ),
        ([[stored(1) | {"token_ids": [1, 2, 3]}]], EVENT_ID, (0, 0)),
        ([[stored(1, lora_name="a"), stored(2, parent=1, lora_name="b")]], EVENT_PARENT, (0, 1)),
    ],
)
def test_a_wrong_event_is_named_by_its_batch_and_its_place(
    batches: list[list[dict[str, Any]]], property_: str, place: tuple[int, int]
) -> None:
    seen = folded(frame(seq, *events) for seq, events in enumerate(batches))

    assert (seen.status, seen.doubts) == (Status.REFUTED, ())
    assert [(fault.property, fault.seq, fault.index) for fault in seen.faults] == [(property_, *place)]
    assert seen.verdict(property_) == Verdict.REFUTED


def test_the_resident_set_is_shown_by_tier() -> None:
    seen = folded([frame(0, stored(1, 2), stored(1, medium="CPU"), stored(1, medium="DISK")), frame(1, removed(2)), Complete(1)])

    assert {tier: (pages.ids, pages.tokens, pages.peak) for tier, pages in seen.tiers.items()} == {
        DEVICE: ((1,), 2, 2),
        HOST: ((1,), 2, 1),
        "disk": ((1,), 2, 1),
    }
    assert (seen.status, seen.complete, seen.unnoticed) == (Status.HOLDS, True, "")
    assert seen.verdicts == {EVENT_REPLAY: Verdict.NOT_OBSERVABLE, **dict.fromkeys((EVENT_PARENT, EVENT_ID, EVENT_ORDER), Verdict.TESTED)}


@pytest.mark.parametrize(
    ("items", "why"),
    [
        ([frame(3, stored(1))], "starts late: its first batch is 3"),
        ([frame(0, stored(1)), frame(2, removed(2))], "batches are missing: 1"),
        ([frame(0, stored(1)), frame(4, removed(2))], "batches are missing: 1 to 3"),
        ([frame(0, stored(1)), frame(1, removed(1)), Complete(4)], "2 to 4 are missing at the end"),
        ([frame(seq, stored(seq)) for seq in range(0, 12, 2)], "1, 3, 5 and 2 more gaps"),
        ([Complete(-1)], "there is no batch"),
        ([frame(0)], "no batch has an event"),
        ([frame(0, stored(1), rank=0), frame(1, removed(1), rank=1)], "comes from rank 1, those before it from rank 0"),
        ([frame(0, stored(1)), frame(1, removed(1)), frame(0, stored(1), time=1.0)], "started anew"),
        ([frame(0, stored(1), stored(2, group_idx=1, kv_cache_spec_kind="sliding_window"))], "group 1 is left out"),
        ([frame(0, stored(1), stored(2, tokens=-1))], "1 ids are for tokens that had another id before"),
    ],
)
def test_what_is_missing_or_not_shown_leaves_it_undecided_and_what_would_decide_it_is_named(items: list[Item], why: str) -> None:
    seen = folded(items)

    assert (seen.status, seen.faults) == (Status.UNDECIDED, ())
    assert any(why in doubt.why for doubt in seen.doubts), seen.doubts
    assert all(doubt.decides for doubt in seen.doubts)
    assert Verdict.UNDECIDED in seen.verdicts.values()


def test_after_a_gap_a_fault_counts_only_if_the_batches_since_then_show_it() -> None:
    """What a missing batch may have caused is in doubt: an orphan, an unknown removal, a page stored twice with the gap between."""
    before, after = frame(0, stored(1, 2)), [stored(2, parent=1), stored(4, parent=3), removed(9), removed(1)]
    seen = folded([before, frame(2, *after)])
    assert (seen.status, len(seen.doubtful), seen.faults) == (Status.UNDECIDED, 4, ())

    seen = folded([before, frame(2, *after, stored(5)), frame(3, stored(5))])
    assert (seen.status, [(fault.property, fault.seq) for fault in seen.faults]) == (Status.REFUTED, [(EVENT_ORDER, 3)])

    seen = folded([before, frame(2, stored(5), removed(5), stored(5, tokens=7))])
    assert [(fault.property, fault.index) for fault in seen.faults] == [(EVENT_ID, 2)]


def test_where_the_cache_is_cleared_everything_is_known_again() -> None:
    seen = folded([frame(5, removed(1)), frame(6, CLEARED), frame(7, removed(1))])

    assert [(fault.property, fault.seq) for fault in seen.faults] == [(EVENT_ORDER, 7)]
    assert [fault.seq for fault in seen.doubtful] == [5]


def test_a_batch_that_comes_twice_or_late_is_a_fault_and_its_copy_is_left_out() -> None:
    first, second, third = frame(0, stored(1)), frame(1, stored(2)), frame(2, removed(2))

    twice = folded([first, second, second, third])
    late = folded([first, third, second])

    assert [(fault.property, fault.seq, fault.index) for fault in twice.faults] == [(EVENT_ORDER, 1, None)]
    assert twice.tiers[DEVICE].ids == (1,)
    assert [(fault.property, fault.seq, fault.index) for fault in late.faults] == [(EVENT_ORDER, 1, None)]


def test_further_copies_of_a_block_are_counted_where_the_server_names_groups() -> None:
    """The page is there as long as a copy is; in other streams it is an error to store it twice."""
    one, two = {"group_idx": 0}, {"group_idx": 1}
    events = [stored(1, 2, **one), stored(1, 2, 3, **one), removed(2, **one), removed(3, **one), stored(1, **two)]
    seen = folded([frame(0, *events)])
    assert (seen.status, seen.copies, seen.tiers[DEVICE].ids) == (Status.HOLDS, 2, (1, 1, 2))

    seen = folded([frame(0, *events, removed(2, **one), removed(1, **one)), frame(1, removed(1, **one))])
    assert (seen.status, seen.tiers[DEVICE].ids) == (Status.HOLDS, (1,))

    seen = folded([frame(0, *events, removed(2, **one)), frame(1, removed(2, **one))])
    assert [(fault.property, fault.seq) for fault in seen.faults] == [(EVENT_ORDER, 1)]


def test_events_are_read_in_both_formats_and_say_the_same() -> None:
    named = [stored(1, 2, parent=7, lora_id=3), removed(1), CLEARED]
    listed = [["BlockStored", [1, 2], 7, [1, 1, 2, 1], 2, 3, "GPU"], ["BlockRemoved", [1]], ["AllBlocksCleared"]]

    assert batch_of([1.5, named, 2]) == batch_of([1.5, listed, 2])
    assert batch_of({"ts": 1.5, "events": named, "data_parallel_rank": 2}) == batch_of([1.5, named, 2])


def test_ids_of_bytes_differ_from_integers_and_keep_their_zeros() -> None:
    ids = [batch_of([0.0, [removed(id_)]]).events[0].event.ids[0] for id_ in (5, b"\x05", b"\x00\x05", -5)]  # type: ignore[union-attr]

    assert len(set(ids)) == 4
    assert list(map(id_text, (ids[0], ids[3]))) == ["5", "-5"]
    assert id_text(batch_of([0.0, [removed(bytes(31) + b"\xab")]]).events[0].event.ids[0]) == "00" * 31 + "ab"  # type: ignore[union-attr]


def test_what_a_block_depends_on_beside_its_tokens_makes_it_another_page() -> None:
    """Two images behind the same tokens are two pages, with two ids; the same image is one."""
    image: dict[str, Any] = {"group_idx": 0, "extra_keys": [[["image", 0]]]}
    other: dict[str, Any] = {"group_idx": 0, "extra_keys": [[["other", 0]]]}

    seen = folded([frame(0, stored(1, **image), stored(2, tokens=-1, **other), stored(3, tokens=-2, group_idx=0))])
    same = folded([frame(0, stored(1, **image), stored(2, tokens=-1, **image))])

    assert (seen.status, same.status) == (Status.HOLDS, Status.REFUTED)


def test_salt_adapter_pairs_and_tiers_of_others_are_kept_apart() -> None:
    events = [
        *(
            stored(1, cache_salt="s"),
            stored(2, tokens=-1, cache_salt="t"),
            stored(3, tokens=-2, lora_name="a"),
            stored(4, tokens=-3, lora_id=1),
        ),
        *(stored(5, tokens=-4) | {"token_ids": [[1, 1], [1, 2]]}, stored(1, cache_salt="s", locality="REMOTE", ownership="peer")),
    ]
    seen = folded([frame(0, *events)])

    assert (seen.status, {tier: len(pages.ids) for tier, pages in seen.tiers.items()}) == (
        Status.HOLDS,
        {DEVICE: 5, "device remote peer": 1},
    )


def test_the_fold_names_a_second_id_as_the_stream_expects() -> None:
    fold = Resident(1)
    fold.apply(Stored(DEVICE, (), None, (1,), (5,)))
    (second,) = fold.apply(Stored(DEVICE, (), None, (2,), (5,)))
    (other,) = fold.apply(Stored(HOST, (), None, (2,), (6,)))

    assert (is_second_id(second), is_second_id(other)) == (True, False)
