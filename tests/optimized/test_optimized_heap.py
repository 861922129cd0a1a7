"""The order of victims: the lazily repaired heap gives the same as sorting all evictable leaves."""

import random

import pytest
import torch
from fast_cache import nodes, put
from torch import Tensor

from radixcheck.optimized import DevicePool, RadixCache
from radixcheck.optimized.heap import POLICIES, SLACK, EvictionHeap
from radixcheck.optimized.node import Node
from radixcheck.spec.values import Key


def check_heap(cache: RadixCache) -> None:
    """Check that the heap is complete, in order and bounded, and that its count is exact."""
    heap = cache.tree.heap
    leaves = [node for node in nodes(cache) if node.is_evictable_leaf()]
    assert heap.leaf_count == len(leaves)
    assert len(heap) <= 2 * len(leaves) + SLACK
    spoken_for = {id(entry) for entry in heap}
    assert list(heap.queue) == sorted(heap.queue)
    for leaf in leaves:
        assert leaf.entry is not None
        assert id(leaf.entry) in spoken_for
        assert leaf.entry[:2] <= heap.key(leaf)


def least_first(cache: RadixCache, tokens: int) -> list[int]:
    """Return the slots of the victims of `evict(tokens)`, by sorting all evictable leaves again for each."""
    gone: set[Node] = set()
    slots: list[int] = []
    while len(slots) < tokens:
        alive = [node for node in nodes(cache) if node not in gone]
        parents = {node.parent for node in alive}
        leaves = [node for node in alive if node not in parents and not node.local_lock_ref]
        if not leaves:
            break
        victim = min(leaves, key=cache.tree.heap.key)
        gone.add(victim)
        slots += victim.slots.tolist()
    return slots


class Recorder(DevicePool):
    """A pool that keeps the slots that were freed last."""

    freed: Tensor = torch.empty(0)

    def free(self, *parts: Tensor) -> None:
        self.freed = torch.cat(parts)
        super().free(*parts)


@pytest.mark.parametrize("policy", POLICIES)
def test_victims_are_those_of_a_sort_and_the_heap_stays_small(policy: str) -> None:
    rng = random.Random(policy)
    pool = Recorder(40, 1)
    cache = RadixCache(1, policy, pool)
    receipts: list[object] = []
    victims = 0
    for _ in range(1_500):
        what = Key(tuple(rng.randrange(3) for _ in range(rng.randrange(1, 5))))
        match rng.randrange(8):
            case 0 | 1 | 2:
                put(cache, what, rng.randrange(3))
            case 3 | 4:
                found = cache.match(what)
                if len(receipts) < 4:
                    receipts.append(cache.lock(found.node))
            case 5 | 6 if receipts:
                cache.unlock(receipts.pop(rng.randrange(len(receipts))))
            case _:
                expected = least_first(cache, tokens := rng.randrange(1, 8))
                pool.freed = torch.empty(0)
                assert cache.evict(tokens) == len(expected)
                assert pool.freed.tolist() == expected
                victims += len(expected)
        check_heap(cache)
    assert victims > 200


@pytest.mark.parametrize("policy", ["lru", "mru"])
def test_the_heap_does_not_grow_by_locking_and_unlocking(policy: str) -> None:
    cache = RadixCache(1, policy, DevicePool(64, 1))
    for i in range(8):
        put(cache, Key((i,)))
    for i in range(400):
        cache.unlock(cache.lock(cache.match(Key((i % 8,))).node))
        check_heap(cache)
    # A key that only becomes greater needs no second entry, however often its leaf is locked and unlocked.
    assert policy == "mru" or len(cache.tree.heap) == 8
    receipts = [cache.lock(cache.match(Key((i,))).node) for i in range(8)]
    assert len(cache.tree.heap) <= SLACK
    for receipt in receipts:
        cache.unlock(receipt)
        check_heap(cache)


def test_a_leaf_that_is_unlocked_unchanged_needs_no_second_entry() -> None:
    cache = RadixCache(1, "lru", DevicePool(8, 1))
    put(cache, Key((1,)))
    (node,) = nodes(cache)  # a match would change it
    for _ in range(3):
        cache.unlock(cache.lock(node))

    assert len(cache.tree.heap) == 1


def leaves(*times: int) -> list[Node]:
    """Children of one root that were used at these times."""
    root = Node(None, b"", b"", torch.empty(0))
    made = [Node(root, bytes((i,)), bytes((i,)), torch.empty(1)) for i in range(len(times))]
    for node, time in zip(made, times, strict=True):
        node.time = time
    return made


def test_a_few_dead_entries_are_kept_and_one_more_removes_them_all() -> None:
    heap = EvictionHeap("lru")
    for number, node in enumerate(leaves(*range(SLACK + 1)), 1):
        heap.push(node)
        node.local_lock_ref = 1
        heap.retire(node)

        assert len(heap) == (number if number <= SLACK else 0)


def test_a_heap_without_leaves_has_no_victim_and_loses_none() -> None:
    heap = EvictionHeap("lru")
    (node,) = leaves(0)
    node.local_lock_ref = 1

    with pytest.raises(AssertionError):
        heap.retire(node)
    with pytest.raises(AssertionError):
        heap.pop_victim()


class NeverEager(EvictionHeap):
    """Repairs popped entries and pushes no smaller key: right for keys that only become greater."""

    def refresh(self, node: Node) -> None:
        assert node.entry is not None


@pytest.mark.parametrize(("policy", "lazy_is_right"), [("lru", True), ("mru", False)])
def test_a_smaller_key_is_pushed_at_once(policy: str, lazy_is_right: bool) -> None:
    def first_victim(heap: EvictionHeap) -> int:
        pushed = leaves(0, 1)
        for node in pushed:
            heap.push(node)
        pushed[0].time = 2
        heap.refresh(pushed[0])
        return pushed.index(heap.pop_victim())

    expected = {"lru": 1, "mru": 0}[policy]
    assert first_victim(EvictionHeap(policy)) == expected
    assert (first_victim(NeverEager(policy)) == expected) is lazy_is_right


def test_a_superseded_entry_is_dropped_when_it_is_popped() -> None:
    heap = EvictionHeap("lru")
    twice, once = leaves(5, 7)
    heap.push(twice)
    heap.push(once)
    for time in (3, 9):  # earlier: pushed at once; later: repaired when it is popped, before the first entry
        twice.time = time
        heap.refresh(twice)

    assert heap.pop_victim() is once
    assert [entry[:2] for entry in heap] == [(9, 9)]
    assert heap.pop_victim() is twice
