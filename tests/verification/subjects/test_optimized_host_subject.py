"""The optimized cache with a host tier as a subject: what it shows, and that its tags move with the copies."""

from collections.abc import Sequence
from functools import partial

import pytest
import torch

from radixcheck.optimized import TagMismatch
from radixcheck.optimized.node import Node
from radixcheck.optimized.tier_memory import TieredMemory
from radixcheck.optimized.tier_node import TierCopy
from radixcheck.spec.values import Key
from radixcheck.verification.core.tier_pool import HostPool, TierPool
from radixcheck.verification.core.watched_copier import WatchedCopier
from radixcheck.verification.mutants.rebuilt_host import RebuiltHost
from radixcheck.verification.protocol import MODES, Setup
from radixcheck.verification.subjects.optimized_host_subject import OptimizedHostSubject, TaggedCopier

SIZE = 2
AB, ABCD, EFGH = Key((1, 2)), Key((1, 2, 3, 4)), Key((5, 6, 7, 8))


def made(
    kind: type[OptimizedHostSubject] = OptimizedHostSubject, pool: int = 4, mode: str = MODES[0], policy: str = "lru"
) -> OptimizedHostSubject:
    device, host = TierPool(pool, SIZE), HostPool(16, SIZE)
    return kind(Setup(SIZE, policy, device, "cpu", host, WatchedCopier(device, host), mode))


def put(cache: OptimizedHostSubject, key: Key) -> None:
    slots = cache.alloc(len(key.tokens))
    if present := cache.insert(key, slots):
        cache.free(slots[:present])


def complete(cache: OptimizedHostSubject, failed: bool = False) -> None:
    copier = cache.copier._copier
    assert isinstance(copier, WatchedCopier)
    for ticket in list(copier.in_flight):
        copier.complete(ticket, failed)
    cache.poll()


def demoted(kind: type[OptimizedHostSubject] = OptimizedHostSubject) -> OptimizedHostSubject:
    """A cache of which [1 2 3 4] is on the host alone, in two nodes."""
    cache = made(kind)
    put(cache, ABCD)
    complete(cache)
    cache.match(AB)
    cache.evict(4)
    return cache


def test_it_shows_both_tiers_their_heaps_and_the_copies_in_flight() -> None:
    cache = demoted()
    shown = cache.observe()

    assert [(n.segment, n.slots, len(n.host_slots), n.pins) for n in shown.nodes] == [((1, 2), (), 2, 0), ((3, 4), (), 2, 0)]
    assert (shown.heap is not None, shown.host_leaf_count, shown.host_only) == (True, 1, 4)
    assert [entry.node for entry in shown.host_heap or () if entry.speaks] == [shown.nodes[1].name]
    assert cache.observe_entry(ABCD) is not None
    assert cache.load_back(cache.match(ABCD).host_node) == 4
    (copy,) = cache.observe().copies
    assert (copy.up, copy.floor, copy.aim, sorted(copy.targets)) == (True, None, shown.nodes[1].name, [0, 1, 2, 3])
    assert [n.pins for n in cache.observe_path(ABCD)] == [1, 1]
    complete(cache)
    assert (cache.observe().copies, [n.pins for n in cache.observe_path(ABCD)]) == ([], [0, 0])


def test_what_has_not_changed_is_shown_in_the_same_object() -> None:
    cache = demoted()
    before = cache.observe().nodes
    assert all(a is b for a, b in zip(cache.observe().nodes, before, strict=True))
    cache.load_back(cache.match(AB).host_node)
    assert [a is b for a, b in zip(cache.observe().nodes, before, strict=True)] == [False, True]  # the lower half is not touched


@pytest.mark.parametrize("mode", MODES)
def test_the_tags_go_to_the_host_and_come_back(mode: str) -> None:
    cache = made(mode=mode, pool=8)
    for _ in range(2):
        put(cache, ABCD)
        complete(cache)
    assert cache.evict(4) == 4
    found = cache.match(ABCD)
    assert (found.length, found.host_length) == (0, 4)
    assert cache.load_back(found.host_node) == 4
    assert cache.match(ABCD).length == 4  # compared with the tags that the copy has issued
    complete(cache)
    assert cache.match(ABCD).length == 4


def test_a_failed_load_leaves_no_tag_that_is_read() -> None:
    cache = demoted()
    cache.load_back(cache.match(ABCD).host_node)
    complete(cache, failed=True)
    assert cache.match(ABCD).length == 0
    put(cache, EFGH)
    assert cache.match(EFGH).length == 4


class LoadsSwapped(TieredMemory):
    """A load reads the pages of the host in the wrong order."""

    def _send(self, copy: TierCopy) -> None:
        if copy.up:
            copy.sources = copy.sources.roll(SIZE)
        super()._send(copy)


def test_pages_that_a_load_swaps_are_found_by_their_tags() -> None:
    cache = demoted(partial(RebuiltHost, part=LoadsSwapped))  # type: ignore[arg-type]  # called like the class
    cache.load_back(cache.match(ABCD).host_node)
    with pytest.raises(TagMismatch):
        cache.match(ABCD)


class CopiesTooSoon(TieredMemory):
    """What a load has read is changed before it has arrived."""

    def load(self, path: Sequence[Node]) -> None:
        super().load(path)
        self.copies[-1].sources.copy_(self.copies[-1].sources.flip(0))


def test_a_tensor_that_is_changed_under_a_copy_is_found_when_it_arrives() -> None:
    cache = demoted(partial(RebuiltHost, part=CopiesTooSoon))  # type: ignore[arg-type]
    cache.load_back(cache.match(ABCD).host_node)
    complete(cache)
    with pytest.raises(TagMismatch):
        cache.match(ABCD)


@pytest.mark.parametrize(
    "wrong", [torch.zeros(2, dtype=torch.int32), torch.zeros(1, 2, dtype=torch.int64)], ids=["of int32", "of two dimensions"]
)
def test_the_copier_takes_slots_of_one_kind(wrong: torch.Tensor) -> None:
    right = torch.zeros(2, dtype=torch.int64)
    device, host = TierPool(4, SIZE), HostPool(4, SIZE)
    copier = TaggedCopier(WatchedCopier(device, host), right, right.clone())
    for ends in ((wrong, right), (right, wrong)):
        with pytest.raises(TypeError, match="int64 and one dimension"):
            copier.copy(True, *ends)
    assert not device.written


def test_the_storage_of_both_tiers_is_weighed_once() -> None:
    cache = made()
    put(cache, ABCD)
    assert cache.storage() == 2 * 4 * 8
    complete(cache)
    cache.evict(4)
    assert cache.storage() == 4 * 8


def test_without_a_host_pool_it_is_a_cache_of_one_tier() -> None:
    cache = OptimizedHostSubject(Setup(SIZE, "lru", TierPool(4, SIZE)))
    put(cache, ABCD)
    put(cache, EFGH)
    assert (cache.match(ABCD).length, cache.match(ABCD).host_length, cache.match(EFGH).length) == (0, 0, 4)
    assert cache.host_available() == 0
