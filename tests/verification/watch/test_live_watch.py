"""The watch of a live cache: a correct cache has no finding, and a planted fault is found on the path of a call or in the window."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from engine_types import at_random
from watched_cache import Watched, match_of, node_of, prepared

from radixcheck.optimized.heap import POLICIES
from radixcheck.verification.watch.live_watch import FAILED
from radixcheck.verification.watch.watched_call import CHECKPOINT, EVICT, LOCK, MATCH, RESET, UNLOCK, WINDOW, Call


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("page_size", [1, 2, 16])
def test_a_correct_cache_has_no_finding(policy: str, page_size: int) -> None:
    watched = Watched(192, page_size, policy)
    at_random(watched.one, 1, 160)
    watched.cache.evict(SimpleNamespace(num_tokens=10**6))
    watched.cache.reset()

    counts = watched.watch.counts
    assert watched.seen == []
    assert min(counts.calls[verb] for verb in (MATCH, CHECKPOINT, LOCK, UNLOCK, EVICT, RESET)) > 0
    assert counts.window_checks > counts.path_checks > 0
    assert counts.skipped == 0


def test_what_the_budget_leaves_out_is_counted_and_numbers_are_compared_all_the_same() -> None:
    watched = Watched(budget=0)
    watched.serve([1, 2, 3], [4])
    watched.cache.tree.evictable += 1
    watched.serve([5, 6], [])

    assert watched.watch.counts.skipped > 0
    assert watched.watch.counts.window_checks == 0
    assert watched.seen[0].property == "COUNT"


def lock_added(watched: Watched) -> None:
    node_of(watched, 1, 2, 3, 4, 5).local_lock_ref += 1


def lock_negative(watched: Watched) -> None:
    node_of(watched, 1, 2, 3, 4, 5).local_lock_ref = -1


def size_miscounted(watched: Watched) -> None:
    watched.cache.tree.evictable += 1


def slots_swapped(watched: Watched) -> None:
    node = node_of(watched, 1, 2, 3, 4, 5)
    node.slots = node.slots.flip(0)


def slots_of_another(watched: Watched) -> None:
    node_of(watched, 1, 2, 3, 4, 5).slots = node_of(watched, 8, 9).slots.clone()


def time_moved(watched: Watched) -> None:
    node_of(watched, 1, 2, 3, 4, 5).time -= 1


def filed_elsewhere(watched: Watched) -> None:
    node = node_of(watched, 1, 2, 3, 4, 5)
    node.parent.children[b"elsewhere"] = node.parent.children.pop(node.child_key)


def parent_lost(watched: Watched) -> None:
    node_of(watched, 1, 2, 3, 4, 5).parent = node_of(watched, 8, 9)


def segment_cut(watched: Watched) -> None:
    node = node_of(watched, 1, 2, 3, 4, 5)
    node.size -= 1


@pytest.mark.parametrize(
    ("fault", "property_"),
    [
        (lock_added, "LOCK_COUNT"),
        (lock_negative, "LOCK_COUNT"),
        (size_miscounted, "COUNT"),
        (slots_swapped, "SLOT_PARTITION"),
        (slots_of_another, "SLOT_PARTITION"),
        (time_moved, "RECENCY"),
        (filed_elsewhere, "CHILD_KEY"),
        (parent_lost, "PARENT"),
        (segment_cut, "COVER"),
    ],
)
def test_a_change_that_no_call_has_made_is_found_in_the_window_of_the_next_call(fault: Callable[[Watched], None], property_: str) -> None:
    watched = prepared()
    fault(watched)
    assert watched.seen == []

    watched.one.start(0, [8, 9, 9])

    assert property_ in watched.properties
    assert {seen.call for seen in watched.seen} <= {watched.watch._number - 2, watched.watch._number - 1, watched.watch._number}
    assert property_ == "COUNT" or WINDOW in {seen.verb for seen in watched.seen if seen.property == property_}


@pytest.mark.parametrize(
    ("fault", "property_"),
    [(lock_added, "LOCK_COUNT"), (lock_negative, "LOCK_NONNEG"), (slots_swapped, "SLOT_PARTITION"), (segment_cut, "COVER")],
)
def test_a_fault_on_the_path_of_a_call_is_found_by_that_call(fault: Callable[[Watched], None], property_: str) -> None:
    watched = prepared()
    fault(watched)

    found = watched.cache.match_prefix(match_of(1, 2, 3, 4, 5))

    assert found.last_device_node is node_of(watched, 1, 2, 3, 4, 5)
    assert (property_, MATCH) in {(seen.property, seen.verb) for seen in watched.seen}


def test_a_lock_that_is_released_twice_is_found() -> None:
    watched = prepared()
    node = node_of(watched, 8, 9)
    lock = watched.cache.lock(node)
    node.local_lock_ref += 1  # so that the tree itself allows the second release
    watched.seen.clear()
    watched.cache.unlock(lock)
    watched.cache.unlock(lock)

    assert "LOCK_NONNEG" in watched.properties


def test_slots_of_the_tree_that_the_engine_frees_are_found() -> None:
    watched = prepared()
    allocator = watched.cache.token_to_kv_pool_allocator

    allocator.free_segment(node_of(watched, 8, 9).slots.clone(), start_pos=0)

    assert watched.properties == {"NO_UAF"}


def test_slots_that_two_nodes_have_are_found_when_the_second_gets_them() -> None:
    watched = prepared()
    stolen = node_of(watched, 8, 9).slots
    watched.one.start(0, [11, 12])
    watched.cache.req_to_token_pool.req_to_token[0, :2] = stolen.to(torch.int32)
    watched.cache.checkpoint(watched.one.held[0], up_to=2)

    assert "SLOT_PARTITION" in watched.properties


def test_a_reset_with_a_live_lock_is_found() -> None:
    watched = prepared()
    watched.cache.lock(node_of(watched, 8, 9))

    watched.cache.reset()

    assert watched.properties == {"RESET_QUIESCENT"}


def test_a_node_that_leads_nowhere_is_found() -> None:
    watched = prepared()
    node = node_of(watched, 1, 2, 3, 4, 5)
    node.parent = None
    watched.watch.begin(MATCH, (), {})
    watched.watch.touched(node)
    watched.watch.ledger.visit(node, 1)

    assert watched.properties == {"NO_ORPHAN"}


class Broken:
    """A listener that fails."""

    def called(self, call: Call) -> None:
        raise KeyError("of the watch")


def test_a_watch_that_fails_says_so_once_and_the_cache_goes_on() -> None:
    watched = Watched()
    watched.watch.listeners = (Broken(),)
    watched.serve([1, 2, 3], [4])
    watched.serve([1, 2, 3], [4])

    assert [seen.property for seen in watched.seen] == [FAILED]
    assert watched.one.missing() == 0
    assert not watched.watch.on


def test_an_error_of_the_cache_passes_through_and_ends_the_watch() -> None:
    watched = prepared()

    with pytest.raises(TypeError):
        watched.cache.match_prefix(SimpleNamespace(key=None))

    assert [seen.property for seen in watched.seen] == [FAILED]
    assert watched.watch.counts.raised == 1


def test_the_window_passes_every_node_in_turn() -> None:
    watched = prepared()
    nodes = watched.watch.counts.nodes
    before = watched.watch.counts.window_checks

    watched.cache.match_prefix(match_of(1, 2, 3, 4, 5))

    assert nodes == 4
    assert watched.watch.counts.window_checks - before == nodes
