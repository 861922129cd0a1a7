"""`leaf-set`: the tree of `base` after sglang#14339, in our own words: a set of the evictable leaves, kept at all times (L1).

The walk over the whole tree is gone; what remains of an eviction's cost is the heap that is made of the set at each call. What `base`
does wrong with times (L5) is inherited.
"""

import heapq
from collections.abc import Callable, Sequence

from radixcheck.verification.subjects.historical.base import BaseTree, Node, above, held


class LeafSetTree(BaseTree):
    """A node is in the set exactly while it is an unlocked leaf: each step that changes either for some node says so here."""

    def _clear(self) -> None:
        super()._clear()
        self.leaves: set[Node] = set()

    def _insert(self, key: Sequence[int], value: Sequence[int], read: Callable[[], int]) -> tuple[int, Node | None]:
        """A new leaf comes, and its parent is none any more. A split changes nothing: the lower half keeps its identity."""
        found, leaf = super()._insert(key, value, read)
        if leaf is not None:
            self.leaves.add(leaf)
            self.leaves.discard(above(leaf))
        return found, leaf

    def evict(self, tokens: int) -> int:
        """As before, from a heap of the set. What is in the set needs no second look."""
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
        """Only the end of a path can be a leaf."""
        super().inc_lock_ref(node)
        self.leaves.discard(node)

    def _became_evictable(self, node: Node) -> None:
        if not node.children:
            self.leaves.add(node)

    def _delete_leaf(self, node: Node) -> None:
        super()._delete_leaf(node)
        self.leaves.discard(node)
        parent = above(node)
        if not parent.children and parent.lock_ref == 0:  # the root is born locked
            self.leaves.add(parent)

    def evictable_leaves(self) -> frozenset[int]:
        """The set, by names."""
        return frozenset(node.name for node in self.leaves)
