"""The order of eviction: persistent entries whose keys may be out of date, and are repaired only when they are popped.

One entry is current for a node (`node.entry`). An entry is dead when its node is not an evictable leaf, or when a later
entry is current for that node: both are seen by looking at the node, so that nothing is searched or removed in the middle.
The order is exact as long as every evictable leaf has an entry whose stored key is not greater than its live key
(HEAP_FULL, HEAP_STALE; claims LAZY-*, ORDER-*): a key that has become greater is repaired when it is popped, and for one
that has become smaller (as under mru) a new entry is pushed at once.

The order needs only that the least of all entries is popped, wherever entries are kept. Most come in order, because an
access makes a key that is greater than all others (or smaller, under mru and filo): these are kept in a queue, which adds
and removes at its ends in constant time, however many leaves there are. Only the rest needs the heap.
"""

import heapq
from collections import deque
from collections.abc import Callable, Iterator

from radixcheck.optimized.node import Entry, Node

PolicyKey = Callable[[Node], tuple[int, int]]

SLRU_HITS = 2  # a node with this many hits is in the protected segment
SLACK = 4  # dead entries allowed beyond two entries per evictable leaf: removing them then costs O(1) per push

# The second number is always the time: no two leaves share it, so the order is total and the same in every run (FB-49).
POLICIES: dict[str, PolicyKey] = {
    "lru": lambda node: (node.time, node.time),
    "lfu": lambda node: (node.hits, node.time),
    "fifo": lambda node: (node.creation, node.time),
    "filo": lambda node: (-node.creation, node.time),
    "mru": lambda node: (-node.time, node.time),
    "slru": lambda node: (int(node.hits >= SLRU_HITS), node.time),
    "priority": lambda node: (node.priority, node.time),
}


SHRINKING = frozenset({"mru"})  # policies under which an access makes a key smaller (claims LAZY-*)


class EvictionHeap:
    """Entries in the order of a policy. Raises ValueError for an unknown policy.

    Never more than 2 * leaf_count + SLACK, except between `pop_victim` and the `tidy` of its caller.
    """

    def __init__(self, policy: str) -> None:
        if not isinstance(policy, str) or policy not in POLICIES:
            raise ValueError(f"no policy {policy!r}: choose one of {', '.join(POLICIES)}")
        self.key = POLICIES[policy]
        self.shrinks = policy in SHRINKING  # where keys only become greater, `refresh` has nothing to do
        self.queue: deque[Entry] = deque()  # from the least to the greatest
        self.heap: list[Entry] = []  # what came out of order
        self.leaf_count = 0  # evictable leaves
        self._serial = 0

    def __len__(self) -> int:
        return len(self.queue) + len(self.heap)

    def __iter__(self) -> Iterator[Entry]:
        """Every entry, those of the queue last."""
        yield from self.heap
        yield from self.queue

    def push(self, node: Node) -> None:
        """Count `node`, which has become an evictable leaf, and make sure that it has an entry that is not too great.

        Adds one entry at most, and one more leaf allows two: no dead entry has to be removed.
        """
        assert node.is_evictable_leaf()
        self.leaf_count += 1
        if node.entry is None or self.key(node) < node.entry[:2]:
            self._add_entry(node)

    def retire(self, node: Node) -> None:
        """Count `node` out: it was locked, or has become a parent. Its entry stays, and may be used again."""
        assert not node.is_evictable_leaf()
        assert self.leaf_count > 0
        self.leaf_count -= 1
        self.tidy()

    def forget(self, node: Node) -> None:
        """Count `node` out, which has gone over to the heap of another tier. Its entry is dead from now on."""
        node.entry = None
        self.leaf_count -= 1
        self.tidy()

    def refresh(self, node: Node) -> None:
        """Push a new entry if the key of `node` has become smaller: behind the old entry it would be popped too late (FB-46)."""
        if node.entry is not None and node.is_evictable_leaf() and self.key(node) < node.entry[:2]:
            self._add_entry(node)
            self.tidy()

    def pop_victim(self) -> Node:
        """Remove and return the least evictable leaf; there must be one. It is no longer counted."""
        assert self.leaf_count > 0, "no leaf is evictable"
        while True:
            entry = self._least()
            first, second, _, node = entry
            if node.entry is not entry:
                continue
            node.entry = None
            if node.is_evictable_leaf():
                if (first, second) == self.key(node):
                    self.leaf_count -= 1
                    return node
                self._add_entry(node)

    def tidy(self) -> None:
        """Remove the dead entries if there are too many: one entry for each evictable leaf remains."""
        if len(self.queue) + len(self.heap) <= 2 * self.leaf_count + SLACK:
            return
        kept = []
        for entry in self:
            node = entry[3]
            if node.entry is not entry:
                continue
            if node.is_evictable_leaf():
                kept.append(entry)
            else:
                node.entry = None
        assert len(kept) == self.leaf_count, "an evictable leaf had no entry"
        self.queue, self.heap = deque(sorted(kept)), []

    def clear(self) -> None:
        """Forget every entry: their nodes leave the tree."""
        for entry in self:
            entry[3].entry = None
        self.queue.clear()
        self.heap.clear()
        self.leaf_count = 0

    def _least(self) -> Entry:
        """Remove and return the least entry."""
        queue, heap = self.queue, self.heap
        if not heap or (queue and queue[0] < heap[0]):
            return queue.popleft()
        return heapq.heappop(heap)

    def _add_entry(self, node: Node) -> None:
        """Add an entry with the live key, which is current for `node` from now on."""
        first, second = self.key(node)
        self._serial += 1
        node.entry = entry = (first, second, self._serial, node)
        queue = self.queue
        if not queue or queue[-1] < entry:
            queue.append(entry)
        elif entry < queue[0]:
            queue.appendleft(entry)
        else:
            heapq.heappush(self.heap, entry)
