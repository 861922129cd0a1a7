"""The cache as a tree: what a caller who keeps slots itself can do.

Slots move between three owners, as whole pages:

    free (the pool) --alloc--> a caller's loan --insert--> the tree --evict--> free
                               a caller's loan --free---------------------------> free

Time is logical: each access ticks the clock `now` once and gives that tick to the nodes of one path. A call that is
refused raises one of the errors of `radixcheck.spec.values` and has changed nothing: guards come first, everywhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from radixcheck.reference.eviction import POLICIES, evictable, evictable_leaves
from radixcheck.reference.node import ChildKey, Node, Page, below, path, shared_tokens, slots_of, split, top
from radixcheck.reference.pool import Pool, page_starts
from radixcheck.spec.values import (
    BadAmount,
    Key,
    Match,
    Namespace,
    NoRoom,
    NotLocked,
    Sizes,
    StaleHandle,
    StillHeld,
    check_tokens,
    pages_for,
)


@dataclass(frozen=True, slots=True, eq=False)
class Receipt:
    """One lock, to be released once. Compared by identity: two locks of one node are two receipts."""

    node: Node


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk along a key stopped."""

    length: int  # tokens of the key that are cached
    node: Node  # the last node whose whole segment agrees with the key
    edge: Node | None = None  # its child of which only a first part agrees
    inside: int = 0  # tokens of that part

    def evictable(self) -> int:
        """The tokens up to here that nobody protects yet."""
        inside = self.inside if self.edge is not None and self.edge.lock == 0 else 0
        return inside + sum(len(node.segment) for node in path(self.node) if node.lock == 0)


class RadixTree:
    """A radix cache with the tree verbs. `RadixCache` adds those for requests."""

    def __init__(self, page_size: int, policy: str, pool: Pool) -> None:
        if policy not in POLICIES:
            raise ValueError(f"no policy {policy!r}: choose one of {', '.join(POLICIES)}")
        if pool.page_size != page_size:
            raise ValueError(f"the pool has pages of {pool.page_size} slots, the cache of {page_size}")
        self.page_size = page_size
        self.pool = pool
        self.root = Node(None, (), (), [])
        self.now = 0  # the clock
        self._eviction_key = POLICIES[policy]
        self._evictable = 0  # tokens on nodes with lock 0
        self._protected = 0  # tokens on all other nodes
        self._loans: set[int] = set()  # first slot of each page that a caller owns
        self._receipts: set[Receipt] = set()  # locks that are not released

    # ---------------------------------------------------------------- verbs

    def match(self, key: Key) -> Match[list[int]]:
        """The longest cached prefix. Splits the edge in which it ends, then refreshes what it returns and no more."""
        check_tokens(key.tokens)
        place = self._walk(key.tokens, key.namespace)
        node = self._reach(place)
        self._access(node)
        return Match(place.length, slots_of(node), node)

    def peek(self, key: Key) -> int:
        """How long a match would be; changes nothing."""
        check_tokens(key.tokens)
        return self._walk(key.tokens, key.namespace).length

    def insert(self, key: Key, slots: Sequence[int], priority: int = 0) -> int:
        """Cache the whole pages of `key` and return how many tokens were cached already.

        [0, prefix)      cached before: the tree keeps its own slots, these stay the caller's
        [prefix, whole)  one new leaf: its slots go from the caller to the tree
        [whole, ...)     no whole page: stays the caller's
        """
        check_tokens(key.tokens)
        check_priority(priority)
        whole = key.whole_pages(self.page_size)
        if len(slots) < whole:
            raise BadAmount(f"{len(slots)} slots for {whole} tokens")
        place = self._walk(key.tokens, key.namespace)
        given = list(slots[place.length : whole])
        starts = page_starts(given, self.page_size, self._loans)
        node = self._reach(place)
        if given:
            node = self._grow(node, key.namespace, key.tokens[place.length : whole], given)
            self._loans.difference_update(starts)
        self._access(node, hits=1, priority=priority)
        return place.length

    def lock(self, node: object) -> Receipt:
        """Protect the prefix that ended at a match's node; it stays the same prefix when its nodes are split."""
        if not isinstance(node, Node) or top(node) is not self.root:
            raise StaleHandle("the node of this handle has left the tree; match again")
        receipt = Receipt(node)
        self._hold(node)
        self._receipts.add(receipt)
        return receipt

    def unlock(self, receipt: object) -> None:
        """Release one lock, once."""
        if not isinstance(receipt, Receipt) or receipt not in self._receipts:
            raise NotLocked("this receipt was released before, or is none of this cache")
        self._receipts.remove(receipt)
        self._release(receipt.node)

    def evict(self, tokens: int) -> int:
        """Evict least leaves until `tokens` are freed or none is left; returns tokens freed, as victims go whole.

        Costs a visit to every node, then a logarithm of the leaves for each victim.
        """
        if tokens < 0:
            raise BadAmount(f"cannot evict {tokens} tokens")
        candidates = [(self._eviction_key(leaf), leaf) for leaf in evictable_leaves(self.root)]
        heapify(candidates)
        freed = 0
        while freed < tokens and candidates:
            leaf = heappop(candidates)[1]
            parent = self._delete(leaf)
            freed += len(leaf.segment)
            self.pool.free(leaf.slots)
            if parent is not self.root and evictable(parent):
                heappush(candidates, (self._eviction_key(parent), parent))
        return freed

    def alloc(self, tokens: int) -> list[int]:
        """Slots for `tokens`, rounded up to whole pages, after evicting only what is missing.

        They are the caller's until it inserts or frees them. Raises NoRoom, evicting nothing.
        """
        if tokens < 0:
            raise BadAmount(f"cannot allocate {tokens} tokens")
        needed = pages_for(tokens, self.page_size) * self.page_size
        self._check_room(needed)
        slots = self._draw(needed)
        self._loans.update(slots[:: self.page_size])
        return slots

    def free(self, slots: Sequence[int]) -> None:
        """Give whole pages from `alloc` back. Raises NotYourSlot, freeing none, if one is not the caller's."""
        starts = page_starts(slots, self.page_size, self._loans)
        self._loans.difference_update(starts)
        self.pool.free(slots)

    def reset(self) -> None:
        """Forget every node; all slots are free afterwards. The clock goes on."""
        if self._receipts or self._loans:
            raise StillHeld(f"{len(self._receipts)} locks and {len(self._loans)} pages are still held")
        for node in below(self.root):
            self.pool.free(node.slots)
        for child in self.root.children.values():
            child.parent = None  # the way up from any old handle now ends here, not at the root
        self.root.children = {}
        self._evictable = 0
        assert self._protected == 0, "without locks nothing is protected"

    def sizes(self) -> Sizes:
        """Available, evictable and protected tokens."""
        return Sizes(self.pool.available, self._evictable, self._protected)

    # ---------------------------------------------------------------- the tree

    def _child_key(self, parent: Node, namespace: Namespace, page: Page) -> ChildKey:
        return page if parent is not self.root else (namespace, page)

    def _walk(self, tokens: Page, namespace: Namespace) -> Place:
        """Follow `tokens` down the tree, changing nothing."""
        node, length = self.root, 0
        # An unaligned tail finds nothing: no child key is shorter than a page.
        while True:
            page = tokens[length : length + self.page_size]
            child = node.children.get(self._child_key(node, namespace, page))
            if child is None:
                return Place(length, node)
            shared = shared_tokens(child.segment, tokens, length, self.page_size)
            length += shared
            if shared < len(child.segment):
                return Place(length, node, child, shared)
            node = child

    def _reach(self, place: Place) -> Node:
        """The node that ends exactly where the walk stopped; splits the edge if there is none yet."""
        return place.node if place.edge is None else split(place.edge, place.inside, self.page_size)

    def _access(self, node: Node, hits: int = 0, priority: int = 0) -> None:
        """One tick for the whole path of what was used."""
        self.now += 1
        for used in path(node):
            used.time = self.now
            used.hits += hits
            used.priority = max(used.priority, priority)

    def _grow(self, parent: Node, namespace: Namespace, segment: Page, slots: list[int]) -> Node:
        """Hang one new leaf below `parent`. The access that must follow gives it its time, hits and priority."""
        leaf = Node(parent, self._child_key(parent, namespace, segment[: self.page_size]), segment, slots)
        assert leaf.child_key not in parent.children, "the walk that led here would have gone on"
        assert len(segment) == len(slots), "one slot for each token"
        leaf.creation = self.now + 1
        parent.children[leaf.child_key] = leaf
        self._evictable += len(segment)
        return leaf

    def _delete(self, leaf: Node) -> Node:
        """Take an evictable leaf out of the tree and return the parent that it had."""
        parent = leaf.parent
        assert parent is not None, "the root is never evicted"
        assert evictable(leaf), "only unlocked leaves are evicted"
        del parent.children[leaf.child_key]
        leaf.parent = None  # a handle on this node is stale from now on
        self._evictable -= len(leaf.segment)
        return parent

    def _hold(self, node: Node) -> None:
        """Lock the path from `node` to the root."""
        for held in path(node):
            if held.lock == 0:
                self._evictable -= len(held.segment)
                self._protected += len(held.segment)
            held.lock += 1

    def _release(self, node: Node) -> None:
        """Undo one `_hold`."""
        for held in path(node):
            held.lock -= 1
            assert held.lock >= 0, "a lock is released once"
            if held.lock == 0:
                self._evictable += len(held.segment)
                self._protected -= len(held.segment)

    # ---------------------------------------------------------------- room

    def _check_room(self, needed: int, spared: int = 0) -> None:
        """Raise NoRoom unless `needed` tokens are free or can be evicted, `spared` evictable ones left alone."""
        room = self.pool.available + self._evictable - spared
        if needed > room:
            raise NoRoom(f"{needed} tokens needed, {room} are free or evictable")

    def _draw(self, needed: int) -> list[int]:
        """Slots from the pool, after evicting the shortfall and not more."""
        shortfall = needed - self.pool.available
        if shortfall > 0:
            self.evict(shortfall)
        assert needed <= self.pool.available, "the guard has seen that there is room"
        return self.pool.alloc(needed)


def check_priority(priority: int) -> None:
    """Raise BadAmount for a priority below 0, the least there is."""
    if priority < 0:
        raise BadAmount(f"priority {priority} is below 0")
