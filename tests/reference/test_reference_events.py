"""The KV events of the reference: what is announced, when, and with which ids."""

from typing import Any

import pytest

from radixcheck.reference import Copies, RadixCache, SlotPool, TieredCache
from radixcheck.spec.events.event_values import DEVICE, HOST, Cleared, Event, Removed, Stored, page_id
from radixcheck.spec.values import Key


def counted() -> Any:
    """Ids 1, 2, 3, in the order in which they are asked for."""
    ids = iter(range(1, 100))
    return lambda parent, namespace, tokens: next(ids)


@pytest.fixture
def events() -> list[Event]:
    return []


def flat(events: list[Event]) -> RadixCache:
    return RadixCache(2, "lru", SlotPool(16, 2), events, counted())


def tiered(events: list[Event], mode: str = "write_through") -> tuple[TieredCache, Copies]:
    copier = Copies()
    return TieredCache(1, "lru", SlotPool(8, 1), SlotPool(8, 1), copier, mode, events, counted()), copier


def inserted(cache: RadixCache, tokens: tuple[int, ...], namespace: tuple[object, ...] = ()) -> None:
    slots = cache.alloc(len(tokens))
    present = cache.insert(Key(tokens, namespace), slots)
    if present:
        cache.free(slots[:present])


def taken(events: list[Event]) -> list[Event]:
    made = events[:]
    events.clear()
    return made


def test_a_leaf_is_stored_behind_the_page_before_it_and_removed_longest_first(events: list[Event]) -> None:
    cache = flat(events)
    inserted(cache, (1, 2, 3, 4), ("a",))
    inserted(cache, (1, 2, 3, 4, 5, 6), ("a",))

    assert taken(events) == [Stored(DEVICE, ("a",), None, (1, 2), (1, 2, 3, 4)), Stored(DEVICE, ("a",), 2, (3,), (5, 6))]
    assert cache.evict(6) == 6
    assert events == [Removed(DEVICE, (3,)), Removed(DEVICE, (2, 1))]


def test_a_split_announces_nothing_and_both_halves_keep_their_ids(events: list[Event]) -> None:
    cache = flat(events)
    inserted(cache, (1, 2, 3, 4))
    taken(events)

    assert cache.match(Key((1, 2, 9, 9))).length == 2
    assert events == []
    inserted(cache, (1, 2, 9, 9))
    assert taken(events) == [Stored(DEVICE, (), 1, (3,), (9, 9))]
    cache.evict(6)
    assert events == [Removed(DEVICE, (2,)), Removed(DEVICE, (3,)), Removed(DEVICE, (1,))]


def test_a_request_announces_what_it_caches(events: list[Event]) -> None:
    cache = flat(events)
    cache.start(7, Key((1, 2, 3)))
    assert events == []
    cache.decode(7, 4)
    cache.chunk(7)
    assert taken(events) == [Stored(DEVICE, (), None, (1, 2), (1, 2, 3, 4))]
    cache.finish(7)
    assert events == []


def test_a_reset_clears(events: list[Event]) -> None:
    cache = flat(events)
    inserted(cache, (1, 2))
    cache.reset()
    inserted(cache, (1, 2))
    assert events == [Stored(DEVICE, (), None, (1,), (1, 2)), Cleared(), Stored(DEVICE, (), None, (2,), (1, 2))]


def test_without_a_choice_the_ids_are_those_of_the_specification(events: list[Event]) -> None:
    inserted(RadixCache(2, "lru", SlotPool(16, 2), events), (1, 2, 3, 4))
    first = page_id(None, (), (1, 2))
    assert events == [Stored(DEVICE, (), None, (first, page_id(first, (), (3, 4))), (1, 2, 3, 4))]


def test_a_copy_is_announced_when_it_has_arrived_and_not_when_it_is_issued(events: list[Event]) -> None:
    cache, copier = tiered(events)
    inserted(cache, (1, 2))
    assert taken(events) == [Stored(DEVICE, (), None, (1, 2), (1, 2))]
    copier.in_flight()[0].complete()
    assert events == []
    cache.poll()
    assert taken(events) == [Stored(HOST, (), None, (1, 2), (1, 2))]

    cache.evict(2)
    assert taken(events) == [Removed(DEVICE, (2, 1))]
    cache.load_back(cache.match(Key((1, 2))).host_node)
    assert events == []
    copier.in_flight()[0].complete()
    cache.poll()
    assert events == [Stored(DEVICE, (), None, (1, 2), (1, 2))]


def test_a_copy_that_fails_announces_nothing(events: list[Event]) -> None:
    cache, copier = tiered(events)
    inserted(cache, (1, 2))
    copier.in_flight()[0].complete(failed=True)
    cache.poll()
    assert taken(events) == [Stored(DEVICE, (), None, (1, 2), (1, 2))]
    cache.evict(2)
    assert events == [Removed(DEVICE, (2, 1))]


def test_an_eviction_that_writes_back_announces_the_host_before_the_device_is_left(events: list[Event]) -> None:
    cache, _ = tiered(events, "write_back")
    inserted(cache, (1, 2))
    inserted(cache, (1, 2, 3))
    taken(events)

    cache.evict(3)
    expected = [Stored(HOST, (), 2, (3,), (3,)), Removed(DEVICE, (3,)), Stored(HOST, (), None, (1, 2), (1, 2)), Removed(DEVICE, (2, 1))]
    assert taken(events) == expected
    cache.evict_host(3)
    assert events == [Removed(HOST, (3,)), Removed(HOST, (2, 1))]


def test_what_an_insert_brings_back_is_stored_on_the_device_again(events: list[Event]) -> None:
    cache, _ = tiered(events, "write_back")
    inserted(cache, (1, 2))
    cache.evict(2)
    taken(events)
    inserted(cache, (1, 2, 3))
    assert events == [Stored(DEVICE, (), None, (1, 2), (1, 2)), Stored(DEVICE, (), 2, (3,), (3,))]
