"""The reference cache as serving uses it: requests. Keys are written as letters: one letter is one token."""

from collections.abc import Callable
from functools import partial

import pytest
from lettered import key, make, put, refused, tree

from radixcheck.spec.values import BadAmount, BadKey, CacheError, Key, NoRoom, RequestExists, Sizes, StillHeld, UnknownRequest


def test_a_request_reads_what_is_cached_and_owns_the_rest() -> None:
    cache = make()
    put(cache, "abcd")
    cached = cache.match(key("abcd")).slots
    row = cache.start(1, key("abcdefg"))

    assert (row.cached, row.slots[:4], len(row.slots)) == (4, cached, 7)
    assert cache.sizes() == Sizes(available=8, evictable=0, protected=4)
    row.slots.clear()
    assert len(cache.chunk(1).slots) == 7


def test_a_decode_fills_the_last_page_before_it_takes_another() -> None:
    cache = make()
    row = cache.start(1, key("abc")).slots

    slots = [cache.decode(1, ord(letter)) for letter in "de"]
    assert slots[0] == row[-1] + 1
    assert (slots[1] % 2, cache.sizes().available) == (0, 10)


def test_a_chunk_caches_whole_pages_and_locks_them() -> None:
    cache = make()
    row = cache.start(1, key("abcde"), priority=4)
    chunked = cache.chunk(1)

    assert (chunked.cached, chunked.slots) == (4, row.slots)
    assert [(n.lock, n.hits, n.priority, n.time) for n in tree(cache).values()] == [(1, 0, 4, 2)]
    assert cache.sizes() == Sizes(available=10, evictable=0, protected=4)


def test_a_chunk_adopts_what_others_cached_and_frees_its_duplicates() -> None:
    cache = make()
    first, second = cache.start(1, key("abcdef")), cache.start(2, key("abcdxx"))
    cache.chunk(1)
    chunked = cache.chunk(2)

    assert chunked.slots == first.slots[:4] + second.slots[4:]
    assert {prefix: n.lock for prefix, n in tree(cache).items()} == {"abcd": 2, "abcdef": 1, "abcdxx": 1}
    assert cache.sizes() == Sizes(available=8, evictable=0, protected=8)


def test_a_finish_caches_the_whole_pages_with_one_hit() -> None:
    cache = make()
    cache.start(1, key("abc"))
    cache.decode(1, ord("d"))
    cache.decode(1, ord("e"))
    cache.finish(1)

    assert {prefix: (n.lock, n.hits) for prefix, n in tree(cache).items()} == {"abcd": (0, 1)}
    assert (cache.sizes(), cache.requests) == (Sizes(available=12, evictable=4, protected=0), {})


def test_an_abort_frees_its_own_slots_and_does_not_tick() -> None:
    cache = make()
    put(cache, "ab")
    cache.start(1, key("abcde"))
    ticks = cache.now
    cache.abort(1)

    assert (cache.now, cache.sizes()) == (ticks, Sizes(available=14, evictable=2, protected=0))


def test_the_default_priority_is_the_least() -> None:
    cache = make()
    cache.insert(key("ab"), cache.alloc(2))
    cache.start(1, key("cd"))
    cache.chunk(1)

    assert {prefix: n.priority for prefix, n in tree(cache).items()} == {"ab": 0, "cd": 0}


def test_a_start_does_not_evict_what_it_has_just_matched() -> None:
    cache = make(capacity=8)
    put(cache, "abcd")
    put(cache, "xy")
    cache.match(key("xy"))
    row = cache.start(1, key("abcdefg"))

    assert (row.cached, set(tree(cache))) == (4, {"abcd"})


@pytest.mark.parametrize("text", ["abcdefghijk", "abxxxxxxxx"])
def test_a_start_without_room_changes_nothing(text: str) -> None:
    cache = make(capacity=8)
    put(cache, "abcdef")  # evictable, but what the request matches of it cannot make room for the request
    refused(cache, NoRoom, lambda: cache.start(1, key(text)))
    assert cache.start(1, key("abxxxxxx")).cached == 2


def test_a_decode_or_an_allocation_without_room_changes_nothing() -> None:
    cache = make(capacity=4)
    cache.start(1, key("abcd"))
    cache.chunk(1)

    refused(cache, NoRoom, lambda: cache.decode(1, 0))
    refused(cache, NoRoom, lambda: cache.alloc(1))


def test_a_decode_that_needs_a_page_evicts_the_shortfall_only() -> None:
    cache = make(capacity=8)
    for text in ("ab", "cd"):
        put(cache, text)
    cache.start(1, key("wxyz"))
    cache.decode(1, ord("!"))

    assert set(tree(cache)) == {"cd"}


def test_a_request_call_outside_its_guard_is_refused_and_changes_nothing() -> None:
    cache = make()
    put(cache, "abcd")
    cache.start(1, key("ab"))
    wrong: list[tuple[type[CacheError], Callable[[], object]]] = [
        *((BadKey, lambda: cache.start(2, Key((-1,)))), (BadKey, lambda: cache.decode(1, -1))),
        *((BadAmount, lambda: cache.start(2, key("xy"), priority=-1)), (RequestExists, lambda: cache.start(1, key("xy")))),
        *((UnknownRequest, partial(call, 2)) for call in (cache.chunk, cache.finish, cache.abort)),
        *((UnknownRequest, lambda: cache.decode(2, 0)), (StillHeld, cache.reset)),
    ]
    for error, call in wrong:
        refused(cache, error, call)


@pytest.mark.parametrize("what", ["a lock", "a request", "a loan"])
def test_a_reset_is_refused_while_anything_is_held(what: str) -> None:
    cache = make()
    put(cache, "ab")
    match what:
        case "a lock":
            release: Callable[[], object] = partial(cache.unlock, cache.lock(cache.match(key("ab")).node))
        case "a request":
            cache.start(1, key("ab"))
            release = partial(cache.abort, 1)
        case _:
            release = partial(cache.free, cache.alloc(2))

    refused(cache, StillHeld, cache.reset)
    release()
    cache.reset()
    assert (cache.sizes(), tree(cache)) == (Sizes(available=16, evictable=0, protected=0), {})


def test_a_chain_of_three_thousand_nodes_needs_no_recursion() -> None:
    depth = 3_000
    cache = make(page_size=1, capacity=depth + 1)
    tokens = tuple(range(depth))
    cache.insert(Key(tokens), cache.alloc(depth))
    for length in range(depth - 1, 0, -1):
        cache.match(Key(tokens[:length]))

    assert len(cache.observe().nodes) == depth
    assert cache.start(1, Key((*tokens, 0))).cached == depth
    cache.finish(1)
    assert (cache.sizes().evictable, cache.evict(depth)) == (depth + 1, depth)
    cache.reset()
    assert cache.sizes().available == depth + 1
