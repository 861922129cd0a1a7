"""A fault of one call of a live cache is found by that call."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from watched_cache import Watched, match_of, node_of

from radixcheck.optimized.integrations.sglang_cache import SGLangCache
from radixcheck.verification.live.engine_backends import Miscounting, WrongSlot
from radixcheck.verification.watch.watched_call import CHECKPOINT, EVICT, MATCH, READ

LONGEST = 5  # tokens of the longest key in these tests


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
