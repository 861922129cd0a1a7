"""Which leaf is evicted next: a persistent heap of keys that may have grown old, repaired only where an entry surfaces.

One entry speaks for a node (`node.entry`). An entry is dead when its node is no evictable leaf, or when a later entry
speaks for that node: both are seen by looking at the node, so that nothing is searched or removed in the middle. That
keeps the order exactly as long as every evictable leaf has an entry whose stored key is not greater than its live key:
a key that has grown is repaired when it surfaces, one that has shrunk (as under mru) is pushed at once.
"""

import heapq
from collections.abc import Callable

from radixcheck.optimized.node import Entry, Node

PolicyKey = Callable[[Node], tuple[int, int]]

SLRU_HITS = 2  # inserted this often, a node is in the protected segment
SLACK = 4  # dead entries allowed beside one per evictable leaf: sweeping them out then costs O(1) per push

# The second number is always the time: no two leaves share it, so the order is total and the same everywhere (FB-49).
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
    """Never longer than 2 * leaf_count + SLACK, except between `pop_victim` and the `tidy` of its caller."""

    def __init__(self, policy: str) -> None:
        if policy not in POLICIES:
            raise ValueError(f"policy {policy!r} is none of {', '.join(POLICIES)}")
        self.key = POLICIES[policy]
        self.shrinks = policy in SHRINKING  # `refresh` is called for nothing where keys only grow
        self.entries: list[Entry] = []
        self.leaf_count = 0  # evictable leaves
        self._serial = 0

    def __len__(self) -> int:
        return len(self.entries)

    def push(self, node: Node) -> None:
        """`node` has become an evictable leaf: it is counted, and has an entry that is not too great."""
        assert node.is_evictable_leaf()
        self.leaf_count += 1
        if node.entry is None or self.key(node) < node.entry[:2]:
            heapq.heappush(self.entries, self._speak(node))
            self.tidy()

    def retire(self, node: Node) -> None:
        """`node` is an evictable leaf no longer: locked, or a parent. Its entry stays, and may serve again."""
        assert not node.is_evictable_leaf()
        assert self.leaf_count > 0
        self.leaf_count -= 1
        self.tidy()

    def refresh(self, node: Node) -> None:
        """The attributes of `node` have changed. A smaller key would lie buried under the old one (FB-46): push it."""
        if node.entry is not None and node.is_evictable_leaf() and self.key(node) < node.entry[:2]:
            heapq.heappush(self.entries, self._speak(node))
            self.tidy()

    def pop_victim(self) -> Node:
        """Take out the least evictable leaf; there must be one. It is no longer counted."""
        assert self.leaf_count > 0, "no leaf is evictable"
        while True:
            entry = self.entries[0]
            node = entry[3]
            if node.entry is not entry:
                heapq.heappop(self.entries)
            elif not node.is_evictable_leaf():
                heapq.heappop(self.entries)
                node.entry = None
            elif entry[:2] != self.key(node):
                heapq.heapreplace(self.entries, self._speak(node))
            else:
                heapq.heappop(self.entries)
                node.entry = None
                self.leaf_count -= 1
                return node

    def tidy(self) -> None:
        """Sweep the dead entries out once they outnumber the evictable leaves: one entry a leaf remains."""
        if len(self.entries) <= 2 * self.leaf_count + SLACK:
            return
        kept = []
        for entry in self.entries:
            node = entry[3]
            if node.entry is not entry:
                continue
            if node.is_evictable_leaf():
                kept.append(entry)
            else:
                node.entry = None
        heapq.heapify(kept)
        self.entries = kept
        assert len(kept) == self.leaf_count, "an evictable leaf had no entry"

    def clear(self) -> None:
        """Forget every entry; their nodes are leaving the tree."""
        for entry in self.entries:
            entry[3].entry = None
        self.entries.clear()
        self.leaf_count = 0

    def _speak(self, node: Node) -> Entry:
        """A new entry with the live key, which speaks for `node` from now on."""
        first, second = self.key(node)
        self._serial += 1
        node.entry = (first, second, self._serial, node)
        return node.entry
