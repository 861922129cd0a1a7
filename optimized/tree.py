"""The radix tree: segments, locks, sizes and the order of eviction. It knows no pool and no request.

Every function walks in loops: a chain of thousands of nodes is no deeper than one of two (FB-84).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.keys import TOKEN_BYTES, common_pages
from radixcheck.optimized.node import ChildKey, Node
from radixcheck.spec.values import Namespace


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a key is cached, found without changing anything."""

    node: Node  # the deepest one that lies wholly on the key
    length: int  # tokens matched, from where the walk began
    edge: Node | None  # the child of `node` that only begins on the key
    inside: int  # those of `length` that lie on `edge`


class Tree:
    """Nodes below one root. `evictable` and `protected` are the tokens on nodes without and with a lock."""

    def __init__(self, page_size: int, policy: str, device: torch.device) -> None:
        self.nothing = torch.empty(0, dtype=torch.int64, device=device)
        self.root = Node(None, b"", b"", self.nothing)
        self.heap = EvictionHeap(policy)
        self.now = 0  # ticks once per access
        self.evictable = 0
        self.protected = 0
        self._page_bytes = page_size * TOKEN_BYTES

    def child_key(self, parent: Node, namespace: Namespace, page: bytes) -> ChildKey:
        """Under what `parent` files a child: the namespace is a part of the first link, a tuple (FB-66, FB-68)."""
        return (namespace, page) if parent is self.root else page

    def walk(self, start: Node, namespace: Namespace, data: bytes) -> Walk:
        """Follow `data`, whole pages, from `start`: any node on the key will do, as the cached set is prefix-closed."""
        node, at, width = start, 0, self._page_bytes
        link = self.child_key(start, namespace, data[:width])
        while at < len(data) and (child := node.children.get(link)) is not None:
            if not data.startswith(child.segment, at):
                inside = common_pages(child.segment, data, at, width) * width
                return Walk(node, (at + inside) // TOKEN_BYTES, child, inside // TOKEN_BYTES)
            node = child
            at += len(child.segment)
            link = data[at : at + width]
        return Walk(node, at // TOKEN_BYTES, None, 0)

    def settle(self, walk: Walk) -> Node:
        """The node that ends where the walk did; splits the edge in which it ended."""
        return walk.node if walk.edge is None else self._split(walk.edge, walk.inside)

    def _split(self, lower: Node, size: int) -> Node:
        """Cut the first `size` tokens off `lower` into a new parent.

        `lower` keeps its identity, its end and its entry: handles name the prefix at which a node ends. The halves are
        copies: a view would keep the whole storage alive for as long as one of them lives.
        """
        assert 0 < size < lower.size
        parent, cut = lower.parent, size * TOKEN_BYTES
        assert parent is not None
        upper = Node(parent, lower.child_key, lower.segment[:cut], lower.slots[:size].clone())
        upper.lock, upper.time, upper.creation = lower.lock, lower.time, lower.creation
        upper.hits, upper.priority = lower.hits, lower.priority
        lower.segment, lower.slots = lower.segment[cut:], lower.slots[size:].clone()
        lower.size -= size
        lower.parent = upper
        lower.child_key = lower.segment[: self._page_bytes]
        upper.children[lower.child_key] = lower
        parent.children[upper.child_key] = upper
        return upper

    def touch(self, node: Node, hit: int, priority: int) -> None:
        """One access to the path that ends at `node`: one tick, `hit` hits, at least this priority, on all of it."""
        assert hit in (0, 1)
        self.now += 1
        on_path = node
        while (parent := on_path.parent) is not None:
            on_path.time = self.now
            on_path.hits += hit
            on_path.priority = max(on_path.priority, priority)
            on_path = parent
        assert on_path is self.root, "the node has left the tree"
        self.heap.refresh(node)

    def graft(self, parent: Node, leaf: Node) -> None:
        """File a new leaf below `parent`, created by the access that has just touched `parent`.

        Its hits, priority and lock are set already: a leaf whose request holds it must never be seen unlocked.
        """
        assert leaf.child_key not in parent.children
        assert leaf.parent is parent
        was_candidate = parent.is_evictable_leaf()
        parent.children[leaf.child_key] = leaf
        leaf.time = leaf.creation = self.now
        if was_candidate:
            self.heap.retire(parent)
        if leaf.lock:
            self.protected += leaf.size
        else:
            self.evictable += leaf.size
            self.heap.push(leaf)

    def prune(self, leaf: Node) -> None:
        """Take a victim out of the tree; a parent that is left an unlocked leaf is a candidate at once."""
        parent = leaf.parent
        assert parent is not None
        assert leaf.is_evictable_leaf()
        removed = parent.children.pop(leaf.child_key)
        assert removed is leaf, "a node was filed under the key of another (FB-03)"
        leaf.parent = None
        self.evictable -= leaf.size
        if parent.is_evictable_leaf():
            self.heap.push(parent)

    def hold(self, node: Node, above: Node) -> None:
        """One more lock on each node from `node` up to, without, its ancestor `above`."""
        was_candidate = node.is_evictable_leaf() and node is not above
        on_path = node
        while on_path is not above:
            if not on_path.lock:
                self.evictable -= on_path.size
                self.protected += on_path.size
            on_path.lock += 1
            assert on_path.parent is not None, "above is no ancestor"
            on_path = on_path.parent
        if was_candidate:
            self.heap.retire(node)

    def release(self, node: Node) -> None:
        """One lock less on each node from `node` up to the root."""
        on_path = node
        while (parent := on_path.parent) is not None:
            assert on_path.lock > 0
            on_path.lock -= 1
            if not on_path.lock:
                self.protected -= on_path.size
                self.evictable += on_path.size
            on_path = parent
        assert on_path is self.root, "a locked node has left the tree"
        if node.is_evictable_leaf():
            self.heap.push(node)

    def slots_between(self, above: Node, node: Node) -> Tensor:
        """A copy of the slots on the path from below `above` down to `node`, in order."""
        pieces = []
        while node is not above:
            pieces.append(node.slots)
            assert node.parent is not None, "above is no ancestor"
            node = node.parent
        pieces.reverse()
        return torch.cat(pieces) if pieces else self.nothing.clone()

    def unlocked_on(self, walk: Walk) -> int:
        """Tokens on the walk's path that are evictable now and will not be once it is locked."""
        tokens = walk.inside if walk.edge is not None and not walk.edge.lock else 0
        node = walk.node
        # Locks cover whole paths: above the first locked node all are locked.
        while not node.lock and node.parent is not None:
            tokens += node.size
            node = node.parent
        return tokens

    def clear(self) -> list[Tensor]:
        """Detach every node, so that each handle is stale; returns their slots. Nothing may be locked."""
        assert self.protected == 0
        slots = []
        nodes = list(self.root.children.values())
        self.root.children = {}
        while nodes:
            node = nodes.pop()
            slots.append(node.slots)
            nodes.extend(node.children.values())
            node.parent, node.children = None, {}
        self.heap.clear()
        self.evictable = 0
        return slots
