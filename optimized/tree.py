"""The radix tree: its nodes, and the steps from which every verb is made. `locks` has the steps that protect paths.

Each step that changes the tree is a transition of the specification, with the names of `reference/tree.py`: `split` SPLIT, `touch`,
`count_hit` and `raise_priority` TOUCH, `grow` GROW, `evict_leaf` EVICT, `relock` RELOCK, `lock_path` BEGIN, `unlock_path` RELEASE.

No function recurses, so that a chain may have thousands of nodes (FB-84). A path is a list of nodes from the root down, without the root.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.keys import TOKEN_BYTES, Packed, common_pages
from radixcheck.optimized.locks import Locks
from radixcheck.optimized.node import NO_CHILDREN, ChildKey, Node
from radixcheck.spec.values import Namespace, StaleHandle


class Walk(NamedTuple):
    """How far a key is cached, found without changing anything."""

    path: list[Node]  # from below the start of the walk to the deepest node whose whole segment agrees with the key
    length: int  # tokens matched, from the root
    edge: Node | None  # its child whose segment agrees only in its first tokens
    inside: int  # how many of its tokens agree
    link: ChildKey  # child key of a new node that begins where the walk ended, if a whole page is left


@dataclass(slots=True)
class Trail:
    """The path of the last access. It has all nodes between its ends: a split is part of an access, which makes a new trail."""

    namespace: Namespace = ()
    path: list[Node] = field(default_factory=list)


class NodeTree(Locks):
    """Nodes below one root, their clock, and the order in which they are evicted. `page_size` is in tokens."""

    kind: ClassVar[type[Node]] = Node

    def __init__(self, page_size: int, policy: str, device: torch.device) -> None:
        self.nothing = torch.empty(0, dtype=torch.int64, device=device)
        super().__init__(self.kind(None, b"", b"", self.nothing), EvictionHeap(policy))
        self.now = 0  # ticks once per access
        self._page_bytes = page_size * TOKEN_BYTES
        self._trail = Trail()

    def child_key(self, parent: Node, namespace: Namespace, page: bytes) -> ChildKey:
        """Return the key under which `parent` files a child. Below the root it contains the namespace, a tuple (FB-66, FB-68)."""
        return (namespace, page) if parent is self.root else page

    def walk(self, namespace: Namespace, data: Packed) -> Walk:
        """Follow `data` from the root, first along the path of the last access, as far as it agrees; changes nothing.

        A tail of less than a page finds nothing, because nodes have whole pages. Every prefix of a cached key is cached, so a longest match
        can be resumed at any of them (theorem RESUME).
        """
        path = self._followed(namespace, data)
        start = path[-1] if path else self.root
        return self.walk_from(start, namespace, data, path)

    def _followed(self, namespace: Namespace, data: Packed) -> list[Node]:
        """Return the nodes of the trail that agree with `data`, down to the first that has left the tree."""
        path: list[Node] = []
        trail, above, at = self._trail, self.root, 0
        if trail.namespace == namespace:
            for node in trail.path:
                segment = node.segment
                if node.parent is not above or not data.startswith(segment, at):
                    break
                path.append(node)
                at += len(segment)
                above = node
        return path

    def walk_from(self, start: Node, namespace: Namespace, data: Packed, path: list[Node]) -> Walk:
        """Follow `data` from `start`, whose prefix agrees with it; add the nodes below that agree to `path`."""
        width, append, at = self._page_bytes, path.append, start.end * TOKEN_BYTES
        link = self.child_key(start, namespace, bytes(data[at : at + width]))
        child = start.children.get(link)
        while child is not None:
            segment = child.segment
            if not data.startswith(segment, at):
                inside = common_pages(segment, data, at, width) * width
                end = at + inside  # the parent is not the root, so that the link is a page alone
                return Walk(path, end // TOKEN_BYTES, child, inside // TOKEN_BYTES, bytes(data[end : end + width]))
            append(child)
            at += len(segment)
            link = bytes(data[at : at + width])
            child = child.children.get(link)
        return Walk(path, at // TOKEN_BYTES, None, 0, link)

    def split(self, walk: Walk) -> list[Node]:
        """Return the path that ends exactly where the walk ended. Splits the edge if the walk ended inside one."""
        path, _, edge, inside, _ = walk
        if edge is not None:
            path.append(self._split_node(edge, inside))
        return path

    def path_to(self, node: Node) -> list[Node]:
        """Return the path from below the root to `node`. Raises StaleHandle unless that is the root, or has a parent in this tree."""
        trail = self._trail.path
        if trail and trail[-1] is node:
            return trail
        path = []
        while (parent := node.parent) is not None:
            path.append(node)
            node = parent
        if node is not self.root:
            raise StaleHandle("this node has left the tree, or is of another cache")
        path.reverse()
        return path

    def _split_node(self, lower: Node, size: int) -> Node:
        """Cut the first `size` tokens off `lower` into a new parent (SGLang: `_split_node`); return that parent.

        `lower` keeps its identity, its end and its entry: a handle names the end of a prefix. The halves are copies: a view would keep
        the whole storage alive as long as one of them. The holders of `lower` do not hold the new node: if there are any, its
        `local_lock_ref` counts its one protected child.
        """
        assert 0 < size < lower.size
        parent, cut = lower.parent, size * TOKEN_BYTES
        assert parent is not None
        upper = self.kind(parent, lower.child_key, lower.segment[:cut], self.nothing)
        upper.local_lock_ref, upper.time, upper.creation = int(lower.local_lock_ref != 0), lower.time, lower.creation
        upper.hits, upper.priority = lower.hits, lower.priority
        lower.segment = lower.segment[cut:]
        lower.size -= size
        self._divide(upper, lower)
        lower.parent = upper
        lower.child_key = lower.segment[: self._page_bytes]
        upper.adopt(lower)
        parent.adopt(upper)
        return upper

    def _divide(self, upper: Node, lower: Node) -> None:
        """Divide the slots of a node that is split: its first ones go to `upper`."""
        whole = lower.slots
        upper.slots, lower.slots = whole.narrow_copy(0, 0, upper.size), whole.narrow_copy(0, upper.size, lower.size)

    def touch(self, namespace: Namespace, path: list[Node]) -> None:
        """Count one access to a path: one tick of the clock for all of its nodes. The path becomes the trail of the next walk."""
        self.now = now = self.now + 1
        for node in path:
            node.time = now
        if self.heap.shrinks and path:
            self._refresh(path)
        trail = self._trail
        trail.namespace, trail.path = namespace, path

    def _refresh(self, path: list[Node]) -> None:
        """Refresh the entry of the candidate on a path whose keys have become smaller."""
        self.heap.refresh(path[-1])

    def count_hit(self, path: Sequence[Node]) -> None:
        """Count one hit on each node of a path."""
        for node in path:
            node.hits += 1

    def raise_priority(self, path: Sequence[Node], priority: int) -> None:
        """Raise the priority of each node of a path to `priority`, at least. If a node has it, all above have it (ATTRIBUTE_MONO)."""
        for node in reversed(path):
            if node.priority >= priority:
                break
            node.priority = priority

    def store(self, path: list[Node], link: ChildKey, segment: bytes, slots: Tensor, hits: int, priority: int, holders: int) -> None:
        """Cache the end of a key behind `path`, which has just been touched: add the leaf to the tree, and to the path.

        `holders` is 1 if the request that holds the end of the path is to hold the leaf instead.
        """
        parent = path[-1] if path else self.root
        leaf = self.kind(parent, link, segment, slots)
        leaf.hits, leaf.priority, leaf.local_lock_ref = hits, priority, holders
        self.grow(parent, leaf)
        path.append(leaf)

    def grow(self, parent: Node, leaf: Node) -> None:
        """Add a new leaf below `parent`, created by the access that has just touched `parent`.

        Its hits, priority and `local_lock_ref` must be set: a leaf that its request holds must never be in the tree unlocked.
        """
        assert leaf.child_key not in parent.children
        assert leaf.parent is parent
        was_candidate = parent.is_evictable_leaf()
        parent.adopt(leaf)
        leaf.time = leaf.creation = self.now
        if was_candidate:
            self.heap.retire(parent)
        if leaf.local_lock_ref:
            self.protected += leaf.size
        else:
            self.evictable += leaf.size
            self.heap.push(leaf)

    def evict_leaf(self, leaf: Node) -> None:
        """Remove a victim from the tree; a parent that becomes an evictable leaf is a candidate at once."""
        parent = leaf.parent
        assert parent is not None
        assert not leaf.children
        removed = parent.children.pop(leaf.child_key)
        assert removed is leaf, "another node is filed under its child key (FB-03)"
        leaf.parent = None
        self.evictable -= leaf.size
        if parent.is_evictable_leaf():
            self.heap.push(parent)

    def device_length(self, walk: Walk) -> int:
        """Return how many tokens of a walk have slots on the device: all, without a host tier."""
        return walk.length

    def evictable_tokens(self, walk: Walk) -> int:
        """Return the tokens of a walk from the root that no lock protects now, and that a lock of its path would protect."""
        locked = next((node.end for node in reversed(walk.path) if node.local_lock_ref), 0)  # all nodes above a protected one are protected
        on_edge = walk.inside if walk.edge is not None and not walk.edge.local_lock_ref else 0
        return walk.length - walk.inside - locked + on_edge

    def pieces(self, path: Sequence[Node]) -> list[Tensor]:
        """Return the slots of a path, node by node, for `joined`; later splits and evictions do not change them."""
        return [node.slots for node in path] or [self.nothing]

    def clear(self) -> list[Tensor]:
        """Detach every node, so that each handle is stale; return their slots. Nothing may be locked."""
        assert self.protected == 0
        slots = []
        nodes = list(self.root.children.values())
        self.root.children = NO_CHILDREN
        while nodes:
            node = nodes.pop()
            slots.append(node.slots)
            nodes.extend(node.children.values())
            node.parent, node.children = None, NO_CHILDREN
        self.heap.clear()
        self.evictable, self._trail = 0, Trail()
        return slots
