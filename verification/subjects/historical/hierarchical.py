"""The hierarchical cache of release 0.4.6.post5, written anew with its faults: `base` with a host tier, as a class over any base class.

It keeps its own walks, its own split and its own `evict`, and calls the base class for locks, sizes, `_delete_leaf` and the root. The
change of sglang#6907 replaces the base class and leaves this one as it is, so it is the same text over both (C10).

    resident    `value` is a list: the device has the node
    hosted      `host` is a list: the host has it, or a copy to it is in flight
    loading     a copy from its host slots to its slots is in flight

When a node is copied to the host: under write_through at its first hit, under write_through_selective at its third, under write_back
when it is evicted. A walk counts a hit for each node that the host has not; a node that is issued starts at 0 again.

Known faults:

* F1: a split gives its upper half 0 hits, so that a later walk copies the lower half first: the host has a child without its parent.
* F4: `load_back` locks the last resident node, and nothing that it reads. Under write_back the eviction that makes room for the load
  copies its victims to the host, which makes room there, and may evict the very nodes that are loaded: their new slots are lost.
* A write_back whose copy finds no room on the host fails an assertion. The release wants a host larger than the device.
* FB-21: `load_back` and `write_backup` evict as many tokens as they need, not the shortfall.
* L5 and FB-80 of `base`: the walks and the collecting of leaves are of the same kind.

Not as in the release: copies complete in any order and may fail (then they are undone, or issued again if something rests on them, as
specified), and a load has no least size (there 10 tokens).
"""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from radixcheck.spec.values import Copier, Ticket
from radixcheck.verification.protocol import SlotPool
from radixcheck.verification.subjects.engine_shim import Peek
from radixcheck.verification.subjects.historical.base import BaseTree, Node, above, held
from radixcheck.verification.subjects.historical.copy_queue import CopyQueue, InFlight

WRITE_BACK = "write_back"
HITS = {"write_through": 1, "write_through_selective": 3}  # that a node needs before it is copied to the host


@dataclass(frozen=True, slots=True)
class HostTier:
    """What the tree is given for its host tier."""

    pool: SlotPool
    copier: Copier[Sequence[int]] | None  # None: the host has no room for any copy
    mode: str  # empty: the cache has no host tier


class HierarchicalTree(BaseTree):
    """Mixed in before the base class that it is to extend."""

    def __init__(self, page_size: int, pool: SlotPool, host: HostTier) -> None:
        self.host_pool, self.mode = host.pool, host.mode
        self.queue = CopyQueue(host.copier)
        super().__init__(page_size, pool)

    # Walks

    def match(self, key: Sequence[int]) -> tuple[list[int], Node]:
        """Return the slots of the longest resident prefix, and the node where the longest cached one ends, on whichever tier."""
        node, at = self.root, 0
        slots: list[int] = []
        if key:
            node.time = self.clock()
        while (child := self._child(node, key[at:])) is not None:
            child.time = self.clock()
            common = self._common(child.key, key[at:])
            inside = common < len(child.key)
            node = self._split(child, common) if inside else child
            self._count_hit(node)
            slots += node.value or []
            at += common
            if inside:
                break
        return slots, node

    def peek(self, key: Sequence[int]) -> Peek:
        """Return what `match` would find on the device; no split, no time."""
        node, at, evictable = self.root, 0, 0
        while (child := self._child(node, key[at:])) is not None and child.value is not None:
            common = self._common(child.key, key[at:])
            evictable += common if child.lock_ref == 0 else 0
            at += common
            if common < len(child.key):
                break
            node = child
        return Peek(at, evictable)

    def insert(self, key: Sequence[int], value: Sequence[int]) -> int:
        """Cache `key`; return how many of its tokens were resident.

        A node that only the host has takes the caller's slots. The new leaf is filed here, and its child key is not stored (C5, C10).
        """
        node, at, resident = self.root, 0, 0
        node.time = self.clock()
        while (child := self._child(node, key[at:])) is not None:
            child.time = self.clock()
            common = self._common(child.key, key[at:])
            node = child if common == len(child.key) else self._split(child, common)
            if node.value is None:
                node.value = list(value[at : at + common])
                self.evictable += common
            else:
                self._count_hit(node)
                resident += common
            at += common
        if at < len(key):
            leaf = self._node(list(key[at:]), list(value[at : len(key)]), node)
            node.children[self._child_key(leaf.key)] = leaf
            self.evictable += len(leaf.key)
            self._count_hit(leaf)
        return resident

    def _split(self, child: Node, length: int) -> Node:
        """Put a new node above `child` on both tiers. It inherits locks and `loading`, but no hits (F1); no child key is stored."""
        upper = self._node(child.key[:length], [], above(child))
        upper.lock_ref, upper.loading = child.lock_ref, child.loading
        upper.value, child.value = _cut(child.value, length)
        upper.host, child.host = _cut(child.host, length)
        child.parent, child.key = upper, child.key[length:]
        for node in (upper, child):
            above(node).children[self._child_key(node.key)] = node
        return upper

    # From the device to the host

    def _count_hit(self, node: Node) -> None:
        """Count a hit, and issue a copy of the node if it has enough; whether the host has its parent is not checked (F1)."""
        if node.host is not None or self.mode not in HITS:
            return
        node.hits += 1
        if node.hits >= HITS[self.mode]:
            self.write_backup(node)
            node.hits = 0

    def write_backup(self, node: Node) -> int:
        """Issue a copy of one node to the host; return its tokens, 0 if there is no room. Under write_back it is waited for instead of
        locked.

        Q8: no caller offers a node without slots, so the early return is never taken.
        """
        if node.value is None:
            return 0
        targets = self._room(self.host_pool, len(node.value), self.evict_host)
        if targets is None:
            return 0
        node.host = targets
        self.queue.issue(False, above(node), node, node.value, targets)
        if self.mode != WRITE_BACK:
            self.inc_lock_ref(node)
        return len(targets)

    # From the host to the device

    def load_back(self, node: Node) -> int:
        """Issue a copy of all that only the host has on the path to a node; return its tokens, 0 if there is no room.

        The node below which it loads is locked while room is made, what it loads is not protected at all (F4).
        """
        floor, span = node, list[Node]()
        while floor.value is None:
            span.insert(0, floor)
            floor = above(floor)
        sources = [slot for node in span for slot in hosted(node)]
        self.inc_lock_ref(floor)
        targets = self._room(self.pool, len(sources), self.evict) if sources else None
        self.dec_lock_ref(floor)
        if targets is None:
            return 0
        self.queue.issue(True, floor, node, sources, targets)
        at = 0
        for loaded in span:
            loaded.value, at = targets[at : at + len(loaded.key)], at + len(loaded.key)
            loaded.loading = True
        self.evictable += len(targets)
        self.inc_lock_ref(node)
        return len(targets)

    def _room(self, pool: SlotPool, tokens: int, evict: Callable[[int], int]) -> list[int] | None:
        """Return free slots, after evicting as many tokens as are needed where too few are free; None if that does not help."""
        if pool.available < tokens:
            evict(tokens)
        return pool.alloc(tokens) if pool.available >= tokens else None

    # Acknowledgements

    def poll(self) -> list[Ticket]:
        """Acknowledge the copies that are done: they give up their locks. Return their tickets."""
        done = self.queue.take_done()
        for copy in done:
            nodes = list(copy.nodes())
            if copy.ticket.failed and self._rests_on(copy, nodes):
                self.queue.issue_again(copy)
                continue
            self.dec_lock_ref(copy.aim)
            for node in nodes:
                node.loading = False
            if copy.ticket.failed:
                self._undo(copy, nodes)
        return [copy.ticket for copy in done]

    def _rests_on(self, copy: InFlight, nodes: list[Node]) -> bool:
        """Return whether another holder, or what the same tier has behind the nodes, needs the targets of a copy."""
        behind = [child for node in nodes for child in node.children.values() if child not in nodes]
        if copy.up:
            return any(node.lock_ref > 1 for node in nodes) or any(child.value is not None for child in behind)
        return self.mode != WRITE_BACK and any(child.host is not None for child in behind)

    def _undo(self, copy: InFlight, nodes: list[Node]) -> None:
        """Take the nodes of a copy that has failed off the tier to which it went."""
        if not copy.up:
            self.host_pool.free(copy.targets)
        for node in nodes:
            if copy.up:
                self._demote(node)
            else:
                node.host = None

    # Evictions

    def evict(self, tokens: int) -> int:
        """Evict least recently used unlocked device leaves until `tokens` are freed: those that the host has stay in the tree.

        Under write_back the others are copied, and leave the device together, after the copies have been waited for.
        """
        leaves = list(self._device_leaves())
        heapq.heapify(leaves)
        freed = 0
        written: list[Node] = []
        while freed < tokens and leaves:
            node = heapq.heappop(leaves)
            if node.lock_ref > 0:
                continue
            if node.host is not None:
                freed += self._demote(node)
            elif self.mode == WRITE_BACK:
                freed += self.write_backup(node)
                written.append(node)
            else:
                freed += self._drop(node)
            if all(child.value is None or child in written for child in above(node).children.values()):
                heapq.heappush(leaves, above(node))
        if written:
            self.queue.wait_for_writes()
        for node in written:
            assert node.host is not None, "a node that is written back has room on the host"
            self._demote(node)
        return freed

    def _demote(self, node: Node) -> int:
        """Take a hosted node off the device; return its tokens."""
        slots, node.value = held(node), None
        self.give(slots)
        self.evictable -= len(slots)
        return len(slots)

    def _drop(self, node: Node) -> int:
        """Free the slots of a node that the host has not, and delete it by the base class; return its tokens.

        Q6: that the node has no children, not even evicted ones, is not checked: a device leaf that the host has not has none as long
        as no child is hosted before its parent.
        """
        slots = held(node)
        self.give(slots)
        self._delete_leaf(node)
        return len(slots)

    def evict_host(self, tokens: int) -> int:
        """Evict least recently used nodes that only the host has and that have no children, evicted ones included (Q6).

        A node that is loaded is resident from the issue on, and so is spared; one for which a load is making room is not (F4).
        """
        leaves = [node for node in self.nodes() if not node.children]
        heapq.heapify(leaves)
        freed = 0
        while freed < tokens and leaves:
            node = heapq.heappop(leaves)
            if node.value is not None:
                continue
            slots, parent = hosted(node), above(node)
            self.host_pool.free(slots)
            freed += len(slots)
            del parent.children[next(key for key, child in parent.children.items() if child is node)]
            if not parent.children and parent.value is None:
                heapq.heappush(leaves, parent)
        return freed

    def _device_leaves(self) -> Iterator[Node]:
        """Yield the resident nodes without resident children."""
        stack = [self.root]
        while stack:
            node = stack.pop()
            below = [child for child in node.children.values() if child.value is not None]
            if not below and node is not self.root:
                yield node
            stack += below


def hosted(node: Node) -> list[int]:
    """Return the host slots of a node that has some."""
    assert node.host is not None, f"node {node.name} has no copy on the host"
    return node.host


def _cut(slots: list[int] | None, length: int) -> tuple[list[int] | None, list[int] | None]:
    """Return the first `length` slots and the rest; None twice for None."""
    return (None, None) if slots is None else (slots[:length], slots[length:])
