"""Small inputs built from integers: plain numbers, and plain containers whose elements are symbolic.

The symbolic lists and tuples of CrossHair are not used, because it refutes true equalities of their slices. In a plain tuple of
symbolic integers every comparison is a comparison of elements.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch

from radixcheck.optimized.node import Node as FastNode
from radixcheck.optimized.tree import NodeTree as FastTree
from radixcheck.reference.node import Node
from radixcheck.reference.tree import NodeTree


def chosen(n: int, values: Iterable[int]) -> int:
    """Return the value that equals `n`, as a plain number. CrossHair explores a path for each value."""
    for value in values:
        if n == value:
            return value
    raise AssertionError("the bounds of the contract are wider than the values")


class Packed(tuple[int, ...]):
    """Stands for packed tokens, one element per token: it has the length, slices and `startswith` of `bytes`, but unbounded integers."""

    def __getitem__(self, at: Any) -> Any:
        found = super().__getitem__(at)
        return Packed(found) if isinstance(at, slice) else found

    def startswith(self, part: "Packed", at: int) -> bool:
        """Return whether `part` is at `at`, as for bytes."""
        return tuple(self[at : at + len(part)]) == tuple(part)


class Extent:
    """Stands for a segment or its slots where only their number matters. The number may be symbolic."""

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        return self.size

    def numel(self) -> int:
        """Return the number of elements, as a tensor does."""
        return self.size


class Cloned(tuple[int, ...]):
    """Stands for a tensor of slots with `narrow_copy`."""

    def numel(self) -> int:
        """Return the number of elements, as a tensor does."""
        return len(self)

    def narrow_copy(self, dimension: int, start: int, length: int) -> "Cloned":
        """Return `length` elements from `start` on."""
        return Cloned(self[start : start + length])


CPU = torch.device("cpu")
NODES = 3


@dataclass(frozen=True, slots=True)
class Shape:
    """The parent, lock count and size in tokens of each node except the root."""

    parents: tuple[int, ...]
    locks: tuple[int, ...]  # of the optimized tree: the holders of exactly this node
    sizes: tuple[int, ...]

    def path(self, at: int) -> set[int]:
        """Return the nodes from `at` up to the root, without the root."""
        found = set()
        while at:
            found.add(at)
            at = self.parents[at - 1]
        return found

    def local_lock_refs(self) -> tuple[int, ...]:
        """Return the count of each node of the optimized tree: its holders and its protected children."""
        counts = list(self.locks)
        for i in reversed(range(NODES)):
            parent = self.parents[i]
            if parent and counts[i] > 0:
                counts[parent - 1] += 1
        return tuple(counts)

    def whole_paths(self) -> "Shape":
        """Return the tree whose lock counts are those of the reference: the holders of a node and of all nodes below it."""
        locks = tuple(sum(lock for i, lock in enumerate(self.locks, 1) if at in self.path(i)) for at in (1, 2, 3))
        return Shape(self.parents, locks, self.sizes)

    def held(self, at: int) -> "Shape":
        """Return the tree with one more holder of node `at`."""
        return Shape(self.parents, tuple(lock + (i == at) for i, lock in enumerate(self.locks, 1)), self.sizes)


def shape_of(under_b: int, under_c: int, locks: tuple[int, ...], sizes: tuple[int, ...]) -> Shape:
    """Return the tree in which node 1 is below the root, and nodes 2 and 3 are below these."""
    return Shape((0, chosen(under_b, range(2)), chosen(under_c, range(3))), locks, sizes)


def reference_nodes(shape: Shape, tree: NodeTree) -> list[Node]:
    """Build the shape below the root of a tree of the reference. Return its nodes, the root first."""
    nodes = [tree.root]
    for i, parent in enumerate(shape.parents):
        segment: Any = Extent(shape.sizes[i])
        node = Node(nodes[parent], (i,), segment, segment)
        node.lock = shape.locks[i]
        nodes[parent].children[node.child_key] = node
        nodes.append(node)
    return nodes


def fast_nodes(shape: Shape, tree: FastTree) -> list[FastNode]:
    """Build the shape below the root of an optimized tree, and count its evictable leaves. Return its nodes, the root first."""
    nodes, counts = [tree.root], shape.local_lock_refs()
    for i, parent in enumerate(shape.parents):
        slots: Any = Extent(shape.sizes[i])
        node = FastNode(nodes[parent], bytes([i]), b"", slots)
        node.local_lock_ref = counts[i]
        nodes[parent].adopt(node)
        nodes.append(node)
    tree.heap.leaf_count = sum(node.is_evictable_leaf() for node in nodes)
    return nodes
