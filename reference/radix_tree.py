"""The cache as a tree: the verbs of a caller that keeps its slots itself.

Slots move between three owners, as whole pages:

    free (the pool) --alloc--> a caller's loan --insert--> the tree --evict--> free
                               a caller's loan --free---------------------------> free

A refused call raises one of the errors of `radixcheck.spec.values` and has changed nothing: every verb checks its guards first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from radixcheck.reference.announcer import Sink
from radixcheck.reference.eviction import POLICIES, evict_least, evictable_leaves, is_evictable_leaf
from radixcheck.reference.node import Node, Page, below, slots_of, top
from radixcheck.reference.pool import Pool, page_starts
from radixcheck.reference.tree import NodeTree
from radixcheck.spec.events.event_values import PageIds, page_id
from radixcheck.spec.values import (
    BadAmount,
    BadSlots,
    Key,
    Match,
    Namespace,
    NoRoom,
    NotLocked,
    Sizes,
    StaleHandle,
    StillHeld,
    pages_for,
    shown,
    to_amount,
    to_ints,
    to_key,
)


@dataclass(frozen=True, slots=True, eq=False)
class Receipt:
    """One lock, to be released once. Compared by identity: two locks of one node are two receipts."""

    node: Node


class RadixTree(NodeTree):
    """A radix cache with the tree verbs. `RadixCache` adds the request verbs.

    `events` takes its KV events, with the ids that `page_ids` gives to pages; without it there are none.
    """

    def __init__(self, page_size: int, policy: str, pool: Pool, events: Sink | None = None, page_ids: PageIds = page_id) -> None:
        if policy not in POLICIES:
            raise ValueError(f"no policy {policy!r}: choose one of {', '.join(POLICIES)}")
        if pool.page_size != page_size:
            raise ValueError(f"the pool has pages of {pool.page_size} slots, the cache of {page_size}")
        super().__init__(page_size, events, page_ids)
        self.pool = pool
        self._eviction_key = POLICIES[policy]
        self._loans: set[int] = set()  # first slot of each page that a caller owns
        self._receipts: set[Receipt] = set()  # locks that are not released

    def match(self, key: Key) -> Match[list[int]]:
        """Return the longest cached prefix (SGLang: `match_prefix`).

        Splits the node in which it ends, then refreshes the times of what it returns, and of nothing else.
        """
        key = to_key(key)
        walk = self._walk(key.tokens, key.namespace)
        node = self._split(walk)
        self._touch(node)
        return Match(walk.length, slots_of(node), node)

    def peek(self, key: Key) -> int:
        """Return the length of the match in tokens; changes nothing."""
        key = to_key(key)
        return self._resident_length(self._walk(key.tokens, key.namespace))

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """Cache the whole pages of `key` (SGLang: `insert`) and return how many tokens were cached already.

        [0, prefix)      cached before: the tree keeps its own slots, these stay the caller's
        [prefix, whole)  one new leaf: its slots go from the caller to the tree
        [whole, ...)     no whole page: stays the caller's
        """
        key, given, priority = to_key(key), to_ints(slots, BadSlots), to_amount(priority)
        whole = key.whole_pages(self.page_size)
        if len(given) < whole:
            raise BadAmount(f"{len(given)} slots for {whole} tokens")
        walk = self._walk(key.tokens, key.namespace)
        prefix = self._resident_length(walk)
        new = list(given[prefix:whole])
        starts = page_starts(new, self.page_size, self._loans)
        node = self._split(walk)
        self._loans.difference_update(starts)
        self._cache(node, key.namespace, key.tokens[prefix:whole], new, hits=1, priority=priority)
        return prefix

    def lock(self, node: object) -> Receipt:
        """Protect the prefix that ended at a match's node from eviction (SGLang: `inc_lock_ref`).

        It stays the same prefix when its nodes are split. Raises StaleHandle.
        """
        found = self._find_node(node)
        receipt = Receipt(found)
        self._lock_path(found)
        self._receipts.add(receipt)
        return receipt

    def unlock(self, receipt: object) -> None:
        """Release one lock, once (SGLang: `dec_lock_ref`). Raises NotLocked."""
        if not isinstance(receipt, Receipt) or receipt not in self._receipts:
            raise NotLocked("this receipt was released before, or is not of this cache")
        self._receipts.remove(receipt)
        self._unlock_path(receipt.node)

    def evict(self, tokens: int) -> int:
        """Evict the least leaves until `tokens` are freed or none is evictable; return the tokens freed (SGLang: `evict`).

        Victims are evicted whole. Visits every node once, and costs a logarithm of the number of leaves for each victim.
        """
        return evict_least(to_amount(tokens), evictable_leaves(self.root), is_evictable_leaf, self._eviction_key, self._evict)

    def alloc(self, tokens: int) -> list[int]:
        """Return slots for `tokens`, rounded up to whole pages, after evicting only what is missing.

        They are the caller's until it inserts or frees them. Raises NoRoom, evicting nothing.
        """
        needed = pages_for(to_amount(tokens), self.page_size) * self.page_size
        self._check_room(needed)
        slots = self._take(needed)
        self._loans.update(slots[:: self.page_size])
        return slots

    def free(self, slots: Sequence[int]) -> None:
        """Give whole pages from `alloc` back. Raises BadSlots, and NotYourSlot, freeing none, if one is not the caller's."""
        given = to_ints(slots, BadSlots)
        starts = page_starts(given, self.page_size, self._loans)
        self._loans.difference_update(starts)
        self.pool.free(given)

    def reset(self) -> None:
        """Forget every node; all slots are free afterwards. The clock goes on. Raises StillHeld."""
        if self._receipts or self._loans:
            raise StillHeld(f"{len(self._receipts)} locks and {len(self._loans)} pages are still held")
        for node in below(self.root):
            self._free_slots(node)
        for child in self.root.children.values():
            child.parent = None  # the way up from any old handle now ends here, not at the root
        self.root.children = {}
        self._announcer.clear()
        self._evictable = 0
        assert self._protected == 0, "without locks nothing is protected"

    def sizes(self) -> Sizes:
        """Return the available, evictable and protected tokens."""
        return Sizes(self.pool.available, self._evictable, self._protected)

    def _find_node(self, handle: object) -> Node:
        """Return the node of a handle. Raises StaleHandle."""
        if not isinstance(handle, Node) or top(handle) is not self.root:
            raise StaleHandle("the node of this handle has left the tree; match again")
        return handle

    def _cache(self, node: Node, namespace: Namespace, tokens: Page, slots: list[int], hits: int, priority: int) -> Node:
        """Cache tokens and their slots behind `node`, if there are any, and count one access; return the node where they end."""
        if tokens:
            node = self._grow(node, namespace, tokens, slots)
        self._touch(node, hits, priority)
        return node

    def _evict(self, leaf: Node) -> None:
        """Remove an evictable leaf from the tree and free its slots."""
        self._evict_leaf(leaf)
        self._free_slots(leaf)

    def _free_slots(self, node: Node) -> None:
        """Free the slots of a node that leaves the tree."""
        self.pool.free(node.slots)

    def _check_room(self, needed: int, spared: int = 0) -> None:
        """Raise NoRoom unless `needed` tokens are free or can be evicted, `spared` evictable ones left alone."""
        room = self._room(spared)
        if needed > room:
            raise NoRoom(f"{shown(needed)} tokens needed, {room} are free or evictable")

    def _room(self, spared: int) -> int:
        """Return the tokens that are free or can be evicted, `spared` evictable ones left alone."""
        return self.pool.available + self._evictable - spared

    def _take(self, needed: int) -> list[int]:
        """Take slots from the pool, after evicting the shortfall and not more."""
        shortfall = needed - self.pool.available
        if shortfall > 0:
            self.evict(shortfall)
        assert needed <= self.pool.available, "the guard has checked that there is room"
        return self.pool.alloc(needed)
