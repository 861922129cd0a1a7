"""`leaf-set`: the tree of `base` after sglang#14339, written anew: a set of the evictable leaves is kept at all times (L1).

No eviction walks over the whole tree; each still makes a heap of the set. The fault of `base` with times (L5) is inherited.
"""

import heapq
from collections.abc import Callable, Sequence

from radixcheck.verification.subjects.historical.base import BaseTree, Node, above, held


class LeafSetTree(BaseTree):
    """A node is in the set exactly while it is an unlocked leaf: each step that changes this for a node updates the set."""

    def _clear(self) -> None:
        super()._clear()
        self.leaves: set[Node] = set()

    def _insert(self, key: Sequence[int], value: Sequence[int], read: Callable[[], int]) -> tuple[int, Node | None]:
        """Add the new leaf, and remove its parent. A split changes nothing: the lower half keeps its identity."""
        found, leaf = super()._insert(key, value, read)
        if leaf is not None:
            self.leaves.add(leaf)
            self.leaves.discard(above(leaf))
        return found, leaf

    def evict(self, tokens: int) -> int:
        """Evict as before, from a heap of the set. No node of the set has to be checked again."""
        heap = list(self.leaves)
        heapq.heapify(heap)
        freed = 0
        while freed < tokens and heap:
            node = heapq.heappop(heap)
            self.give(held(node))
            freed += len(held(node))
            self._delete_leaf(node)
            if above(node) in self.leaves:
                heapq.heappush(heap, above(node))
        return freed

    def inc_lock_ref(self, node: Node) -> None:
        """Lock, and remove the end of the path, which alone can be a leaf."""
        super().inc_lock_ref(node)
        self.leaves.discard(node)

    def _became_evictable(self, node: Node) -> None:
        if not node.children:
            self.leaves.add(node)

    def _delete_leaf(self, node: Node) -> None:
        super()._delete_leaf(node)
        self.leaves.discard(node)
        parent = above(node)
        if not parent.children and parent.lock_ref == 0:  # the root is always locked
            self.leaves.add(parent)

    def evictable_leaves(self) -> frozenset[int]:
        """Return the names of the nodes in the set."""
        return frozenset(node.name for node in self.leaves)
