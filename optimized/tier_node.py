"""A node of a tree with two tiers, and a copy between the tiers.

A node is in the tree while a tier has slots for it. What is above a node on the device is on the device too, so that the nodes of a path
which only the host has are its last ones.
"""

from dataclasses import dataclass

from torch import Tensor

from radixcheck.optimized.node import ChildKey, Node
from radixcheck.spec.values import Ticket


class TieredNode(Node):
    """A node with slots on the device (`resident`), on the host (`host` is not None), or on both.

    It is never a candidate of both tiers (theorem DISJOINT), so that one entry serves the heaps of both: it belongs to the heap of the
    device while the node is resident, to that of the host otherwise.
    """

    __slots__ = ("filling", "host", "resident", "resident_children")

    parent: "TieredNode | None"

    def __init__(self, parent: Node | None, child_key: ChildKey, segment: bytes, slots: Tensor) -> None:
        super().__init__(parent, child_key, segment, slots)
        self.resident = True  # the device has it; if not, `slots` is empty
        self.host: Tensor | None = None  # its slots on the host: int64, one dimension, on the CPU, with a storage of its own
        self.resident_children = 0
        self.filling: TierCopy | None = None  # the load that reads `host` and fills `slots`

    def adopt(self, child: Node) -> None:
        """File a child under its child key, in the place of the one that it was split from, if there is one."""
        assert isinstance(child, TieredNode), "all nodes of a tree are of one class"
        if child.resident and child.child_key not in self.children:
            self.resident_children += 1
        super().adopt(child)

    def is_evictable_leaf(self) -> bool:
        """Return whether it may leave the device now, if it is there; else whether it may leave the host, and so the tree."""
        if self.resident:
            return not self.local_lock_ref and not self.resident_children and self.parent is not None
        return not self.children and self.filling is None and self.parent is not None


@dataclass(slots=True, eq=False)
class TierCopy:
    """A copy in flight of the nodes behind `floor` and up to `end`. It holds the path to `end`, as a request does.

    A node that is split meanwhile becomes two nodes that lie between the same two.
    """

    up: bool  # a load, from the host to the device; else a backup
    floor: TieredNode
    end: TieredNode
    sources: Tensor
    targets: Tensor
    ticket: Ticket | None = None  # None until it is issued

    def nodes(self) -> list[TieredNode]:
        """Return the nodes that it copies, from the end upwards."""
        nodes, node = [], self.end
        while node is not self.floor:
            nodes.append(node)
            assert node.parent is not None, "`floor` is above `end`"
            node = node.parent
        return nodes
