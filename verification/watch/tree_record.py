"""What the watch knows of one node. It stays when the node leaves the tree, so that the key of a node that is gone can still be named."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from radixcheck.verification.watch.tree_view import NodeKey


class Record:
    """One node. Its end does not change: a split puts a new node above it."""

    __slots__ = (
        *("at", "below", "born", "children", "holders", "left", "locks"),
        *("node", "order", "parent", "size", "slots", "time", "visited"),
    )

    def __init__(self, node: Any, born: int, slots: Tensor) -> None:
        self.node = node  # of the cache
        self.born = born  # number of the call in which it was seen first
        self.left = 0  # number of the call in which it left the tree; 0: it is in the tree
        self.parent: Record | None = None  # None: the root's record has none
        self.slots = slots  # a copy
        self.size = len(slots)  # tokens
        self.locks = 0  # its lock count, when it was last seen
        self.holders = 0  # live locks of this node alone
        self.below = 0  # what its children add to its lock count
        self.children = 0
        self.time = 0.0  # of the last access, when it was last seen
        self.order: NodeKey = ()  # what the policy compares, when it was last seen
        self.at = 0  # its place in the window
        self.visited = 0  # number of the last call whose path it was on

    def upwards(self) -> Iterator["Record"]:
        """Yield the records from this one to below the root."""
        record = self
        while record.parent is not None:
            yield record
            record = record.parent

    def path(self) -> list["Record"]:
        """Return the records from below the root to this one."""
        return [*self.upwards()][::-1]

    @property
    def end(self) -> int:
        """Tokens from the root to its end."""
        return sum(record.size for record in self.upwards())

    def __str__(self) -> str:
        return f"the node of {self.size} tokens that ends at {self.end}"
