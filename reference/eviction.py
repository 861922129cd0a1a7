"""The eviction policies: which leaf is evicted first.

A policy gives each node a pair of integers; the evictable leaf with the least pair is evicted first. The second number
is the time of the last access, which no two leaves share (an access gives its tick to one path, and no two leaves lie
on one path). So the order is total, and a heap never has to compare two nodes.
"""

from collections.abc import Callable

from radixcheck.reference.node import Node

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
