"""The optimized cache with a wrong tree or a wrong heap."""

from collections.abc import Sequence
from functools import partial

from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.node import Entry, Node
from radixcheck.optimized.tree import NodeTree
from radixcheck.verification.mutants.mutant import BY_SIZE, Mutant, rebuilt
from radixcheck.verification.subjects.historical import nodes_subject
from radixcheck.verification.subjects.historical.base import above, held
from radixcheck.verification.subjects.historical.historical_subject import historical_cache
from radixcheck.verification.subjects.historical.submitted import PairsTree


class EvictForgetsParent(NodeTree):
    """A parent that becomes a leaf by an eviction is not put on the heap."""

    def evict_leaf(self, leaf: Node) -> None:
        """The fault: the last step is missing."""
        parent = leaf.parent
        assert parent is not None
        del parent.children[leaf.child_key]
        leaf.parent = None
        self.evictable -= leaf.size


class EvictMiscountsLeaves(NodeTree):
    """A parent that becomes a leaf by an eviction is put on the heap and not counted."""

    def evict_leaf(self, leaf: Node) -> None:
        """The fault: the number of evictable leaves."""
        counted = self.heap.leaf_count
        super().evict_leaf(leaf)
        self.heap.leaf_count = counted


class SplitForgetsParent(NodeTree):
    """The lower half of a split has no link to its new parent."""

    def _split_node(self, lower: Node, size: int) -> Node:
        upper = super()._split_node(lower, size)
        lower.parent = None
        return upper


class SplitSharesStorage(NodeTree):
    """The halves of a split are views of one array: evicting one frees no memory."""

    def _split_node(self, lower: Node, size: int) -> Node:
        whole = lower.slots
        upper = super()._split_node(lower, size)
        upper.slots, lower.slots = whole[:size], whole[size:]
        return upper


class FreesTheDeleted(PairsTree):
    """A node that is popped unlocked and without children is freed, without a check whether it was freed before."""

    def evict(self, tokens: int) -> int:
        """The fault: a node that was evicted keeps its slots, and is not skipped."""
        freed = 0
        while freed < tokens and (node := self._pop()) is not None:
            if node.lock_ref > 0 or node is self.root or node.children:
                continue
            self.give(held(node))
            freed += len(held(node))
            self.evictable -= len(held(node))
            self._delete_leaf(node)
            if not above(node).children:
                self._push(above(node))
        return freed


class NeverRefreshed(EvictionHeap):
    """A touch pushes no new entry, even if it makes the key smaller: the old entry is popped too late."""

    def refresh(self, node: Node) -> None:
        """The fault: nothing."""


class PutBackAsNew(EvictionHeap):
    """A leaf that was locked for a while comes back with an entry as if it had just been used."""

    _fresh = 0

    def push(self, node: Node) -> None:
        """The fault: the key is that of a new leaf, greater than all stored keys."""
        self._fresh += 1000
        node.entry = None
        super().push(node)

    def _add_entry(self, node: Node) -> None:
        key, fresh = self.key, self._fresh
        self.key = lambda node: (key(node)[0] + fresh, key(node)[1])
        super()._add_entry(node)
        self.key, self._fresh = key, 0


class LockForgetsCount(NodeTree):
    """A leaf that is locked stays counted among the evictable leaves."""

    def lock_path(self, path: Sequence[Node]) -> None:
        """The fault: the number of evictable leaves."""
        counted = self.heap.leaf_count
        super().lock_path(path)
        self.heap.leaf_count = counted


class UnlockForgetsPush(NodeTree):
    """A leaf whose last lock is released is not put on the heap."""

    def unlock_path(self, node: Node) -> None:
        """The fault: the node loses its entry."""
        was = node.is_evictable_leaf()
        super().unlock_path(node)
        if node.is_evictable_leaf() and not was:
            node.entry = None


class PopsWithoutRepair(EvictionHeap):
    """An outdated entry is trusted: the leaf that was least when it was pushed is evicted first."""

    def pop_victim(self) -> Node:
        """The fault: the stored key is not compared with the current one."""
        keep = self.key
        self.key = lambda node: self._trusted
        try:
            return super().pop_victim()
        finally:
            self.key = keep

    def _least(self) -> Entry:
        entry = super()._least()
        self._trusted = entry[:2]
        return entry


class NeverTidied(EvictionHeap):
    """Dead entries are never removed."""

    def tidy(self) -> None:
        """The fault: nothing."""


_LIVE_KEYS = "The entries of the heap are bare nodes, which compare by their current times: a touch breaks the heap's order."

MUTANTS = (
    rebuilt("split_forgets_parent", "PARENT", SplitForgetsParent),
    rebuilt("split_shares_storage", "MEM_BOUND", SplitSharesStorage, "FB-31", directed=BY_SIZE),
    rebuilt("evict_forgets_parent", "HEAP_FULL", EvictForgetsParent, "FB-43"),
    rebuilt("leaf_index_forgets_promotion", "LEAFSET", EvictMiscountsLeaves, "FB-35"),
    rebuilt("touch_without_push", "HEAP_STALE", NeverRefreshed, "FB-46", "mru"),
    rebuilt("unlock_pushes_as_new", "ORDER", PutBackAsNew, "FB-48"),
    rebuilt("hold_forgets_count", "LEAFSET", LockForgetsCount, "FB-35"),
    rebuilt("release_forgets_push", "HEAP_FULL", UnlockForgetsPush, "FB-43"),
    rebuilt("pop_without_repair", "ORDER", PopsWithoutRepair, "FB-45"),
    Mutant("evict_frees_the_deleted", "COUNT", FreesTheDeleted.__doc__ or "", "", partial(historical_cache, FreesTheDeleted)),
    rebuilt("heap_never_tidied", "HEAP_BOUND", NeverTidied, policy="mru"),
    Mutant("heap_of_live_keys", "HEAP_ORDER", _LIVE_KEYS, "FB-45", nodes_subject),
)
