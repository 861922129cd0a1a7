"""Locks and slots that are lost, taken twice, counted wrongly, kept, or shared with a caller."""

from collections.abc import Sequence

from radixcheck.reference.eviction import is_evictable_leaf
from radixcheck.reference.node import Node, path, split_node
from radixcheck.reference.pool import Pool
from radixcheck.reference.radix_tree import Receipt
from radixcheck.spec.values import Key, Match
from radixcheck.verification.mutants.mutant import ListedEviction, SteppedSplit, SteppedStart, mutant, unlock_unchecked
from radixcheck.verification.subjects.reference_subject import ReferenceSubject


class SplitForgetsLock(SteppedSplit):
    """The upper half of a split begins unlocked, whatever the whole was."""

    def _after_split(self, upper: Node, lower: Node) -> None:
        upper.lock = 0


class LockSkipsAncestors(ReferenceSubject):
    """A lock protects the node alone, not the path to the root."""

    def _lock_path(self, node: Node) -> None:
        for locked in list(path(node))[:1]:
            locked.lock += 1


class UnlockTwice(ReferenceSubject):
    """An unlock releases twice what was locked once, as two callers do that both own the lock."""

    def unlock(self, receipt: object) -> None:
        """The fault: the count of a node without other holders falls below zero."""
        assert isinstance(receipt, Receipt)
        self._receipts.discard(receipt)
        for locked in path(receipt.node):
            locked.lock -= 2
            if locked.lock <= 0:
                self._evictable += len(locked.segment)
                self._protected -= len(locked.segment)


class UnlockWalksAnew(ReferenceSubject):
    """An unlock walks along the matched key again, and releases the path that it finds: it may be deeper than what was locked."""

    def __init__(self, page_size: int, policy: str, pool: Pool) -> None:
        super().__init__(page_size, policy, pool)
        self._matched: dict[Node, Key] = {}  # the key that was matched last, by the node where it ended

    def match(self, key: Key) -> Match[list[int]]:
        """The reference's match; notes the key."""
        match = super().match(key)
        assert isinstance(match.node, Node)
        self._matched[match.node] = key
        return match

    def unlock(self, receipt: object) -> None:
        """The fault: the tree as it is now decides what is released."""
        assert isinstance(receipt, Receipt)
        self._receipts.remove(receipt)
        key = self._matched[receipt.node]
        unlock_unchecked(self, self._walk(key.tokens, key.namespace).node)


class StartForgetsLock(SteppedStart):
    """A start does not lock what it has matched before it makes room, so that its own eviction may take it."""

    def _provide(self, node: Node, needed: int) -> list[int]:
        own = self._take(needed)
        self._lock_path(node)
        return own


class AbortForgetsUnlock(ReferenceSubject):
    """An abort frees what the request owns and leaves its lock behind."""

    def abort(self, request: int) -> None:
        """The fault: no unlock."""
        live = self._find_request(request)
        del self.requests[request]
        self._free_own(live, len(live.row))


class InsertKeepsCallersArray(ReferenceSubject):
    """A new leaf that takes all of the caller's slots keeps the caller's own list."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """The fault: no copy."""
        prefix = super().insert(key, slots, priority)
        leaf = self._walk(key.tokens, key.namespace).node
        if isinstance(slots, list) and leaf.slots == slots:
            leaf.slots = slots
        return prefix


class MatchLendsTreesArray(ReferenceSubject):
    """A match that lies on one node returns the list that the node keeps."""

    def match(self, key: Key) -> Match[list[int]]:
        """The fault: no copy."""
        match = super().match(key)
        assert isinstance(match.node, Node)
        whole = len(match.node.slots) == match.length
        return Match(match.length, match.node.slots, match.node) if whole else match


class InsertCountsDuplicates(ReferenceSubject):
    """An insert adds the whole key to the evictable size, also the part that was cached already."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """The fault: the size."""
        prefix = super().insert(key, slots, priority)
        self._evictable += prefix
        return prefix


class InsertCutsIntoPages(ReferenceSubject):
    """An insert makes one node for each new page, not one for all of them."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """The fault: nodes that no match has made necessary."""
        prefix = super().insert(key, slots, priority)
        node = self._walk(key.tokens, key.namespace).node
        while prefix < key.whole_pages(self.page_size) and len(node.segment) > self.page_size:
            split_node(node, len(node.segment) - self.page_size, self.page_size)
            assert node.parent is not None, "a split gives its lower half a parent"
            node = node.parent
        return prefix


class HitDropsNode(ReferenceSubject):
    """A match removes the unlocked leaf at which it ends from the cache, as if its pages were taken for new use."""

    def match(self, key: Key) -> Match[list[int]]:
        """The fault: what was found is gone afterwards."""
        match = super().match(key)
        assert isinstance(match.node, Node)
        if match.length and is_evictable_leaf(match.node):
            self._evict_leaf(match.node)
            self.pool.free(match.node.slots)
        return match


class EvictKeepsNode(ListedEviction):
    """A victim's slots are freed and its node stays: a later match reads what was written there since."""

    def _drop(self, leaf: Node) -> None:
        self.pool.free(leaf.slots)
        self._evictable -= len(leaf.slots)


class InsertReplacesSlots(ReferenceSubject):
    """An insert of what is cached replaces the tree's slots by the caller's, and frees the tree's while requests read them."""

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """The fault: the new slots hold the same tokens, but the rows of requests have the old ones."""
        walk = self._walk(key.tokens, key.namespace)
        node = walk.node
        if walk.edge is not None or walk.length != key.whole_pages(self.page_size) or not walk.length:
            return super().insert(key, slots, priority)
        begin = walk.length - len(node.segment)
        self.pool.free(node.slots)
        node.slots = list(slots[begin : walk.length])
        self._loans.difference_update(node.slots)
        self._touch(node, 1, priority)
        return begin


class ResetKeepsSlots(ReferenceSubject):
    """A reset drops the nodes without giving their slots back."""

    def reset(self) -> None:
        """The fault: no node leads to the slots any more."""
        if not (self.requests or self._receipts or self._loans):
            self.root.children = {}
        super().reset()


MUTANTS = (
    mutant("split_forgets_lock", "LOCK_COUNT", SplitForgetsLock),
    mutant("lock_skips_ancestors", "LOCK_COUNT", LockSkipsAncestors, "FB-11"),
    mutant("unlock_twice", "LOCK_NONNEG", UnlockTwice, "FB-14"),
    mutant("unlock_walks_anew", "LOCK_COUNT", UnlockWalksAnew, "FB-10"),
    mutant("start_forgets_lock", "NO_UAF", StartForgetsLock, policy="mru"),
    mutant("abort_forgets_unlock", "LOCK_LIVENESS", AbortForgetsUnlock, "FB-13"),
    mutant("insert_keeps_callers_array", "NO_ALIAS", InsertKeepsCallersArray),
    mutant("match_lends_trees_array", "NO_ALIAS", MatchLendsTreesArray, "FB-06"),
    mutant("insert_counts_duplicates", "COUNT", InsertCountsDuplicates, "FB-23"),
    mutant("insert_cuts_into_pages", "REFINEMENT", InsertCutsIntoPages),
    mutant("hit_drops_node", "HIT_PRESERVES", HitDropsNode, "FB-25"),
    mutant("evict_keeps_node", "MATCH_SOUND", EvictKeepsNode, "FB-36"),
    mutant("insert_replaces_slots", "NO_UAF", InsertReplacesSlots, "FB-62"),
    mutant("reset_keeps_slots", "RESET_QUIESCENT", ResetKeepsSlots),
)
