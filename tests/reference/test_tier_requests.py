"""The two-tier reference as serving uses it: requests that load back, wait, and run. Keys are written as letters."""

import pytest
from two_tiers import Tiers, check, key, refused

from radixcheck.spec.values import NoRoom, NotArrived, Sizes, UnknownRequest


def test_a_start_loads_back_what_only_the_host_has_and_owns_the_rest() -> None:
    cache = Tiers()
    cache.put("ab")
    cache.offload("abcd")
    cache.put("ab")
    ticks = cache.now
    row = cache.start(1, key("abcdefg"))
    (load,) = cache.copies

    assert (row.cached, len(row.slots), row.waits) == (4, 7, (load.ticket,))
    assert (row.slots[2:4], load.floor) == (list(load.targets), cache.nodes()["ab"])
    assert [(node.lock, node.time, node.hits) for node in cache.nodes().values()] == [(2, ticks + 1, 3), (2, ticks + 1, 1)]
    assert cache.sizes() == Sizes(8, 0, 4)


def test_a_request_runs_only_when_its_row_is_filled() -> None:
    cache = Tiers()
    cache.offload("abcd")
    cache.start(1, key("abcd"))
    (move,) = cache.copier.in_flight()

    refused(cache, NotArrived, lambda: cache.run(1))
    move.complete()
    refused(cache, NotArrived, lambda: cache.run(1))  # it has arrived, but the cache has not asked yet
    cache.poll()
    before = cache.state()
    cache.run(1)
    assert cache.state() == before
    refused(cache, UnknownRequest, lambda: cache.run(2))


def test_a_request_waits_for_a_load_that_is_issued_again() -> None:
    cache = Tiers()
    cache.offload("abcd")
    row = cache.start(1, key("abcd"))
    cache.settle(failed=True)

    refused(cache, NotArrived, lambda: cache.run(1))
    again = cache.chunk(1)
    assert (again.slots, again.waits) == (row.slots, (cache.copies[0].ticket,))
    assert again.waits != row.waits
    cache.settle()
    cache.run(1)


def test_requests_of_one_prefix_wait_for_one_load() -> None:
    cache = Tiers()
    cache.put("ab")
    cache.offload("abcd")
    first, second, third = (cache.start(number, key(text)) for number, text in enumerate(("abxx", "abcd", "zz")))
    assert len(cache.copies) == 2
    assert (second.waits, third.waits) == (tuple(copy.ticket for copy in cache.copies), ())
    assert first.waits == second.waits[:1]


def test_a_row_waits_from_the_root_down_whatever_was_issued_again() -> None:
    cache = Tiers()
    cache.put("ab")
    cache.offload("abcd")
    cache.load_back(cache.host_node("ab"))
    cache.load_back(cache.host_node("abcd"))
    cache.copier.in_flight()[0].complete(failed=True)
    cache.poll()

    lower, upper = cache.copies
    assert (lower.floor, upper.floor) == (cache.nodes()["ab"], cache.root)
    assert cache.start(1, key("abcdef")).waits == (upper.ticket, lower.ticket)


def test_a_backup_does_not_keep_a_request_from_running() -> None:
    cache = Tiers()
    cache.put("abcd")
    assert cache.start(1, key("abcd")).waits == ()
    cache.run(1)


@pytest.mark.parametrize(("text", "lent"), [("abcdef", 4), ("abcdxxxx", 2), ("abcdefx", 2)])
def test_a_start_counts_what_it_loads_and_what_it_owns(text: str, lent: int) -> None:
    cache = Tiers(pages=4)
    cache.put("ab")
    cache.offload("abcdef")
    cache.put("ab")
    loan = cache.alloc(lent)

    refused(cache, NoRoom, lambda: cache.start(1, key(text)))  # what it needs beside ab is two tokens more than there are
    cache.free(loan[:2])
    assert cache.start(1, key(text)).cached >= 4


def test_a_start_evicts_for_its_load_and_its_own_slots_what_others_left() -> None:
    cache = Tiers(pages=4)
    cache.offload("abcd")
    for text in ("uv", "wx", "yz"):
        cache.put(text)
    cache.settle()
    row = cache.start(1, key("abcdef"))
    cache.write(key("abcdef").tokens, row.slots, row.cached)
    assert (row.cached, cache.tiers()) == (4, {"abcd": "dh", "uv": "h", "wx": "h", "yz": "dh"})
    check(cache)


def test_a_chunk_revives_what_only_the_host_has_with_its_own_slots() -> None:
    cache = Tiers()
    row = cache.start(1, key("abcdef"))
    cache.write(key("abcdef").tokens, row.slots)
    cache.offload("abcd")
    chunked = cache.chunk(1)

    assert (chunked.cached, chunked.slots, chunked.waits) == (6, row.slots, ())
    assert (cache.tiers(), cache.nodes()["abcd"].slots) == ({"abcd": "dh", "abcdef": "d"}, row.slots[:4])
    check(cache)


def test_a_chunk_adopts_what_a_load_is_filling_and_waits_again() -> None:
    cache = Tiers()
    row = cache.start(1, key("abcdef"))
    cache.write(key("abcdef").tokens, row.slots)
    cache.run(1)
    cache.offload("abcd")
    cache.load_back(cache.host_node("abcd"))
    chunked = cache.chunk(1)

    assert (chunked.slots, chunked.waits) == ([*cache.copies[0].targets, *row.slots[4:]], (cache.copies[0].ticket,))
    refused(cache, NotArrived, lambda: cache.run(1))
    cache.settle()
    cache.run(1)
    check(cache)


def test_a_chunk_counts_no_hit_and_so_backs_up_nothing_new() -> None:
    cache = Tiers()
    row = cache.start(1, key("abcd"))
    cache.write(key("abcd").tokens, row.slots)
    cache.chunk(1)
    assert (cache.tiers(), cache.copies) == ({"abcd": "d"}, [])
    cache.finish(1)
    assert (cache.tiers(), len(cache.copies), cache.requests) == ({"abcd": "dh"}, 1, {})


def test_a_chunk_backs_up_what_had_no_room_before() -> None:
    cache = Tiers(host_pages=2)
    cache.put("abcd")
    cache.put("xy")
    assert cache.tiers() == {"abcd": "dh", "xy": "d"}
    cache.settle()
    cache.evict(4)
    row = cache.start(1, key("xyz"))
    cache.write(key("xyz").tokens, row.slots)
    cache.chunk(1)
    assert cache.tiers() == {"xy": "dh"}


def test_an_abort_leaves_its_load_in_flight() -> None:
    cache = Tiers()
    cache.offload("abcd")
    cache.start(1, key("abcdef"))
    cache.abort(1)
    assert (cache.sizes(), len(cache.copies)) == (Sizes(12, 0, 4), 1)
    assert (cache.settle(), cache.sizes()) == (1, Sizes(12, 4, 0))


def test_a_decode_that_needs_a_page_demotes_what_the_host_has() -> None:
    cache = Tiers(pages=2)
    cache.put("ab")
    cache.settle()
    cache.start(1, key("xy"))
    cache.decode(1, 0)
    assert (cache.tiers(), cache.sizes()) == ({"ab": "h"}, Sizes(0, 0, 0))
