"""The watch of a live cache: a correct cache has no finding, and each planted fault has its own, at its call or in the window."""

import random
from array import array
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from engine_types import Key, Scheduler, parameters, results

from radixcheck.optimized.heap import POLICIES
from radixcheck.optimized.integrations.sglang_cache import SGLangCache, cache_class
from radixcheck.optimized.keys import pack
from radixcheck.verification.live.engine_backends import Miscounting, WrongSlot
from radixcheck.verification.watch.attach import attach
from radixcheck.verification.watch.live_watch import FAILED, LiveWatch
from radixcheck.verification.watch.our_view import OurView
from radixcheck.verification.watch.watched_call import CHECKPOINT, EVICT, LOCK, MATCH, READ, RESET, UNLOCK, WINDOW, Call

ENOUGH = 1e6  # microseconds: nothing is left out
LONGEST = 5  # tokens of the longest key in the tests of faults


class Seen(NamedTuple):
    """One finding."""

    property: str
    call: int
    verb: str
    text: str


class Watched:
    """A small scheduler over our cache, with a watch."""

    def __init__(
        self, size: int = 96, page_size: int = 1, policy: str = "lru", kind: type[SGLangCache] = SGLangCache, budget: float = ENOUGH
    ) -> None:
        self.one = Scheduler(cache_class(results(), kind)(parameters(size, page_size, policy)))
        self.cache = self.one.cache
        self.seen: list[Seen] = []
        self.watch = LiveWatch(OurView(self.cache), lambda *found: self.seen.append(Seen(*found)), budget)
        attach(self.cache, self.watch)

    def serve(self, tokens: list[int], output: list[int], row: int = 0) -> None:
        self.one.start(row, tokens)
        self.one.checkpoint(row, len(tokens))
        self.one.decode(row, output)
        self.one.release(row)

    def at_random(self, seed: int, steps: int) -> None:
        """Serve overlapping requests that share prefixes, in chunks."""
        draw, one = random.Random(seed), self.one
        stems = [[draw.randrange(4) for _ in range(24)] for _ in range(3)]
        for _ in range(steps):
            row = draw.randrange(3)
            if row in one.held:
                length = len(one.held[row].origin_input_ids)
                one.checkpoint(row, draw.randrange(one.held[row].kv.cache_protected_len, length + 1))
                one.checkpoint(row, length)
                one.decode(row, [draw.randrange(4) for _ in range(draw.randrange(6))])
                one.release(row)
            else:
                tokens = stems[draw.randrange(3)][: draw.randrange(4, 25)] + [draw.randrange(4) for _ in range(draw.randrange(1, 6))]
                one.start(row, tokens, draw.randrange(3), draw.choice((None, None, "adapter")))
        for row in list(one.held):
            one.release(row)

    @property
    def properties(self) -> set[str]:
        return {seen.property for seen in self.seen}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("page_size", [1, 2, 16])
def test_a_correct_cache_has_no_finding(policy: str, page_size: int) -> None:
    watched = Watched(192, page_size, policy)
    watched.at_random(1, 160)
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


# Each fault happens to a tree with the prefix 1 2 3, its continuations 4 5 and 6 7, and another prefix 8 9.


def node_of(watched: Watched, *tokens: int) -> Any:
    """The node in which a key ends."""
    tree = watched.cache.tree
    walk = tree.walk((None, None), pack(tokens))
    return walk.path[-1]


def prepared(**settings: Any) -> Watched:
    watched = Watched(**settings)
    watched.serve([1, 2, 3, 4, 5], [])
    watched.serve([1, 2, 3, 6, 7], [])
    watched.serve([8, 9], [])
    assert watched.seen == []
    return watched


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


def match_of(*tokens: int) -> Any:
    return SimpleNamespace(key=Key(array("q", tokens)))


class EvictsNewest(SGLangCache):
    """Evicts another leaf than the policy says."""

    def evict(self, params: Any) -> Any:
        tree = self.tree
        leaf = max((node for node in leaves(tree.root) if not node.local_lock_ref), key=lambda node: node.time)
        tree.evict_leaf(leaf)
        self.pool.free(leaf.slots)
        return self.results.EvictResult(num_tokens_evicted=leaf.size)


class EvictsLocked(SGLangCache):
    """Evicts the first leaf, locked or not."""

    def evict(self, params: Any) -> Any:
        leaf = next(leaves(self.tree.root))
        size, self.tree.evictable = leaf.size, self.tree.evictable + leaf.size * bool(leaf.local_lock_ref)
        self.tree.protected -= leaf.size * bool(leaf.local_lock_ref)
        self.tree.evict_leaf(leaf)
        self.pool.free(leaf.slots)
        return self.results.EvictResult(num_tokens_evicted=size)


class KeepsSlots(SGLangCache):
    """Does not give the last slot of a victim back."""

    def evict(self, params: Any) -> Any:
        free = self.pool.free
        self.pool.free = lambda *parts: free(*(part[:-1] for part in parts))  # type: ignore[method-assign]
        try:
            return super().evict(params)
        finally:
            self.pool.free = free  # type: ignore[method-assign]


class AnswersMore(SGLangCache):
    """Says that it evicted one more token than it did."""

    def evict(self, params: Any) -> Any:
        return self.results.EvictResult(num_tokens_evicted=super().evict(params).num_tokens_evicted + 1)


class EvictsNothing(SGLangCache):
    """Does not evict."""

    def evict(self, params: Any) -> Any:
        return self.results.EvictResult(num_tokens_evicted=0)


class EvictsAll(SGLangCache):
    """Evicts more than it is asked for."""

    def evict(self, params: Any) -> Any:
        return super().evict(SimpleNamespace(num_tokens=10**6))


class MatchesLess(SGLangCache):
    """Does not find the last node of a path."""

    def match_prefix(self, params: Any) -> Any:
        node = super().match_prefix(params).last_device_node
        node = node.parent or node
        return self.results.MatchResult(node.end, node, node, node)


class AnswersLonger(SGLangCache):
    """Says that a match of the longest key is a page longer."""

    def match_prefix(self, params: Any) -> Any:
        found = super().match_prefix(params)
        node = found.last_device_node
        return self.results.MatchResult(found.device_prefix_len + int(found.device_prefix_len == LONGEST), node, node, node)


class KeepsRow(SGLangCache):
    """Does not write the slots of the tree into the row of a request."""

    def checkpoint(self, req: Any, *, up_to: int, **others: Any) -> None:
        rows, self.req_to_token_pool = self.req_to_token_pool, Unwritable(self.req_to_token_pool)
        try:
            super().checkpoint(req, up_to=up_to, **others)
        finally:
            self.req_to_token_pool = rows


class Unwritable:
    """Rows that keep what they have."""

    def __init__(self, rows: Any) -> None:
        self.req_to_token = rows.req_to_token

    def write(self, where: Any, slots: Any) -> None:
        """Write nothing."""


def leaves(root: Any) -> Any:
    """The leaves below a root."""
    waiting = list(root.children.values())
    while waiting:
        node = waiting.pop()
        waiting.extend(node.children.values())
        if not node.children:
            yield node


def overlap(watched: Watched) -> None:
    """Two requests with one prompt; the second finds its tokens cached by the first."""
    for row in (0, 1):
        watched.one.start(row, [5, 6, 7, 8])
    for row in (0, 1):
        watched.one.checkpoint(row, 4)


def evicts(watched: Watched) -> None:
    """An eviction from a tree of three leaves."""
    watched.cache.evict(SimpleNamespace(num_tokens=1))


def evicts_while_locked(watched: Watched) -> None:
    """An eviction while every leaf but one is locked."""
    held = [watched.cache.lock(node) for node in leaves(watched.cache.tree.root)]
    watched.cache.unlock(held.pop())
    watched.cache.evict(SimpleNamespace(num_tokens=1))


def matches(watched: Watched) -> None:
    """A match of a whole key."""
    watched.cache.match_prefix(match_of(1, 2, 3, 4, 5))


def reads(watched: Watched) -> None:
    """Reads of the slots of a path."""
    for _ in range(20):
        watched.cache.path_device_indices(node_of(watched, 1, 2, 3, 4, 5))


@pytest.mark.parametrize(
    ("kind", "does", "property_", "verb"),
    [
        (EvictsNewest, evicts, "ORDER", EVICT),
        (EvictsLocked, evicts_while_locked, "EVICT_UNLOCKED", EVICT),
        (KeepsSlots, evicts, "SLOT_PARTITION", EVICT),
        (AnswersMore, evicts, "EVICT_EXACT", EVICT),
        (EvictsNothing, evicts, "EVICT_PROGRESS", EVICT),
        (EvictsAll, evicts, "EVICT_EXACT", EVICT),
        (MatchesLess, matches, "MATCH_MAX", MATCH),
        (AnswersLonger, matches, "MATCH_SOUND", MATCH),
        (WrongSlot, reads, "NO_UAF", READ),
        (KeepsRow, overlap, "NO_UAF", CHECKPOINT),
        (Miscounting, overlap, "COUNT", CHECKPOINT),
    ],
)
def test_a_fault_of_a_call_is_found_by_that_call(
    kind: type[SGLangCache], does: Callable[[Watched], None], property_: str, verb: str
) -> None:
    correct = Watched()
    for watched in (correct, wrong := Watched(kind=kind)):
        watched.serve([1, 2, 3, 4, 5], [])
        watched.serve([1, 2, 3, 6, 7], [])
        watched.serve([8, 9], [])
        watched.seen.clear()
        does(watched)

    assert correct.seen == []
    assert (property_, verb) in {(seen.property, seen.verb) for seen in wrong.seen}


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

    matches(watched)

    assert nodes == 4
    assert watched.watch.counts.window_checks - before == nodes
