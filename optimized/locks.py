"""Locks that stop at the first protected ancestor, and the sizes that follow from them.

`local_lock_ref` counts the holders of just this node and its children that are protected; a node is protected where it is not 0. Protection
covers whole paths, so a lock changes what lies between its node and the deepest protected node above, and nothing else: protected
sets and sizes are those of locks that count on the whole path (theorem LOCK-STOP; `verification/proofs/early_locks.py` has the machine).
"""

from bisect import bisect_left
from collections.abc import Sequence

from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.node import Node


def _is_evictable(node: Node) -> bool:
    return not node.local_lock_ref


class Locks:
    """`evictable` and `protected` are the tokens on nodes that are not, and that are, protected. The root holds none."""

    def __init__(self, root: Node, heap: EvictionHeap) -> None:
        self.root = root
        self.heap = heap
        self.evictable = 0
        self.protected = 0

    def lock_path(self, path: Sequence[Node]) -> None:
        """One more holder of the node at which a path from below the root ends; of the root, if the path is empty."""
        self.root.local_lock_ref += 1
        self.relock(self.root, path)

    def relock(self, held: Node, path: Sequence[Node]) -> None:
        """A holder of `held` comes to hold the end of `path` instead, which leads there from below `held`."""
        if not path:
            return
        node = path[-1]
        was_candidate = node.is_evictable_leaf()
        first = bisect_left(path, True, key=_is_evictable)  # protection ends once on a path (LOCK_NONNEG): bisection finds where
        if first:
            path[first - 1].local_lock_ref += 1
            held.local_lock_ref -= 1
            moved = node.end - path[first - 1].end
        else:
            moved = node.end - held.end  # its child on the path counts in the holder's place
        for newly in path[first:]:
            newly.local_lock_ref = 1
        self.evictable -= moved
        self.protected += moved
        if was_candidate:
            self.heap.retire(node)

    def unlock_path(self, node: Node) -> None:
        """One holder of `node` less."""
        stop = node
        stop.local_lock_ref -= 1
        while not stop.local_lock_ref and stop.parent is not None:
            stop = stop.parent
            stop.local_lock_ref -= 1
        assert stop.local_lock_ref >= 0, "nobody has locked this node, or it has left the tree"
        moved = node.end - stop.end
        self.protected -= moved
        self.evictable += moved
        if node.is_evictable_leaf():
            self.heap.push(node)
