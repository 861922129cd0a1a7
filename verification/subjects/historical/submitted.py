"""`as-submitted`: the tree after the change of sglang#6907, as its thread describes it, written anew with its faults.

What the change does (C1 to C6):

    pushed    the new leaf of an insert; a leaf whose last lock is released; a parent whose last child was deleted
    removed   nothing, ever: not on lock (C2), not on touch
    evict     pops; skips locked nodes, the root and evicted nodes; frees, deletes, and never looks at children (Q1)

Known faults: an entry stays when its node is no longer a leaf, so a node with children is evicted (Q1); an entry does
not follow its node's time, so the wrong leaf is evicted (C1); each lock and unlock of a leaf leaves one more entry
behind, so the heap has no bound (C3). The fault of `base` (L5) is inherited: the walks are the same.

Where the thread leaves a detail open, this is the reading that is better for the change:

* an unlock pushes a node only if it is a leaf; pushing every node of the path would add internal nodes on purpose;
* the one `now` of an insert is for the nodes that it walks; a new node reads the clock when it is made, as before. If
  `now` were its time too, a new leaf would tie with the half that the same insert split off and refreshed (C6 with L5);
* `child_key` is written whenever a node is filed, so for both halves of a split: it is always right (C5, Q7);
* the evictable size falls right after the free, by the slots freed, once (the later revision: Q3, Q4);
* the slots of a node that an eviction cut off stay counted as evictable, because its entry can still be popped;
* every parent without children is pushed, as in `base`: the root and evicted parents can be popped, and the guards skip
  them (Q2, Q10).

`leaf-set`: the tree of `base` after the later change, sglang#14339, written anew: a set of the evictable leaves is kept at all times (L1).
No eviction walks over the whole tree; each still makes a heap of the set. The fault of `base` with times (L5) is inherited.
"""

import heapq
from collections.abc import Callable, Sequence

from radixcheck.verification.protocol import SeenEntry
from radixcheck.verification.subjects.historical.base import BaseTree, ChildKey, Node, above, held


class SubmittedTree(BaseTree):
    """The common part of both readings of the change: when entries are pushed, and what `evict` does with them."""

    def insert(self, key: Sequence[int], value: Sequence[int]) -> int:
        """Insert as before, with one reading of the clock for all nodes that are walked (C6); push the new leaf (C1)."""
        now = self.clock()
        prefix, leaf = self._insert(key, value, lambda: now)
        if leaf is not None:
            self._push(leaf)
        return prefix

    def evict(self, tokens: int) -> int:
        """Pop until `tokens` are free or no entry is left.

        A popped node may have children; the root then does not lead to them, and they keep their slots until their own
        entries are popped (Q1). The entry of a locked node is lost (C2): harmless only because unlock pushes again.
        """
        freed = 0
        while freed < tokens and (node := self._pop()) is not None:
            if node.lock_ref > 0 or node is self.root or node.value is None:
                continue
            self.give(node.value)
            freed += len(node.value)
            self.evictable -= len(node.value)
            node.value = None
            self._delete_leaf(node)
            if not above(node).children:
                self._push(above(node))
        return freed

    def _became_evictable(self, node: Node) -> None:
        """Push an entry for the unlocked leaf, even if an older one is still there (C3)."""
        if not node.children:
            self._push(node)

    def _delete_leaf(self, node: Node) -> None:
        """Remove a leaf from its parent by the stored child key, without a search (C5); the size fell before (Q4)."""
        siblings = above(node).children
        if node.child_key is not None and node.child_key in siblings:
            del siblings[node.child_key]

    def _file(self, node: Node) -> ChildKey:
        node.child_key = super()._file(node)
        return node.child_key

    def _push(self, node: Node) -> None:
        raise NotImplementedError

    def _pop(self) -> Node | None:
        """Remove the first entry and return its node; None if there is none."""
        raise NotImplementedError


class PairsTree(SubmittedTree):
    """The reading of the description: entries are (time at the push, node). The heap keeps its order, but its times become outdated.

    Equal times are ordered by the nodes, and so by their current times; if these are equal too, by nothing.
    """

    def _clear(self) -> None:
        super()._clear()
        self.evict_heap: list[tuple[int, Node]] = []

    def _push(self, node: Node) -> None:
        heapq.heappush(self.evict_heap, (node.time, node))

    def _pop(self) -> Node | None:
        return heapq.heappop(self.evict_heap)[1] if self.evict_heap else None

    def entries(self) -> list[SeenEntry]:
        """Return the heap's array with the stored times."""
        return [SeenEntry((time, 0), node.name) for time, node in self.evict_heap]


class NodesTree(SubmittedTree):
    """The reading of the quoted code: entries are bare nodes, compared by their current times.

    The times are right, but every touch of a node in the heap may break the heap's order.
    """

    def _clear(self) -> None:
        super()._clear()
        self.evict_heap: list[Node] = []

    def _push(self, node: Node) -> None:
        heapq.heappush(self.evict_heap, node)

    def _pop(self) -> Node | None:
        return heapq.heappop(self.evict_heap) if self.evict_heap else None

    def entries(self) -> list[SeenEntry]:
        """Return the heap's array with the current times: not in heap order after a touch."""
        return [SeenEntry((node.time, 0), node.name) for node in self.evict_heap]


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
