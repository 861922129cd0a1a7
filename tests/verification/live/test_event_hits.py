"""Hits beside what events say: requests of a tree cache that evicts in the middle of rounds, clean and with faults planted."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any

import msgpack
import pytest
from event_trials import PAGE, Tree, framed

from radixcheck.spec.events.event_values import DEVICE
from radixcheck.verification.core.status import Status
from radixcheck.verification.event_streams.recording import Frame
from radixcheck.verification.live.event_hits import Predicted, Served, predicted

ROUNDS, TOGETHER = 40, 4
LAST = 9_999  # the token of a prompt that is always computed


def run(seed: int) -> tuple[list[Served], list[Frame]]:
    """Requests and batches: a batch has the events of one to four requests, and may be sent after the next round has begun."""
    random = Random(seed)
    tree, served, sent = Tree(random), list[Served](), list[tuple[float, list[object]]]()
    groups = [tuple(random.sample(range(40), random.randrange(2, 6))) for _ in range(8)]
    for number in range(ROUNDS):
        for at in range(TOGETHER):
            chain = random.choice(groups) + tuple(random.sample(range(40, 80), random.randrange(4)))
            hit = PAGE * sum(chain[:end] in tree.tiers[DEVICE] for end in range(1, len(chain) + 1))
            tokens = (*(token for page in chain for token in tree.tokens(page)), LAST)
            served.append(Served(tokens, hit, len(tokens) - 1, number, number + 0.5))
            tree.request(chain)
            if tree.events and random.random() < 0.5:
                sent.append((max(sent[-1][0] if sent else 0.0, number + at / 10), tree.events))
                tree.events = []
        if tree.events:
            sent.append((number + random.uniform(0.4, 1.4), tree.events))
            tree.events = []
    return served, framed([msgpack.packb([time, events, 0]) for time, events in sent])


def wrong(found: Sequence[Predicted]) -> list[int]:
    return [number for number, request in enumerate(found) if not request.agrees]


@pytest.mark.parametrize("seed", range(10))
def test_hits_of_a_right_cache_are_what_its_events_say_at_some_event_of_their_round(seed: int) -> None:
    served, frames = run(seed)
    folded, found = predicted(served, frames)

    assert (folded.status, folded.events["removed"] > 20) == (Status.HOLDS, True)
    assert [request.served for request in found] == served
    assert wrong(found) == []
    at_once = sum(request.first == request.served.hit for request in found)
    assert 0 < at_once < len(found)


@pytest.mark.parametrize("change", [-PAGE, PAGE, -1, 1])
def test_a_hit_of_another_length_is_wrong(change: int) -> None:
    """A page more or less may be what there was at another event of the round; a part of a page never is."""
    served, frames = run(seed=1)
    noticed, tried = 0, [number for number, one in enumerate(served) if 0 <= one.hit + change <= one.most][::8]
    for number in tried:
        changed = [*served[:number], replace(served[number], hit=served[number].hit + change), *served[number + 1 :]]
        noticed += wrong(predicted(changed, frames)[1]) == [number]

    assert len(tried) > 10
    assert noticed == len(tried) if abs(change) == 1 else noticed > len(tried) / 2


def test_a_hit_of_pages_that_only_the_request_itself_has_computed_is_wrong() -> None:
    served, frames = run(seed=1)
    number, one = next((at, each) for at, each in enumerate(served) if each.hit < each.most)
    found = predicted([*served[:number], replace(one, hit=one.most, most=one.hit), *served[number + 1 :]], frames)[1]

    assert found[number].seen
    assert wrong(found) == [number]


def test_a_page_that_no_event_names_is_noticed_by_the_hits_and_by_nothing_else() -> None:
    """Neither that it is stored nor that it is removed: the rest is what a right cache might have sent."""
    served, frames = run(seed=2)
    noticed, changed = 0, list(without_a_page(frames))
    for each in changed:
        folded, found = predicted(served, each)
        assert folded.status == Status.HOLDS
        noticed += bool(wrong(found))

    assert 0 < noticed < len(changed)


def without_a_page(frames: Sequence[Frame]) -> Iterator[list[Frame]]:
    """Leave out each page of the device that leaves it again, and that no page has followed until then."""
    batches = [msgpack.unpackb(frame.payload or b"", strict_map_key=False) for frame in frames]
    events = [event for _, each, _ in batches for event in each if event["medium"] == "GPU"]
    for at, event in enumerate(events):
        last = event["block_hashes"][-1]
        after = next((each for each in events[at + 1 :] if last in each["block_hashes"] or each.get("parent_block_hash") == last), None)
        if event["type"] == "BlockStored" and after is not None and after["type"] == "BlockRemoved":
            yield framed([msgpack.packb([time, without(each, (event, after)), rank]) for time, each, rank in batches])


def without(events: Sequence[Any], cut: tuple[Any, Any]) -> list[Any]:
    """Leave out the last page of a stored event and a removed page."""
    kept = list[Any]()
    for event in events:
        if all(event is not each for each in cut):
            kept.append(event)
        elif len(event["block_hashes"]) > 1:
            kept.append(event | {"block_hashes": event["block_hashes"][:-1], "token_ids": event["token_ids"][:-PAGE]})
    return kept


def test_requests_after_the_last_batch_are_looked_up_at_its_end() -> None:
    served, frames = run(seed=3)
    late = replace(served[-1], begun=ROUNDS + 7.0, ended=ROUNDS + 8.0)
    found = predicted([*served, replace(late, hit=len(late.tokens) - 1)], frames)[1]

    assert len(found) == len(served) + 1
    assert found[-1].agrees
