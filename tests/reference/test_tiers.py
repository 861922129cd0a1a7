"""The two-tier reference: what is backed up and what leaves a tier, and misuse. Keys are written as letters: one letter is one token."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from two_tiers import Mover, Tiers, check, key, refused

from radixcheck.reference import POLICIES, SlotPool, TieredCache
from radixcheck.spec.values import BadAmount, BadKey, CacheError, Key, NotLocked, Sizes, StaleHandle, StillHeld

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
    cache = Tiers("write_through_selective")
    cache.put("abcd")
    assert cache.copies == []
    cache.put("ab")
    assert cache.tiers() == {"ab": "dh", "abcd": "d"}
    cache.put("abcdef")
    assert cache.tiers() == {"ab": "dh", "abcd": "dh", "abcdef": "d"}
    assert [copy.sources for copy in cache.copies] == [tuple(cache.nodes()[text].slots) for text in ("ab", "abcd")]


def test_a_backup_of_a_node_issues_what_is_above_it_first() -> None:
    cache = Tiers("write_through_selective")
    cache.put("abcd")
    cache.match(key("ab"))

    assert (cache.backup(cache.host_node("abcd")), cache.backup(cache.host_node("abcd"))) == (4, 0)
    assert [copy.end for copy in cache.copies] == [cache.nodes()["ab"], cache.nodes()["abcd"]]


def test_under_write_back_a_backup_copies_the_node_alone() -> None:
    cache = Tiers("write_back")
    cache.put("abcd")
    cache.match(key("ab"))
    assert cache.copies == []
    assert (cache.backup(cache.host_node("abcd")), cache.tiers()) == (2, {"ab": "d", "abcd": "dh"})


def test_a_backup_of_nothing_and_of_what_only_the_host_has_copies_nothing() -> None:
    cache = Tiers()
    cache.offload("ab")
    for node in (cache.host_node("ab"), cache.host_node("xy")):
        assert (cache.backup(node), cache.copies) == (0, [])


def test_a_backup_evicts_the_shortfall_on_the_host_only() -> None:
    cache = Tiers(host_pages=3)
    for text in ("ab", "cd", "ef"):
        cache.offload(text)
    cache.put("gh")
    assert cache.tiers() == {"cd": "h", "ef": "h", "gh": "dh"}


def test_a_backup_may_take_all_that_only_the_host_has() -> None:
    cache = Tiers(host_pages=3)
    for text in ("ab", "cdef"):
        cache.offload(text)
    cache.put("uvwxyz")
    assert cache.tiers() == {"uvwxyz": "dh"}


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
    cache = Tiers("write_through_selective")
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
    cache = Tiers("write_back")
    cache.put("abcd")
    assert cache.copies == []
    assert (cache.evict(4), cache.copies, cache.tiers()) == (4, [], {"abcd": "h"})
    assert cache.poll() == []
    check(cache)


def write_back_chain(host_pages: int) -> Tiers:
    """Return a cache with ab on the device, and abcd and abef behind it on the host."""
    cache = Tiers("write_back", host_pages=host_pages)
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


def test_under_write_back_a_failed_backup_is_undone_whatever_is_behind_it() -> None:
    cache = write_back_chain(host_pages=4)
    assert cache.backup(cache.match(key("ab")).node) == 2
    assert (cache.settle(failed=True), cache.tiers()["ab"], cache.host_available()) == (1, "d", 4)
    check(cache)


def test_writing_back_evicts_from_the_host_what_is_behind_the_leaf_last_used() -> None:
    cache = write_back_chain(host_pages=2)
    assert (cache.evict(1), cache.tiers()) == (2, {"ab": "h", "abef": "h"})


def test_without_room_on_the_host_a_leaf_leaves_the_tree() -> None:
    cache = Tiers("write_back", host_pages=2)
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


# ------------------------------------------------------------------ misuse


def test_a_handle_is_stale_where_the_device_does_not_have_its_node() -> None:
    cache = Tiers()
    cache.offload("abcd")
    node = cache.host_node("abcd")
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
    node = cache.host_node("abcd")
    cache.reset()
    assert (cache.sizes(), cache.host_available(), cache.tiers()) == (Sizes(16, 0, 0), 16, {})
    refused(cache, StaleHandle, lambda: cache.load_back(node))


def test_a_call_of_either_tier_outside_its_guard_is_refused_and_changes_nothing() -> None:
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


@pytest.mark.parametrize(("host_page", "mode"), [(1, "write_through"), (2, "write_around"), (2, "")])
def test_an_unknown_mode_and_a_host_pool_of_other_pages_are_refused(host_page: int, mode: str) -> None:
    with pytest.raises(ValueError, match=r"mode|pages"):
        TieredCache(2, "lru", SlotPool(16, 2), SlotPool(16, host_page), Mover(), mode)
