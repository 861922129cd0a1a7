"""The two-tier reference, verb by verb: what leaves the device, what comes back. Keys are written as letters: one letter is one token."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from two_tiers import Mover, Tiers, check, key, refused

from radixcheck.reference import POLICIES, SlotPool, TieredCache
from radixcheck.spec.values import BadAmount, BadKey, CacheError, Key, NotLocked, Sizes, StaleHandle, StillHeld

WRITE_THROUGH, SELECTIVE, WRITE_BACK = "write_through", "write_through_selective", "write_back"


def host_node(cache: Tiers, text: str) -> object:
    return cache.match(key(text)).host_node


# ------------------------------------------------------------------ backups


def test_write_through_backs_up_what_is_inserted_and_locks_it_until_it_arrives() -> None:
    cache = Tiers()
    cache.put("abcde")
    (copy,) = cache.copies
    assert (copy.up, list(copy.sources), list(copy.targets)) == (False, cache.nodes()["abcd"].slots, cache.nodes()["abcd"].host)
    assert (cache.sizes(), cache.host_available()) == (Sizes(12, 0, 4), 12)

    assert (cache.poll(), cache.settle(), cache.sizes()) == ([], 1, Sizes(12, 4, 0))
    cache.put("abcd")
    assert cache.copies == []


def test_one_copy_is_issued_for_each_node_that_the_host_does_not_have() -> None:
    cache = Tiers()
    cache.put("abcd")
    cache.put("abxy")  # splits abcd, whose copy is in flight
    assert [len(copy.sources) for copy in cache.copies] == [4, 2]
    assert cache.tiers() == {"ab": "dh", "abcd": "dh", "abxy": "dh"}


def test_selective_write_through_backs_up_what_is_inserted_twice() -> None:
    cache = Tiers(SELECTIVE)
    cache.put("abcd")
    assert cache.copies == []
    cache.put("ab")
    assert cache.tiers() == {"ab": "dh", "abcd": "d"}
    cache.put("abcdef")
    assert cache.tiers() == {"ab": "dh", "abcd": "dh", "abcdef": "d"}
    assert [copy.sources for copy in cache.copies] == [tuple(cache.nodes()[text].slots) for text in ("ab", "abcd")]


def test_a_backup_of_a_node_issues_what_is_above_it_first() -> None:
    cache = Tiers(SELECTIVE)
    cache.put("abcd")
    cache.match(key("ab"))

    assert (cache.backup(host_node(cache, "abcd")), cache.backup(host_node(cache, "abcd"))) == (4, 0)
    assert [copy.end for copy in cache.copies] == [cache.nodes()["ab"], cache.nodes()["abcd"]]


def test_under_write_back_a_backup_copies_the_node_alone() -> None:
    cache = Tiers(WRITE_BACK)
    cache.put("abcd")
    cache.match(key("ab"))
    assert cache.copies == []
    assert (cache.backup(host_node(cache, "abcd")), cache.tiers()) == (2, {"ab": "d", "abcd": "dh"})


def test_a_backup_of_nothing_and_of_what_only_the_host_has_copies_nothing() -> None:
    cache = Tiers()
    cache.offload("ab")
    for node in (host_node(cache, "ab"), host_node(cache, "xy")):
        assert (cache.backup(node), cache.copies) == (0, [])


def test_a_backup_evicts_the_shortfall_on_the_host_only() -> None:
    cache = Tiers(host_pages=3)
    for text in ("ab", "cd", "ef"):
        cache.offload(text)
    cache.put("gh")
    assert cache.tiers() == {"cd": "h", "ef": "h", "gh": "dh"}


def test_a_backup_without_room_evicts_nothing_and_stops_there() -> None:
    cache = Tiers(host_pages=3)
    cache.offload("ab")
    cache.put("cd")
    cache.put("cdefghijkl")
    assert cache.tiers() == {"ab": "h", "cd": "dh", "cdefghijkl": "d"}


# ------------------------------------------------------------------ eviction


def test_what_the_host_has_leaves_the_device_and_stays_in_the_tree() -> None:
    cache = Tiers()
    cache.put("abcd")
    cache.settle()
    before = cache.nodes()["abcd"]

    assert (cache.evict(1), cache.tiers(), cache.sizes()) == (4, {"abcd": "h"}, Sizes(16, 0, 0))
    assert cache.nodes()["abcd"] is before
    assert (before.hits, before.time, before.creation) == (1, 1, 1)
    assert cache.evict(1) == 0


def test_what_the_host_does_not_have_leaves_the_tree() -> None:
    cache = Tiers(SELECTIVE)
    cache.put("abcd")
    assert (cache.evict(4), cache.tiers(), cache.sizes()) == (4, {}, Sizes(16, 0, 0))


def test_a_device_leaf_may_have_children_on_the_host() -> None:
    cache = Tiers()
    cache.put("ab")
    cache.put("abcd")
    cache.settle()
    assert (cache.evict(2), cache.tiers()) == (2, {"ab": "dh", "abcd": "h"})
    assert (cache.evict(2), cache.tiers()) == (2, {"ab": "h", "abcd": "h"})


def test_what_a_copy_reads_is_not_evicted() -> None:
    cache = Tiers()
    cache.put("abcd")
    assert (cache.evict(4), cache.evict_host(4)) == (0, 0)


def test_write_back_copies_a_leaf_when_it_is_evicted_and_waits() -> None:
    cache = Tiers(WRITE_BACK)
    cache.put("abcd")
    assert cache.copies == []
    assert (cache.evict(4), cache.copies, cache.tiers()) == (4, [], {"abcd": "h"})
    assert cache.poll() == []
    check(cache)


def write_back_chain(host_pages: int) -> Tiers:
    """Return a cache with ab on the device, and abcd and abef behind it on the host."""
    cache = Tiers(WRITE_BACK, host_pages=host_pages)
    for text in ("abcd", "abef"):
        cache.put(text)
    assert cache.evict(4) == 4
    assert cache.tiers() == {"ab": "d", "abcd": "h", "abef": "h"}
    return cache


def test_a_leaf_that_cannot_be_written_back_leaves_the_tree_with_what_is_behind_it() -> None:
    cache = write_back_chain(host_pages=4)
    cache.copier.waits_fail = True
    assert (cache.evict(1), cache.tiers(), cache.host_available()) == (2, {}, 8)
    check(cache)


def test_writing_back_evicts_from_the_host_what_is_behind_the_leaf_last_used() -> None:
    cache = write_back_chain(host_pages=2)
    assert (cache.evict(1), cache.tiers()) == (2, {"ab": "h", "abef": "h"})


def test_without_room_on_the_host_a_leaf_leaves_the_tree() -> None:
    cache = Tiers(WRITE_BACK, host_pages=2)
    cache.put("abcd")
    cache.match(key("ab"))
    assert (cache.evict(2), cache.tiers()) == (2, {"ab": "d", "abcd": "h"})
    cache.put("uvwxyz")
    cache.match(key("ab"))
    assert (cache.evict(6), cache.tiers()) == (6, {"ab": "d", "abcd": "h"}), "three pages never fit: nothing is evicted for them"


@pytest.mark.parametrize(("policy", "expected"), list(zip(POLICIES, ["cadb", "cbda", "abcd", "dcba", "bdac", "cbad", "bcad"], strict=True)))
@pytest.mark.parametrize("tier", ["device", "host"])
def test_each_tier_evicts_its_least_leaf_first(tier: str, policy: str, expected: str) -> None:
    cache = Tiers(policy=policy, page_size=1)
    for text, priority in [("a", 2), ("b", 0), ("c", 1), ("d", 3), ("a", 0), ("a", 0), ("d", 0)]:
        cache.put(text, priority=priority)
    cache.match(key("b"))
    cache.settle()
    cache.evict(4 if tier == "host" else 0)

    actual = ""
    while before := cache.tiers():
        assert (cache.evict if tier == "device" else cache.evict_host)(1) == 1
        after = cache.tiers()
        actual += next(text for text in before if after.get(text) != before[text])
        if tier == "device" and "d" not in "".join(after.values()):
            break
    assert actual == expected


def test_a_parent_on_the_host_is_evicted_once_its_last_child_is_gone() -> None:
    cache = Tiers()
    for text in ("ab", "abcd", "abef", "xy"):
        cache.put(text)
    cache.settle()
    assert cache.evict_host(9) == 0, "the device has it all"
    assert cache.evict(8) == 8
    assert (cache.evict_host(5), cache.tiers(), cache.host_available()) == (6, {"xy": "h"}, 14)


# ------------------------------------------------------------------ matches and loads


def test_a_match_ends_on_each_tier_and_refreshes_both_parts() -> None:
    cache = Tiers()
    cache.put("ab")
    cache.put("abcdef")
    cache.settle()
    cache.evict(4)
    found = cache.match(key("abcdxx"))

    assert (found.length, found.slots, found.node) == (2, cache.nodes()["ab"].slots, cache.nodes()["ab"])
    assert (found.host_length, found.host_node) == (2, cache.nodes()["abcd"])
    assert {text: (node.time, node.hits) for text, node in cache.nodes().items()} == {"ab": (3, 2), "abcd": (3, 1), "abcdef": (2, 1)}
    assert [cache.peek(key(text)) for text in ("abcdef", "axxx", "abxx")] == [2, 0, 2]


def test_a_peek_does_not_count_what_only_the_host_has_of_a_node() -> None:
    cache = Tiers()
    cache.offload("abcd")
    assert (cache.peek(key("abxx")), cache.peek(key("abcd"))) == (0, 0)


def test_a_load_is_cached_at_once_and_filled_when_it_arrives() -> None:
    cache = Tiers()
    cache.offload("abcd")
    ticks = cache.now + 1
    assert cache.load_back(host_node(cache, "abcd")) == 4
    (copy,) = cache.copies
    node = cache.nodes()["abcd"]

    assert (copy.up, [*copy.sources], [*copy.targets], node.pins) == (True, node.host, node.slots, 1)
    assert (cache.now, cache.sizes(), cache.match(key("abcd")).length) == (ticks, Sizes(12, 0, 4), 4)
    assert cache.settle() == 1
    assert (node.pins, cache.sizes(), cache.copies) == (0, Sizes(12, 4, 0), [])
    assert [cache.copier.device[slot] for slot in node.slots] == [key("abcd").tokens[:length] for length in (1, 2, 3, 4)]


def test_one_load_covers_all_that_only_the_host_has_of_a_path() -> None:
    cache = Tiers()
    for text in ("ab", "abcd", "abcdef"):
        cache.put(text)
    cache.settle()
    cache.evict(4)
    assert (cache.load_back(host_node(cache, "abcdef")), len(cache.copies), cache.copies[0].floor) == (4, 1, cache.nodes()["ab"])
    assert cache.load_back(host_node(cache, "abcdef")) == 0


def test_a_load_evicts_the_shortfall_and_spares_what_it_hangs_on() -> None:
    cache = Tiers(pages=3)
    cache.put("ab")
    cache.put("abcd")
    cache.settle()
    cache.evict(2)
    cache.put("xy")
    cache.put("uv")
    cache.settle()
    assert cache.load_back(host_node(cache, "abcd")) == 2
    assert cache.tiers() == {"ab": "dh", "abcd": "dh", "xy": "h", "uv": "dh"}
    check(cache)


@pytest.mark.parametrize("mode", [WRITE_THROUGH, WRITE_BACK])
def test_a_load_without_room_changes_nothing(mode: str) -> None:
    cache = Tiers(mode, pages=4)
    cache.put("ab")
    cache.put("abcdef")
    cache.settle()
    cache.evict(4)
    loan = cache.alloc(4)
    node = host_node(cache, "abcdef")
    before = cache.state()
    assert (cache.load_back(node), cache.state()) == (0, before), "one page is free, and that of ab must stay"
    cache.free(loan[:2])
    assert cache.load_back(node) == 4


def test_under_write_back_the_room_for_a_load_does_not_cost_what_it_reads() -> None:
    cache = Tiers(WRITE_BACK, pages=2, host_pages=2)
    cache.put("abcd")
    assert cache.evict(4) == 4
    cache.put("uvxy")
    assert cache.load_back(host_node(cache, "abcd")) == 4
    assert cache.tiers() == {"abcd": "dh"}, "uvxy cannot be written back: the host's pages are pinned"
    check(cache)


def test_an_insert_revives_what_only_the_host_has_with_the_slots_of_the_caller() -> None:
    cache = Tiers()
    cache.put("ab")
    cache.put("abcd")
    cache.settle()
    cache.evict(2)
    slots = cache.alloc(6)
    cache.write(key("abcdef").tokens, slots)

    assert cache.insert(key("abcdef"), slots) == 2
    revived = cache.nodes()["abcd"]
    assert (revived.slots, revived.hits, revived.creation) == (slots[2:4], 2, 2)
    assert (cache.tiers()["abcd"], cache.nodes()["abcdef"].slots) == ("dh", slots[4:])
    cache.free(slots[:2])
    check(cache)


def test_an_insert_of_a_part_revives_that_part() -> None:
    cache = Tiers()
    cache.offload("abcdef")
    assert (cache.put("abcd"), cache.tiers()) == (0, {"abcd": "dh", "abcdef": "h"})


# ------------------------------------------------------------------ copies that arrive, fail, and are split


@pytest.mark.parametrize("failed", [False, True])
@pytest.mark.parametrize("up", [False, True])
def test_a_copy_covers_both_halves_of_a_node_that_is_split_meanwhile(up: bool, failed: bool) -> None:
    cache = Tiers()
    if up:
        cache.offload("abcdef")
        cache.load_back(host_node(cache, "abcdef"))
    else:
        cache.put("abcdef")
    for text in ("abcd", "ab"):
        cache.match(key(text))
    check(cache)
    assert [(node.lock, node.pins, len(node.host)) for node in cache.nodes().values()] == [(1, up, 2)] * 3

    assert cache.settle(failed) == 1
    check(cache)
    expected = {True: "h", False: "d"}[up] if failed else "dh"
    assert (cache.tiers(), cache.copies) == (dict.fromkeys(("ab", "abcd", "abcdef"), expected), [])


def test_a_failed_backup_is_issued_again_if_the_host_has_what_is_behind_it() -> None:
    cache = Tiers()
    cache.put("ab")
    cache.put("abcd")
    first, second = cache.copier.in_flight()
    first.complete(failed=True)
    assert cache.poll() == [first]
    again, issued = cache.copies[1], cache.copies[0]
    assert (again.sources, again.targets, issued.ticket) == (first.sources, first.targets, second)

    for move in cache.copier.in_flight():
        move.complete(failed=True)
    assert (len(cache.poll()), cache.tiers()) == (2, {"ab": "d", "abcd": "d"}), "abcd is undone first, and nothing rests on ab then"
    check(cache)


def test_of_a_chain_that_fails_at_once_the_parent_is_issued_again_and_the_child_undone() -> None:
    cache = Tiers()
    cache.put("ab")
    cache.put("abcd")
    assert (cache.settle(failed=True), cache.tiers(), len(cache.copies)) == (2, {"ab": "dh", "abcd": "d"}, 1)
    cache.put("abcd")
    assert (cache.settle(), cache.tiers()) == (2, {"ab": "dh", "abcd": "dh"})


def test_under_write_back_a_failed_backup_is_undone_whatever_is_behind_it() -> None:
    cache = write_back_chain(host_pages=4)
    assert cache.backup(cache.match(key("ab")).node) == 2
    assert (cache.settle(failed=True), cache.tiers()["ab"], cache.host_available()) == (1, "d", 4)
    check(cache)


@pytest.mark.parametrize("holder", ["a lock", "a load behind it", "a leaf behind it"])
def test_a_failed_load_is_issued_again_while_something_rests_on_it(holder: str) -> None:
    cache = Tiers()
    cache.put("ab")
    cache.offload("abcd")
    cache.load_back(host_node(cache, "ab"))
    (load,) = cache.copier.in_flight()
    match holder:
        case "a lock":
            cache.lock(cache.match(key("ab")).node)
        case "a load behind it":
            cache.load_back(host_node(cache, "abcd"))
        case _:
            cache.put("abcd")  # which the host has: no copy locks it
    load.complete(failed=True)

    assert cache.poll() == [load]
    assert (cache.copies[-1].targets, cache.nodes()["ab"].pins, cache.tiers()["ab"]) == (load.targets, 1, "dh")
    check(cache)
    cache.settle()
    check(cache)


def test_copies_arrive_in_any_order_and_are_handled_in_that_of_their_issue() -> None:
    cache = Tiers()
    for text in ("ab", "cd", "ef"):
        cache.put(text)
    first, second, third = cache.copier.in_flight()
    third.complete()
    assert cache.poll() == [third]
    second.complete(failed=True)
    first.complete()
    assert (cache.poll(), cache.tiers()) == ([first, second], {"ab": "dh", "cd": "d", "ef": "dh"})


# ------------------------------------------------------------------ misuse


def test_a_handle_is_stale_where_the_device_does_not_have_its_node() -> None:
    cache = Tiers()
    cache.offload("abcd")
    node = host_node(cache, "abcd")
    refused(cache, StaleHandle, lambda: cache.lock(node))
    cache.evict_host(4)
    for verb in (cache.lock, cache.load_back, cache.backup):
        refused(cache, StaleHandle, partial(verb, node))
    cache.lock(cache.match(key("abcd")).host_node)  # nothing is cached: the root


def test_a_reset_is_refused_while_a_copy_is_in_flight_and_frees_both_tiers() -> None:
    cache = Tiers()
    cache.put("abcd")
    refused(cache, StillHeld, cache.reset)
    cache.settle()
    cache.evict(4)
    cache.put("xy")
    cache.settle()
    node = host_node(cache, "abcd")
    cache.reset()
    assert (cache.sizes(), cache.host_available(), cache.tiers()) == (Sizes(16, 0, 0), 16, {})
    refused(cache, StaleHandle, lambda: cache.load_back(node))


def test_a_call_outside_its_guard_is_refused_and_changes_nothing() -> None:
    cache = Tiers()
    cache.put("abcd")
    wrong: list[tuple[type[CacheError], Callable[[], Any]]] = [
        *((BadAmount, lambda: cache.evict(-1)), (BadAmount, lambda: cache.evict_host(-1)), (BadAmount, lambda: cache.evict_host("2"))),  # type: ignore[arg-type]
        *((BadKey, lambda: cache.match(Key((1, -1)))), (BadKey, lambda: cache.peek(Key((1, -1))))),
        *((StaleHandle, lambda: cache.load_back(None)), (StaleHandle, lambda: cache.backup(Tiers().root))),
        *((StaleHandle, lambda: cache.lock("no handle")), (NotLocked, lambda: cache.unlock("no receipt"))),
        (BadAmount, lambda: cache.insert(key("abcdef"), [])),
    ]
    for error, call in wrong:
        refused(cache, error, call)


@pytest.mark.parametrize(("host_page", "mode"), [(1, WRITE_THROUGH), (2, "write_around"), (2, "")])
def test_an_unknown_mode_and_a_host_pool_of_other_pages_are_refused(host_page: int, mode: str) -> None:
    with pytest.raises(ValueError, match=r"mode|pages"):
        TieredCache(2, "lru", SlotPool(16, 2), SlotPool(16, host_page), Mover(), mode)
