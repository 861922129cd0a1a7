"""The nodes of a tree with two tiers, and which of them may leave a tier.

A node is in the tree while a tier has slots for it. (1,2) is on both tiers, (3,4) on the device alone, (7,8) on the host alone:

    root --> A  segment (1,2)  slots [0,1]  host [4,5]
             |--> B  segment (3,4)  slots [2,3]  host []
             `--> C  segment (7,8)  slots []     host [6,7]

What is above a node on the device is on the device too, so the device's part of a path is its upper part.
"""

from radixcheck.reference.node import ChildKey, Node, Page


class TieredNode(Node):
    """A node with slots on the device, on the host, or on both: `slots` and `host` are empty where a tier does not have it."""

    __slots__ = ("host", "pins")

    def __init__(self, parent: "TieredNode | None", child_key: ChildKey, segment: Page, slots: list[int]) -> None:
        super().__init__(parent, child_key, segment, slots)
        self.host: list[int] = []  # one for each token of the segment, or empty
        self.pins = 0  # how many loads read `host` (SGLang: `host_lock_ref`); on the device only a load in flight pins

    @property
    def is_resident(self) -> bool:
        """Whether the device has it: true of the root, which needs no slots."""
        return len(self.slots) == len(self.segment)

    @property
    def is_hosted(self) -> bool:
        """Whether the host has it, at the latest when its backup arrives: true of the root, which needs no slots."""
        return len(self.host) == len(self.segment)


def is_device_leaf(node: TieredNode) -> bool:
    """Return whether `node` may leave the device: it is there, unlocked, and what is cached behind it is not there."""
    return node.is_resident and node.lock == 0 and not any(child.is_resident for child in node.children.values())


def is_host_leaf(node: TieredNode) -> bool:
    """Return whether `node` may leave the host, and so the tree: only the host has it, nothing is cached behind it, no load reads it."""
    return not node.is_resident and not node.children and node.pins == 0


def to_tiered(node: Node) -> TieredNode:
    """Return a node of a tree with two tiers as what it is."""
    assert isinstance(node, TieredNode), "all nodes of a tree are of the root's class"
    return node


def deepest_resident(node: TieredNode) -> TieredNode:
    """Return the last node of the path to `node` that the device has, or the root."""
    while not node.is_resident:
        assert node.parent is not None, "the root is resident"
        node = node.parent
    return node


def absent(node: TieredNode) -> list[TieredNode]:
    """Return the nodes of the path to `node` that only the host has, from the root down."""
    return between(deepest_resident(node), node)


def between(floor: TieredNode, end: TieredNode) -> list[TieredNode]:
    """Return the nodes of the path behind `floor` and up to `end`, from the root down."""
    nodes = []
    while end is not floor:
        nodes.append(end)
        assert end.parent is not None, "`floor` is above `end`"
        end = end.parent
    return nodes[::-1]


def tokens_of(nodes: list[TieredNode]) -> int:
    """Return the number of tokens of these nodes."""
    return sum(len(node.segment) for node in nodes)
