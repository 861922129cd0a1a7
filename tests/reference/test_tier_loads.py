"""The two-tier reference: what comes back to the device, and copies that arrive, fail, or are split. Keys are written as letters."""

import pytest
from two_tiers import Tiers, check, key

from radixcheck.spec.values import Sizes

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
    assert cache.load_back(cache.host_node("abcd")) == 4
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
    assert (cache.load_back(cache.host_node("abcdef")), len(cache.copies), cache.copies[0].floor) == (4, 1, cache.nodes()["ab"])
    assert cache.load_back(cache.host_node("abcdef")) == 0


def test_a_load_evicts_the_shortfall_and_spares_what_it_hangs_on() -> None:
    cache = Tiers(pages=3)
    cache.put("ab")
    cache.put("abcd")
    cache.settle()
    cache.evict(2)
    cache.put("xy")
    cache.put("uv")
    cache.settle()
    assert cache.load_back(cache.host_node("abcd")) == 2
    assert cache.tiers() == {"ab": "dh", "abcd": "dh", "xy": "h", "uv": "dh"}
    check(cache)


@pytest.mark.parametrize("mode", ["write_through", "write_back"])
def test_a_load_without_room_changes_nothing(mode: str) -> None:
    cache = Tiers(mode, pages=4)
    cache.put("ab")
    cache.put("abcdef")
    cache.settle()
    cache.evict(4)
    loan = cache.alloc(4)
    node = cache.host_node("abcdef")
    before = cache.state()
    assert (cache.load_back(node), cache.state()) == (0, before), "one page is free, and that of ab must stay"
    cache.free(loan[:2])
    assert cache.load_back(node) == 4


def test_under_write_back_the_room_for_a_load_does_not_cost_what_it_reads() -> None:
    cache = Tiers("write_back", pages=2, host_pages=2)
    cache.put("abcd")
    assert cache.evict(4) == 4
    cache.put("uvxy")
    assert cache.load_back(cache.host_node("abcd")) == 4
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
        cache.load_back(cache.host_node("abcdef"))
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


@pytest.mark.parametrize("holder", ["a lock", "a load behind it", "a leaf behind it"])
def test_a_failed_load_is_issued_again_while_something_rests_on_it(holder: str) -> None:
    cache = Tiers()
    cache.put("ab")
    cache.offload("abcd")
    cache.load_back(cache.host_node("ab"))
    (load,) = cache.copier.in_flight()
    match holder:
        case "a lock":
            cache.lock(cache.match(key("ab")).node)
        case "a load behind it":
            cache.load_back(cache.host_node("abcd"))
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
