"""A contract on the eviction heap with outdated entries: after the push of three leaves, two may be used and one locked."""

from collections.abc import Callable, Sequence
from typing import Any

from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.node import Node
from radixcheck.verification.contracts.contract import Contract
from radixcheck.verification.contracts.small import Extent

Pop = Callable[
    [Sequence[int], Sequence[int], Sequence[int]], int
]  # stored times, increments of the times since then, locks -> index of the leaf


def _least_live(pop: Pop, s: int, t: int, u: int, later_s: int, later_t: int, lock: int) -> bool:
    """The victim is the unlocked leaf with the least current time, whatever time its entry has (lru)."""
    stored, later, locks = (s, t, u), (later_s, later_t, 0), (0, 0, lock)
    live = [stored[i] + later[i] for i in range(3)]
    if live[0] == live[1] or live[1] == live[2] or live[0] == live[2]:
        return True  # no two leaves have the same time
    victim = pop(stored, later, locks)
    return locks[victim] == 0 and all(locks[i] > 0 or live[victim] <= live[i] for i in range(3))


def _queued(stored: Sequence[int], later: Sequence[int], locks: Sequence[int]) -> tuple[EvictionHeap, list[Node]]:
    heap = EvictionHeap("lru")
    slots: Any = Extent(0)
    root = Node(None, b"", b"", slots)
    leaves = [Node(root, bytes([i]), b"", slots) for i in range(3)]
    for i, leaf in enumerate(leaves):
        leaf.time = stored[i]
        heap.push(leaf)
    for i, leaf in enumerate(leaves):
        leaf.time += later[i]
        if locks[i] > 0:
            leaf.local_lock_ref = locks[i]
            heap.retire(leaf)
    return heap, leaves


def _popped(stored: Sequence[int], later: Sequence[int], locks: Sequence[int]) -> int:
    heap, leaves = _queued(stored, later, locks)
    return leaves.index(heap.pop_victim())


def _trusts_entries(stored: Sequence[int], later: Sequence[int], locks: Sequence[int]) -> int:
    """The first entry of an unlocked leaf is taken, even if it is outdated."""
    heap, leaves = _queued(stored, later, locks)
    while True:
        leaf = heap._least()[3]
        if leaf.is_evictable_leaf():
            return leaves.index(leaf)


_BOUNDS = dict.fromkeys(("later_s", "later_t", "lock"), (0, None))

CONTRACTS = (
    Contract("EvictionHeap.pop_victim", "optimized/heap.py: evict, alloc, start, decode", _least_live, _popped, _trusts_entries, _BOUNDS),
)
