"""What happens to a stream on its way is noticed, or leaves it undecided; what cannot be noticed is named, with the reason."""

from collections import Counter
from collections.abc import Iterator
from itertools import takewhile, zip_longest
from random import Random
from typing import Any

import pytest
from event_trials import BATCHES, Happening, events_changed, frames, marked, reference_frames

from radixcheck.verification.core.status import Status
from radixcheck.verification.event_streams.payload import unpacked
from radixcheck.verification.event_streams.recording import Frame
from radixcheck.verification.event_streams.stream import folded
from radixcheck.verification.event_streams.stream_results import StreamFolded

TRIALS = [20, pytest.param(200, marks=pytest.mark.slow)]
CLEAN = frames(seed=1)
WHOLE = folded(CLEAN)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("as_lists", [False, True])
def test_a_clean_stream_has_no_fault_and_each_property_is_exercised(seed: int, as_lists: bool) -> None:
    seen = folded(frames(seed, as_lists=as_lists))

    assert (seen.status, seen.faults, seen.doubts, seen.doubtful) == (Status.HOLDS, (), (), ())
    assert seen.batches == 60
    assert min(seen.events["stored"], seen.events["removed"]) > 10
    assert {tier: pages.peak for tier, pages in seen.tiers.items()}["device"] == 60


@pytest.mark.parametrize("trials", TRIALS)
@pytest.mark.parametrize("happening", BATCHES.values(), ids=list(BATCHES))
def test_a_batch_that_is_lost_doubled_moved_or_cut_is_noticed_where_the_recording_ends_with_its_mark(
    happening: Happening, trials: int
) -> None:
    statuses = Counter(folded(marked(CLEAN, happening, Random(trial))).status for trial in range(trials))

    assert statuses[Status.HOLDS] == 0
    assert sum(statuses.values()) == trials


@pytest.mark.parametrize("seed", range(12))
def test_what_the_reference_with_a_host_tier_emits_holds_and_what_happens_to_it_is_noticed(seed: int) -> None:
    clean = reference_frames(seed)
    seen = folded(clean)
    assert (seen.status, seen.faults, seen.doubts, seen.doubtful) == (Status.HOLDS, (), (), ())
    assert set(seen.tiers) == {"device", "host"}

    statuses = [folded(marked(clean, happening, Random(seed))).status for happening in BATCHES.values()]
    assert Status.HOLDS not in statuses


@pytest.mark.parametrize("trials", TRIALS)
@pytest.mark.parametrize("happening", BATCHES.values(), ids=list(BATCHES))
def test_without_the_mark_only_the_loss_of_the_last_batch_is_not_noticed(happening: Happening, trials: int) -> None:
    noticed, last_lost = list[bool](), list[bool]()
    for trial in range(trials):
        changed = happening(CLEAN, Random(trial))
        seen = folded(changed)
        noticed.append(seen.status != Status.HOLDS)
        last_lost.append(changed == CLEAN[:-1])
        assert noticed[-1] or "leave no gap" in seen.unnoticed

    assert noticed == [not lost for lost in last_lost]


@pytest.mark.parametrize("trials", TRIALS)
@pytest.mark.parametrize("how", BATCHES)
def test_a_changed_event_is_noticed_unless_what_is_left_is_the_stream_of_a_right_cache(how: str, trials: int) -> None:
    """Lost: no page of it is named again before the cache is cleared. Doubled or moved: the tiers hold the same in the end."""
    noticed = 0
    for trial in range(trials):
        changed = events_changed(CLEAN, Random(trial), how)
        seen = folded(changed)
        noticed += seen.status == Status.REFUTED
        assert seen.status in (Status.REFUTED, Status.HOLDS)
        if seen.status == Status.HOLDS:
            assert named_again(changed) == set() if how == "dropped" else held(seen) == held(WHOLE)

    assert 0 < noticed <= trials
    assert noticed == trials or how != "truncated"


def held(seen: StreamFolded) -> dict[str, tuple[int, ...]]:
    return {tier: pages.ids for tier, pages in seen.tiers.items()}


def named_again(changed: list[Frame]) -> set[tuple[str, int]]:
    """The pages of the event that was lost, by tier, that a later event stores or removes before the cache is cleared."""
    before, after = ([event for frame in each for event in unpacked(frame.payload or b"")[1]] for each in (CLEAN, changed))
    at = next(i for i, (old, new) in enumerate(zip_longest(before, after)) if old != new)
    lost = set(after_clear(before[:at])) if before[at]["type"] == "AllBlocksCleared" else set(pages(before[at]))
    later = takewhile(lambda event: event["type"] != "AllBlocksCleared", after[at:])
    return lost & {page for event in later for page in pages(event)}


def pages(event: dict[str, Any]) -> Iterator[tuple[str, int]]:
    return ((event["medium"], id_) for id_ in event["block_hashes"])


def after_clear(events: list[dict[str, Any]]) -> Iterator[tuple[str, int]]:
    """The pages that were there when these events were over."""
    there = dict[tuple[str, int], None]()
    for event in events:
        if event["type"] == "AllBlocksCleared":
            there.clear()
        for page in pages(event) if "medium" in event else ():
            there[page] = None
            if event["type"] == "BlockRemoved":
                del there[page]
    return iter(there)
