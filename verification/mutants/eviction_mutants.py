"""Evictions that take too much, too little, the wrong node, or too long."""

from collections.abc import Iterable

from radixcheck.reference.eviction import evictable_leaves
from radixcheck.reference.node import Node, below
from radixcheck.reference.pool import Pool
from radixcheck.verification.mutants.mutant import BY_SIZE, BY_TWO_RUNS, ListedEviction, Mutant, SteppedEviction, mutant
from radixcheck.verification.subjects.historical import pairs_subject
from radixcheck.verification.subjects.reference_subject import ReferenceSubject


def _address_hash(node: Node) -> int:
    """Return a number that depends on the address only, as the order of a hash table does."""
    return id(node) * 0x9E3779B97F4A7C15 % (1 << 64)


class EvictInternal(SteppedEviction):
    """Every unlocked node may be evicted, also one with children: these are cut off."""

    def _candidates(self) -> Iterable[Node]:
        return [node for node in below(self.root) if node.lock == 0]


class EvictIgnoresLock(SteppedEviction):
    """Every leaf may be evicted, locked or not."""

    def _candidates(self) -> Iterable[Node]:
        return [node for node in below(self.root) if not node.children]


class EvictSkipsPromoted(ListedEviction):
    """The leaves are listed once: a parent that becomes a leaf has to wait for the next eviction."""


class EvictIgnoresTouch(ReferenceSubject):
    """The least recently created leaf is evicted, however recently it was used."""

    def __init__(self, page_size: int, policy: str, pool: Pool) -> None:
        super().__init__(page_size, policy, pool)
        self._eviction_key = lambda node: (node.creation, node.creation)


class AllocEvictsAllItNeeds(ReferenceSubject):
    """An alloc evicts as many tokens as it needs, as if nothing were free."""

    def _take(self, needed: int) -> list[int]:
        if needed > self.pool.available:
            self.evict(needed)
        return self.pool.alloc(needed)


class EvictForgetsToCount(ReferenceSubject):
    """An eviction never adds up what it has freed, and so empties the cache."""

    def evict(self, tokens: int) -> int:
        """The fault: it goes on until nothing is left."""
        return super().evict(self.pool.capacity if tokens > 0 else tokens)


class EvictDecrementsTwice(ReferenceSubject):
    """The evictable size falls twice for each victim: once at the free, once at the removal."""

    def _evict_leaf(self, leaf: Node) -> Node:
        self._evictable -= len(leaf.segment)
        return super()._evict_leaf(leaf)


class EvictKeepsSize(ReferenceSubject):
    """The evictable size does not fall for a victim: the decrement is at neither of its two places."""

    def _evict_leaf(self, leaf: Node) -> Node:
        self._evictable += len(leaf.segment)
        return super()._evict_leaf(leaf)


class EvictDeletesUnfreed(ListedEviction):
    """A victim leaves the tree, but its slots are not freed, and the evictable size, which falls with the free, stays."""

    def _drop(self, leaf: Node) -> None:
        self._evict_leaf(leaf)
        self._evictable += len(leaf.segment)


class EvictFreesAndKeeps(ListedEviction):
    """A victim's slots are freed, but it stays in the tree without slots, and the evictable size, which falls with the delete, stays."""

    def _drop(self, leaf: Node) -> None:
        self.pool.free(leaf.slots)
        leaf.slots = []


class VictimsByAddress(SteppedEviction):
    """The victims are the right ones, but their slots come back in an order that depends on memory addresses."""

    _leaves: frozenset[Node] = frozenset()

    def evict(self, tokens: int) -> int:
        """The reference's eviction; notes which nodes are leaves now, and not only after their children are gone."""
        self._leaves = frozenset(evictable_leaves(self.root))
        return super().evict(tokens)

    def _in_order(self, victims: list[Node]) -> list[Node]:
        # Parents after their children, and the last victim last, so that nothing but the order of free slots is wrong.
        leaves = [victim for victim in victims[:-1] if victim in self._leaves]
        parents = [victim for victim in victims[:-1] if victim not in self._leaves]
        return [*sorted(leaves, key=_address_hash), *parents, *victims[-1:]]


class EvictScansPerVictim(SteppedEviction):
    """The whole tree is searched again for each victim."""


_TRUSTS_OLD = "A persistent heap pops what was a leaf when it was pushed, and does not check whether it still is."

MUTANTS = (
    mutant("evict_internal", "EVICT_LEAF", EvictInternal, "FB-41"),
    mutant("evict_ignores_lock", "EVICT_UNLOCKED", EvictIgnoresLock, "FB-16"),
    mutant("evict_skips_promoted", "EVICT_PROGRESS", EvictSkipsPromoted, "FB-43"),
    mutant("evict_ignores_touch", "ORDER", EvictIgnoresTouch, "FB-51"),
    mutant("alloc_evicts_all_it_needs", "EVICT_EXACT", AllocEvictsAllItNeeds, "FB-21"),
    mutant("evict_forgets_to_count", "EVICT_EXACT", EvictForgetsToCount, "FB-20"),
    mutant("evict_decrements_twice", "COUNT", EvictDecrementsTwice),
    mutant("evict_keeps_size", "COUNT", EvictKeepsSize),
    mutant("evict_deletes_unfreed", "COUNT", EvictDeletesUnfreed),
    mutant("evict_frees_and_keeps", "COUNT", EvictFreesAndKeeps),
    mutant("victims_by_address", "DETERMINISM", VictimsByAddress, "FB-49", directed=BY_TWO_RUNS),
    mutant("evict_scans_per_victim", "EVICT_COST", EvictScansPerVictim, "FB-80 FB-81", directed=BY_SIZE),
    Mutant("heap_trusts_old_entries", "EVICT_LEAF", _TRUSTS_OLD, "FB-45", pairs_subject),
)
