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
from radixcheck.verification.event_streams.stream import folded as folded_stream
from radixcheck.verification.live.event_hits import Predicted, Served, predicted

ROUNDS, TOGETHER = 40, 4
LAST = 9_999  # the token of a prompt that is always computed


def run(seed: int, joined: bool = False) -> tuple[list[Served], list[Frame]]:
    """Requests and batches: a batch has the events of one to four requests, and may be sent after the next round has begun.

    `joined`: events that follow each other in a batch are one, as SGLang has them.
    """
    random = Random(seed)
    tree, served, sent = Tree(random), list[Served](), list[tuple[float, list[Any]]]()
    groups = [tuple(random.sample(range(40), random.randrange(2, 6))) for _ in range(8)]
    for number in range(ROUNDS):
        for at in range(TOGETHER):
            chain = random.choice(groups) + tuple(random.sample(range(40, 80), random.randrange(4)))
            hit = PAGE * sum(chain[:end] in tree.tiers[DEVICE] for end in range(1, len(chain) + 1))
            tokens = (*(token for page in chain for token in tree.tokens(page)), LAST)
            served.append(Served(tokens, hit, 0, number, number + 0.5))
            tree.request(chain)
            if tree.events and random.random() < 0.5:
                sent.append((max(sent[-1][0] if sent else 0.0, number + at / 10), tree.events))
                tree.events = []
        if tree.events:
            sent.append((number + random.uniform(0.4, 1.4), tree.events))
            tree.events = []
    possible = [replace(one, most=possible_hit(at, served)) for at, one in enumerate(served)]
    return possible, framed([msgpack.packb([time, join(events) if joined else events, 0]) for time, events in sent])


def join(events: Sequence[Any]) -> list[Any]:
    """Join removals from one tier, and stores of which one goes on where the other ends."""
    made = list[Any]()
    for event in events:
        last = made[-1] if made else None
        if last is None or (last["type"], last["medium"]) != (event["type"], event["medium"]):
            made.append(event)
        elif event["type"] == "BlockRemoved":
            made[-1] = last | {"block_hashes": last["block_hashes"] + event["block_hashes"]}
        elif event["parent_block_hash"] == last["block_hashes"][-1]:
            made[-1] = last | {name: last[name] + event[name] for name in ("block_hashes", "token_ids")}
        else:
            made.append(event)
    return made


def possible_hit(at: int, served: Sequence[Served]) -> int:
    """The tokens in whole pages that another request has, of an earlier round or of the same one."""
    tokens, until = served[at].tokens[:-1], (at // TOGETHER + 1) * TOGETHER
    others = [one.tokens for number, one in enumerate(served[:until]) if number != at]
    return max(end for end in range(0, len(tokens) + 1, PAGE) if not end or any(tokens[:end] == other[:end] for other in others))


def wrong(found: Sequence[Predicted]) -> list[int]:
    return [number for number, request in enumerate(found) if not request.agrees]


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_hits_of_a_right_cache_are_what_its_events_say_at_some_page_of_their_round(seed: int, joined: bool) -> None:
    served, frames = run(seed, joined)
    folded, found = folded_stream(frames), predicted(served, frames)

    assert (folded.status, folded.events["removed"] > 20) == (Status.HOLDS, True)
    assert [request.served for request in found] == served
    assert wrong(found) == []
    at_once = sum(request.first == request.served.hit for request in found)
    assert 0 < at_once < len(found)


@pytest.mark.parametrize("change", [-PAGE, PAGE, -1, 1])
def test_a_hit_of_another_length_is_wrong(change: int) -> None:
    """A page more or less may be what there was at another event of the round; a part of a page never is."""
    served, frames = run(seed=1)
    noticed, tried = 0, [number for number, one in enumerate(served) if 0 <= one.hit + change < len(one.tokens)][::8]
    for number in tried:
        changed = [*served[:number], replace(served[number], hit=served[number].hit + change), *served[number + 1 :]]
        noticed += wrong(predicted(changed, frames)) == [number]

    assert len(tried) > 10
    assert noticed == len(tried) if abs(change) == 1 else noticed > len(tried) / 2


def test_a_hit_of_pages_that_only_the_request_itself_has_computed_is_wrong() -> None:
    served, frames = run(seed=1)
    number, one = next((at, each) for at, each in enumerate(served) if each.most < len(each.tokens) - 1)
    found = predicted([*served[:number], replace(one, hit=len(one.tokens) - 1), *served[number + 1 :]], frames)

    assert found[number].seen
    assert wrong(found) == [number]


def test_a_page_that_no_event_names_is_noticed_by_the_hits_and_by_nothing_else() -> None:
    """Neither that it is stored nor that it is removed: the rest is what a right cache might have sent."""
    served, frames = run(seed=2)
    noticed, changed = 0, list(without_a_page(frames))
    for each in changed:
        assert folded_stream(each).status == Status.HOLDS
        noticed += bool(wrong(predicted(served, each)))

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
    """The last request comes again, alone: its pages are there now."""
    served, frames = run(seed=3)
    whole = len(served[-1].tokens) - 1
    late = replace(served[-1], begun=ROUNDS + 7.0, ended=ROUNDS + 8.0, most=whole)

    assert predicted([*served, replace(late, hit=whole)], frames)[-1].agrees
    assert not predicted([*served, replace(late, hit=whole - PAGE)], frames)[-1].agrees


def stored(time: float, *chains: tuple[int, ...]) -> bytes:
    """A batch that stores the pages of these chains, one after another."""
    tree = Tree(Random(0))
    for chain in chains:
        tree.store(DEVICE, [chain])
    return bytes(msgpack.packb([time, tree.events, 0]))


@pytest.mark.parametrize(("times", "agrees"), [((0.2, 0.4), True), ((0.2, 1.2), True), ((1.1, 1.2), False), ((1.1, 0.4), False)])
def test_what_is_stored_after_the_first_batch_from_after_a_round_is_too_late(times: tuple[float, float], agrees: bool) -> None:
    """The second of two batches stores the page that is hit."""
    request = Served((*Tree(Random(0)).tokens(1), LAST), PAGE, PAGE, begun=0.0, ended=0.5)

    (found,) = predicted([request], framed([stored(times[0], (2,)), stored(times[1], (1,))]))
    assert (found.first, found.agrees) == (0, agrees)


def test_the_last_token_of_a_prompt_is_not_hit() -> None:
    tree = Tree(Random(0))
    request = Served((*tree.tokens(1), *tree.tokens(2)), PAGE, 2 * PAGE, begun=1.0, ended=1.5)
    batches = framed([stored(0.5, (1,), (1, 2))])

    assert predicted([request], batches)[0].agrees
    assert not predicted([replace(request, hit=2 * PAGE)], batches)[0].agrees
