"""How the tree of our own backend is read.

A lock count of this tree counts the holders of a node alone, and its children that have one: a node is protected if it is not 0.
"""

from array import array
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from radixcheck.optimized.keys import TOKEN_BYTES
from radixcheck.spec.values import Namespace
from radixcheck.verification.watch.engine_view import EngineView
from radixcheck.verification.watch.tree_view import NodeKey, Removal


class OurView(EngineView):
    """`SGLangCache`. Handles are nodes."""

    cache_name = "radixcheck"

    def __init__(self, cache: Any) -> None:
        super().__init__(cache)
        self.policy = cache.policy
        self._page_bytes = self.page_size * TOKEN_BYTES

    @property
    def root(self) -> Any:
        """The root of now: a reset makes another tree."""
        return self.cache.tree.root

    @property
    def removal(self) -> Removal:
        """Where nodes leave the tree of now."""
        return Removal(self.cache.tree, "evict_leaf")

    def node(self, handle: Any) -> Any:
        """Return the handle."""
        return handle

    def filed(self, node: Any) -> Any | None:
        """Return what its parent has under the child key of its segment."""
        return self._child(node.parent, self.namespace(node), node.segment[: self._page_bytes])

    def below(self, node: Any, namespace: Namespace, rest: Sequence[int]) -> Any | None:
        """Return the child that the next page of a key leads to."""
        if len(rest) < self.page_size:
            return None
        return self._child(node, namespace, array("q", rest[: self.page_size]).tobytes())

    def _child(self, node: Any, namespace: Namespace, page: bytes) -> Any | None:
        return node.children.get(self.cache.tree.child_key(node, namespace, page))

    def size(self, node: Any) -> int:
        """Return the tokens of its segment."""
        size: int = node.size
        return size

    def tokens(self, node: Any) -> Sequence[int]:
        """Return its segment."""
        return array("q", node.segment)

    def namespace(self, node: Any) -> Namespace:
        """Return the namespace of its key, which only the child of the root above it has."""
        while node.parent is not None and node.parent.parent is not None:
            node = node.parent
        namespace: Namespace = node.child_key[0]
        return namespace

    def slots(self, node: Any) -> Tensor:
        """Return its slots."""
        slots: Tensor = node.slots
        return slots

    def locks(self, node: Any) -> int:
        """Return its lock count."""
        count: int = node.local_lock_ref
        return count

    def weight(self, locks: int) -> int:
        """Return how much a child with this lock count adds to that of its parent: 1, or nothing."""
        return int(locks != 0)

    def time(self, node: Any) -> float:
        """Return the tick of its last access."""
        tick: int = node.time
        return tick

    def order(self, node: Any) -> NodeKey:
        """Return the key of the policy."""
        key: NodeKey = self.cache.tree.heap.key(node)
        return key

    def is_candidate(self, node: Any) -> bool:
        """Return whether it is a leaf that may be evicted, and has an entry in the heap."""
        return node.entry is not None and bool(node.is_evictable_leaf())
