"""The eviction policies: which leaf is evicted first.

A policy gives each node a pair of integers; the evictable leaf with the least pair is evicted first. The second number
is the time of the last access, which no two leaves share (an access gives its tick to one path, and no two leaves lie
on one path). So the order is total, and a heap never has to compare two nodes.
"""

from collections.abc import Callable, Iterable
from heapq import heapify, heappop, heappush

from radixcheck.reference.node import AnyNode, Node

EvictionKey = tuple[int, int]

POLICIES: dict[str, Callable[[Node], EvictionKey]] = {
    "lru": lambda node: (node.time, node.time),  # least recently used
    "lfu": lambda node: (node.hits, node.time),  # least frequently inserted
    "fifo": lambda node: (node.creation, node.time),  # first in, first out
    "filo": lambda node: (-node.creation, node.time),  # first in, last out
    "mru": lambda node: (-node.time, node.time),  # most recently used
    "slru": lambda node: (int(node.hits >= 2), node.time),  # a node inserted once goes before one inserted again
    "priority": lambda node: (node.priority, node.time),  # least important
}


def is_evictable_leaf(node: Node) -> bool:
    """Return whether `node` is an unlocked leaf. (A locked node may have unlocked children, never the other way round.)"""
    return node.lock == 0 and not node.children


def evictable_leaves(root: Node) -> list[Node]:
    """Return every unlocked leaf below the root. Visits the whole tree."""
    leaves = []
    inner = [root]  # a list of what is left to visit instead of recursion: a chain may be longer than Python's stack
    while inner:
        for node in inner.pop().children.values():
            if node.children:
                inner.append(node)
            elif node.lock == 0:
                leaves.append(node)
    return leaves


def evict_least(
    tokens: int,
    leaves: Iterable[AnyNode],
    is_leaf: Callable[[AnyNode], bool],
    key: Callable[[AnyNode], EvictionKey],
    evict: Callable[[AnyNode], object],
) -> int:
    """Evict the least leaves until `tokens` are freed or none is left; return the tokens freed.

    A parent that becomes a leaf is a candidate from then on. Costs a logarithm of the number of leaves for each victim.
    """
    candidates = [(key(leaf), leaf) for leaf in leaves]
    heapify(candidates)
    freed = 0
    while freed < tokens and candidates:
        leaf = heappop(candidates)[1]
        parent = leaf.parent
        assert parent is not None, "the root is never evicted"
        evict(leaf)
        freed += len(leaf.segment)
        if parent.parent is not None and is_leaf(parent):
            heappush(candidates, (key(parent), parent))
    return freed
