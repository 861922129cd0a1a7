"""Our cache with choices of SGLang's caches that are not ours: if it agrees with SGLang's where ours does not, they explain the difference.

A split is there an access of the half that is not used, just before that of the call (L5). In the classic cache the other half counts as
created by the split; in the unified one, as in ours, it was created with the whole node.
"""

from radixcheck.optimized.integrations.sglang_cache import SGLangCache
from radixcheck.optimized.node import Node
from radixcheck.optimized.tree import NodeTree, Walk


class RefreshingTree(NodeTree):
    """Refreshes the half of a split node that was not used (L5)."""

    def split(self, walk: Walk) -> list[Node]:
        """Split, and count one access of the half that was not used."""
        path, unused = super().split(walk), walk.edge
        if unused is not None:
            self.now = unused.time = self.now + 1
            if self.heap.shrinks:
                self.heap.refresh(unused)
        return path


class CreatingTree(RefreshingTree):
    """Also counts the other half as created by the split."""

    def split(self, walk: Walk) -> list[Node]:
        """Split, and set the creation of the upper half."""
        path = super().split(walk)
        if walk.edge is not None:
            path[-1].creation = self.now
        return path


class UnifiedImitation(SGLangCache):
    """Our cache with the choices of SGLang's unified cache."""

    tree_kind = RefreshingTree


class Imitation(SGLangCache):
    """Our cache with the choices of SGLang's classic cache."""

    tree_kind = CreatingTree
