"""Which leaf goes first: the eviction policies.

A policy gives each node a pair of integers; the evictable leaf with the least pair is evicted first. The second number
is the time of the last access, which no two leaves share (an access gives its tick to one path, and two leaves never
lie on one path), so the order is total and a heap never has to compare two nodes.
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
    "slru": lambda node: (int(node.hits >= 2), node.time),  # what was inserted once goes before what was inserted again
    "priority": lambda node: (node.priority, node.time),  # least important
}


def evictable(node: Node) -> bool:
    """Whether `node` is an unlocked leaf. (A locked node may have unlocked children, never the other way round.)"""
    return node.lock == 0 and not node.children


def evictable_leaves(root: Node) -> list[Node]:
    """Every unlocked leaf below the root. Visits the whole tree."""
    leaves = []
    inner = [root]  # a list of what is left to visit instead of recursion: a chain may be longer than Python's stack
    while inner:
        for node in inner.pop().children.values():
            if node.children:
                inner.append(node)
            elif node.lock == 0:
                leaves.append(node)
    return leaves
