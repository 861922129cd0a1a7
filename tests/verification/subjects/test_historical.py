"""The historical caches do what their docstrings say, the faults included and nothing else wrong."""

import random
from collections.abc import Callable

import pytest

from radixcheck.reference import SlotPool
from radixcheck.spec import values
from radixcheck.spec.values import CacheError, Key, NoRoom, Sizes
from radixcheck.verification.protocol import SeenEntry, Setup
from radixcheck.verification.subjects.historical import base_subject, nodes_subject, pairs_subject
from radixcheck.verification.subjects.historical.base import above
from radixcheck.verification.subjects.historical.historical_subject import HistoricalCache

Factory = Callable[[Setup], HistoricalCache]
Prefixes = set[tuple[int, ...]]
CACHES: list[Factory] = [base_subject, pairs_subject, nodes_subject]

each_cache = pytest.mark.parametrize("make", CACHES)
each_reading = pytest.mark.parametrize("make", CACHES[1:])


def cache_of(make: Factory, pages: int = 8, page_size: int = 1) -> HistoricalCache:
    return make(Setup(page_size, "lru", SlotPool(pages * page_size, page_size)))  # it refuses slots that are not on loan


def holding(make: Factory, *keys: tuple[int, ...]) -> HistoricalCache:
    """A cache of eight pages of one token, into which these keys were put in this order."""
    cache = cache_of(make)
    for key in keys:
        put(cache, *key)
    return cache


def put(cache: HistoricalCache, *tokens: int) -> None:
    """Cache a key whose length is whole pages, as a caller does: alloc, insert, free what was cached already."""
    slots = cache.alloc(len(tokens))
    cache.free(slots[: cache.insert(Key(tokens), slots)])


def cached(cache: HistoricalCache) -> Prefixes:
    """The prefix of every node that the root reaches."""
    prefixes: dict[object, tuple[int, ...]] = {None: ()}
    for node in cache.observe().nodes:
        prefixes[node.name] = (*prefixes[node.parent], *node.segment)
    return set(prefixes.values()) - {()}


def heap(cache: HistoricalCache) -> list[SeenEntry]:
    return list(cache.observe().heap or ())


@pytest.mark.parametrize(("make", "expected"), list(zip(CACHES, ({(1,), (1, 2)}, {(1,), (3,)}, {(1,), (3,)}), strict=True)))
def test_a_partial_match_refreshes_the_half_that_it_did_not_use(make: Factory, expected: Prefixes) -> None:
    cache = holding(make, (1, 2), (3,))
    before = cache.observe().now
    cache.match(Key((1,)))
    lower = next(node for node in cache.observe().nodes if node.segment == (2,))
    assert lower.time > before
    # The 2 was used least recently, and base evicts the 3 (L5). In the change a second fault, stale entries, hides it.
    assert cache.evict(1) == 1
    assert cached(cache) == expected


def test_base_keeps_no_heap_and_evicts_leaves_by_their_time_then_bare_parents() -> None:
    cache = holding(base_subject, (1,), (1, 2), (3,))
    cache.match(Key((1, 2)))
    for left in ({(1,), (1, 2)}, {(1,)}, set()):
        assert (cache.evict(1), cached(cache)) == (1, left)
    assert (cache.evict(1), cache.observe().heap) == (0, None)


@pytest.mark.parametrize(("make", "expected"), list(zip(CACHES, ([2, 3, 4], [1, 1, 2], [1, 1, 2]), strict=True)))
def test_a_match_reads_the_clock_once_per_node_and_the_change_once_per_insert_and_new_node(make: Factory, expected: list[int]) -> None:
    cache = holding(make, (1,), (1, 2))
    before = cache.observe().now
    cache.match(Key((1, 2)))
    assert [node.time - before for node in cache.observe().nodes] == [2, 3]  # parent first; the first one is the root's

    before = cache.observe().now
    put(cache, 1, 2, 3)
    assert [node.time - before for node in cache.observe().nodes] == expected


@each_reading
def test_an_internal_node_is_evicted_and_the_slots_it_cut_off_return_once_later(make: Factory) -> None:
    cache = holding(make, (1,), (1, 2))

    assert (cache.evict(1), cached(cache)) == (1, set())
    assert cache.sizes() == Sizes(7, 1, 0)  # the slot of the 2 is unreachable, and is not free
    assert [cache.evict(1), cache.evict(1)] == [1, 0]
    assert cache.sizes() == Sizes(8, 0, 0)


@each_reading
def test_what_was_cut_off_is_cached_a_second_time_beside_the_first_and_returns_at_a_reset(make: Factory) -> None:
    cache = holding(make, (1,), (1, 2))
    cache.evict(1)
    assert cache.peek(Key((1, 2))) == 0
    put(cache, 1, 2)
    assert cache.sizes() == Sizes(5, 3, 0)
    assert cache.evict(1) == 1  # the old 2, whose parent is no longer the node that now holds the 1
    assert cached(cache) == {(1, 2)}
    cache = holding(make, (1,), (1, 2))
    cache.evict(1)
    cache.reset()
    assert (cache.sizes(), heap(cache)) == (Sizes(8, 0, 0), [])


@pytest.mark.parametrize(("make", "left"), [(base_subject, {1: 1, 2: 2}), (pairs_subject, {1: 3, 2: 3}), (nodes_subject, {1: 3, 2: 2})])
def test_a_touched_leaf_keeps_its_turn_in_pairs_and_at_the_top_of_nodes(make: Factory, left: dict[int, int]) -> None:
    for touched, kept in left.items():
        cache = holding(make, (1,), (2,), (3,))
        cache.match(Key((touched,)))
        assert cache.evict(2) == 2
        assert cached(cache) == {(kept,)}


@pytest.mark.parametrize(("make", "ordered"), [(pairs_subject, True), (nodes_subject, False)])
def test_a_touch_breaks_the_order_of_bare_nodes_and_ages_the_times_of_pairs(make: Factory, ordered: bool) -> None:
    cache = holding(make, (1,), (2,))
    cache.match(Key((1,)))

    keys = [entry.key for entry in heap(cache)]
    live = {node.name: (node.time, 0) for node in cache.observe().nodes}

    assert (keys[0] <= keys[1]) is ordered
    assert ([live[entry.node] for entry in heap(cache)] == keys) is not ordered


@each_reading
def test_each_lock_and_unlock_leaves_one_more_entry_and_only_one_of_them_frees(make: Factory) -> None:
    cache = holding(make, (1,))
    node = cache.match(Key((1,))).node
    for _ in range(5):
        cache.unlock(cache.lock(node))
    assert [entry.node for entry in heap(cache)] == [cache.locate(node)] * 6
    assert (cache.evict(8), heap(cache)) == (1, [])


@each_reading
def test_a_chunk_that_adds_no_page_leaves_one_more_entry(make: Factory) -> None:
    cache = cache_of(make)
    cache.start(0, Key((1, 2)))
    for entries in (1, 2, 3):
        cache.chunk(0)
        assert len(heap(cache)) == entries


@each_reading
def test_the_entry_of_a_locked_leaf_is_lost_and_comes_back_with_the_unlock(make: Factory) -> None:
    cache = holding(make, (1,))
    receipt = cache.lock(cache.match(Key((1,))).node)

    assert len(heap(cache)) == 1  # the lock removes nothing
    assert (cache.evict(1), heap(cache)) == (0, [])
    cache.unlock(receipt)
    assert cache.evict(1) == 1
    # Its parent is bare now: the root gets an entry, and the loop skips it.
    assert [entry.node for entry in heap(cache)] == [cache.tree.cache.root.name]
    assert (cache.evict(1), heap(cache)) == (0, [])


@each_reading
@pytest.mark.parametrize("page_size", [1, 2])
def test_stored_child_keys_stay_right_through_splits(make: Factory, page_size: int) -> None:
    cache = cache_of(make, 32, page_size)
    rng = random.Random(1)
    for _ in range(12):
        put(cache, *(rng.randrange(2) for _ in range(4 * page_size)))

    nodes = list(cache.tree.cache.nodes())
    assert len(nodes) > 12
    assert all(node.child_key is not None and above(node).children[node.child_key] is node for node in nodes)


@each_cache
@pytest.mark.parametrize("page_size", [1, 2, 16])
def test_requests_keep_every_slot_accounted_for_and_evictions_reach_their_amount(make: Factory, page_size: int) -> None:
    rng = random.Random(page_size)
    cache = cache_of(make, 20, page_size)
    live: list[int] = []
    for request in range(300):
        try:
            cache.start(request, Key(tuple(rng.randrange(2) for _ in range(rng.randrange(1, 6 * page_size)))))
            live.append(request)
            cache.decode(rng.choice(live), rng.randrange(2))
            row = cache.chunk(rng.choice(live))
            assert len(set(row.slots)) == len(row.slots)
        except NoRoom:
            if live:
                rng.choice([cache.finish, cache.abort])(live.pop(rng.randrange(len(live))))
        if rng.random() < 0.3:
            evictable = cache.sizes().evictable
            assert cache.evict(page_size) >= min(page_size, evictable)
        rows = cache.observe().requests.values()
        owned = sum(-(-len(row.slots) // page_size) * page_size - row.cached for row in rows)
        assert sum(cache.sizes()) + owned == 20 * page_size
    for request in live:
        cache.finish(request)
    cache.reset()
    assert cache.sizes().available == 20 * page_size


@each_cache
def test_a_chunk_adopts_what_another_request_cached_meanwhile(make: Factory) -> None:
    cache = cache_of(make, 8, 2)
    first = cache.start(0, Key((1, 2, 3)))
    second = cache.start(1, Key((1, 2, 3)))
    cache.chunk(0)
    row = cache.chunk(1)

    assert row.cached == 2
    assert row.slots == [*first.slots[:2], second.slots[2]]
    assert cache.sizes().available == 10  # the tree holds one page, each request one
    assert cache.decode(1, 4) == second.slots[2] + 1


@each_cache
def test_a_call_outside_its_guard_is_refused_and_changes_nothing(make: Factory) -> None:
    cache = cache_of(make, 4, 2)
    put(cache, 1, 2, 3, 4)
    stale = cache.match(Key((1, 2, 3, 4))).node
    cache.evict(4)
    put(cache, 1, 2, 3, 4)
    receipt = cache.lock(cache.match(Key((1, 2))).node)
    cache.unlock(receipt)
    cache.start(0, Key((1, 2, 5)))
    loan = cache.alloc(2)
    refusals: list[tuple[type[CacheError], Callable[[], object]]] = [
        (values.StaleHandle, lambda: cache.lock(stale)),
        (values.NotLocked, lambda: cache.unlock(receipt)),
        (values.NotYourSlot, lambda: cache.free(loan[:1])),
        (values.NotYourSlot, lambda: cache.insert(Key((7, 8)), loan[::-1])),
        (values.BadAmount, lambda: cache.insert(Key((7, 8)), [])),
        (values.BadAmount, lambda: cache.evict(-1)),
        (values.BadAmount, lambda: cache.alloc(-1)),
        (NoRoom, lambda: cache.alloc(8)),
        (NoRoom, lambda: cache.start(1, Key((1, 2, 3, 4, 9, 9)))),
        (values.RequestExists, lambda: cache.start(0, Key((1,)))),
        (values.UnknownRequest, lambda: cache.finish(1)),
        (values.BadKey, lambda: cache.match(Key((-1,)))),
        (values.BadKey, lambda: cache.match(Key((1,), ("adapter",)))),
        (values.StillHeld, cache.reset),
    ]
    before = cache.observe(), cache.sizes()

    for error, call in refusals:
        with pytest.raises(error):
            call()
        assert (cache.observe(), cache.sizes()) == before


@each_cache
def test_a_policy_that_the_release_did_not_have_is_refused(make: Factory) -> None:
    with pytest.raises(ValueError, match="lru only"):
        make(Setup(1, "lfu", SlotPool(4, 1)))
