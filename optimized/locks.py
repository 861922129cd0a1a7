"""Locks that stop at the first protected ancestor, and the sizes that follow from them.

SGLang's `lock_ref` counts all holders of a node and of its descendants. `local_lock_ref` counts the holders of the node alone, and its
protected children; a node is protected if it is not 0. Protected nodes form whole paths, so a lock changes only what lies between its
node and the deepest protected node above: protected nodes and sizes are the same as with `lock_ref` (theorem LOCK-STOP, proved in
`verification/proofs/early_locks.py`).
"""

from bisect import bisect_left
from collections.abc import Sequence

from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.node import Node


def _is_evictable(node: Node) -> bool:
    return not node.local_lock_ref


class Locks:
    """Protected paths below one root. `evictable` and `protected` are the tokens on unprotected and on protected nodes."""

    def __init__(self, root: Node, heap: EvictionHeap) -> None:
        self.root = root
        self.heap = heap
        self.evictable = 0
        self.protected = 0

    def lock_path(self, path: Sequence[Node]) -> None:
        """Add a holder to the node at which `path` ends; the path begins below the root. An empty path: to the root."""
        self.root.local_lock_ref += 1
        self.relock(self.root, path)

    def relock(self, held: Node, path: Sequence[Node]) -> None:
        """Move a holder from `held` to the end of `path`, which begins below `held`."""
        if not path:
            return
        node = path[-1]
        was_candidate = node.is_evictable_leaf()
        first = bisect_left(path, True, key=_is_evictable)  # protected nodes come first on a path (LOCK_NONNEG): bisection
        if first:
            path[first - 1].local_lock_ref += 1
            held.local_lock_ref -= 1
            moved = node.end - path[first - 1].end
        else:
            moved = node.end - held.end  # the child on the path is now counted in place of the holder
        for newly in path[first:]:
            newly.local_lock_ref = 1
        self.evictable -= moved
        self.protected += moved
        if was_candidate:
            self.heap.retire(node)

    def unlock_path(self, node: Node) -> None:
        """Remove a holder from `node`."""
        stop = node
        stop.local_lock_ref -= 1
        while not stop.local_lock_ref and stop.parent is not None:
            stop = stop.parent
            stop.local_lock_ref -= 1
        assert stop.local_lock_ref >= 0, "this node has no holder, or has left the tree"
        moved = node.end - stop.end
        self.protected -= moved
        self.evictable += moved
        if node.is_evictable_leaf():
            self.heap.push(node)
