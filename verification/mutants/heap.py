"""The optimized cache with a part of its tree or of its heap replaced by a wrong one."""

from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.memory import Memory
from radixcheck.optimized.node import Node
from radixcheck.optimized.requests import Requests
from radixcheck.optimized.tree import Tree
from radixcheck.verification.historical import nodes_subject
from radixcheck.verification.historical.base import above, held
from radixcheck.verification.historical.requests import HistoricalCache
from radixcheck.verification.historical.submitted import PairsTree
from radixcheck.verification.mutants.mutant import Factory, Mutant
from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.optimized import OptimizedSubject


class Rebuilt(OptimizedSubject):
    """The optimized cache over another tree."""

    def __init__(self, setup: Setup, tree: type[Tree]) -> None:
        super().__init__(setup)
        self.tree = tree(setup.page_size, setup.policy, self.pool.device)
        self._memory = Memory(self.tree, self.pool)
        self._requests = Requests(self._memory, self.tags)
        self.requests = self._requests.live


def over(tree: type[Tree]) -> Factory:
    """Factory of the optimized cache over `tree`."""
    return lambda setup: Rebuilt(setup, tree)


def queueing(heap: type[EvictionHeap]) -> Factory:
    """Factory of the optimized cache whose victims come from `heap`."""

    def made(setup: Setup) -> OptimizedSubject:
        subject = OptimizedSubject(setup)
        subject.tree.heap = heap(setup.policy)
        return subject

    return made


class PruneForgetsParent(Tree):
    """A parent that becomes a leaf by an eviction is not put on the heap."""

    def prune(self, leaf: Node) -> None:
        """The fault: the last step is missing."""
        parent = leaf.parent
        assert parent is not None
        del parent.children[leaf.child_key]
        leaf.parent = None
        self.evictable -= leaf.size


class PruneMiscounts(Tree):
    """A parent that becomes a leaf by an eviction is put on the heap and not counted."""

    def prune(self, leaf: Node) -> None:
        """The fault: the number of evictable leaves."""
        counted = self.heap.leaf_count
        super().prune(leaf)
        self.heap.leaf_count = counted


class SplitForgetsParent(Tree):
    """The lower half of a split has no link to its new parent."""

    def _split(self, lower: Node, size: int) -> Node:
        upper = super()._split(lower, size)
        lower.parent = None
        return upper


class SplitSharesStorage(Tree):
    """The halves of a split are views of one array: evicting one frees no memory."""

    def _split(self, lower: Node, size: int) -> Node:
        whole = lower.slots
        upper = super()._split(lower, size)
        upper.slots, lower.slots = whole[:size], whole[size:]
        return upper


class FreesTheDeleted(PairsTree):
    """A node that surfaces unlocked and without children is freed, and nobody asks whether that has been done before."""

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
    """A touch pushes no new entry, even where it makes the key smaller: the old entry surfaces too late."""

    def refresh(self, node: Node) -> None:
        """The fault: nothing."""


class NeverTidied(EvictionHeap):
    """Dead entries are never swept out."""

    def tidy(self) -> None:
        """The fault: nothing."""


def _mutant(name: str, property_: str, part: type, factory: Factory, source: str = "", policy: str = "lru") -> Mutant:
    return Mutant(name, property_, part.__doc__ or "", source, factory, policy)


def _frees_the_deleted(setup: Setup) -> HistoricalCache:
    return HistoricalCache(FreesTheDeleted(setup.page_size, setup.pool))


MUTANTS = (
    _mutant("split_forgets_parent", "PARENT", SplitForgetsParent, over(SplitForgetsParent)),
    _mutant("split_shares_storage", "MEM_BOUND", SplitSharesStorage, over(SplitSharesStorage), "FB-31"),
    _mutant("evict_forgets_parent", "HEAP_FULL", PruneForgetsParent, over(PruneForgetsParent), "FB-43"),
    _mutant("leaf_index_forgets_promotion", "LEAFSET", PruneMiscounts, over(PruneMiscounts), "FB-35"),
    _mutant("touch_without_push", "HEAP_STALE", NeverRefreshed, queueing(NeverRefreshed), "FB-46", "mru"),
    _mutant("evict_frees_the_deleted", "COUNT", FreesTheDeleted, _frees_the_deleted),
    _mutant("heap_never_tidied", "HEAP_BOUND", NeverTidied, queueing(NeverTidied), policy="mru"),
    Mutant(
        "heap_of_live_keys",
        "HEAP_ORDER",
        "The entries of the heap are bare nodes, which compare by their times now: a touch breaks the order without notice.",
        "FB-45",
        nodes_subject,
    ),
)
