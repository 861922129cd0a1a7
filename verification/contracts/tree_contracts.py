"""Contracts on locks, sizes, splits and leaves, on trees of three nodes given as parents, locks and sizes.

Node 0 is the root. Node i hangs below a node of a smaller number, so that every tree of three nodes and a root is among them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from radixcheck.optimized.node import Node as FastNode
from radixcheck.optimized.tree import NodeTree as FastTree
from radixcheck.optimized.tree import Walk as FastWalk
from radixcheck.reference.node import Node
from radixcheck.reference.tree import NodeTree, Walk
from radixcheck.verification.contracts.contract import Contract
from radixcheck.verification.contracts.small import Extent, chosen

CPU = torch.device("cpu")
NODES = 3


@dataclass(frozen=True, slots=True)
class Shape:
    """A tree: of each node but the root its parent, lock and size in tokens."""

    parents: tuple[int, ...]
    locks: tuple[int, ...]  # of the optimized tree: holders of just this node
    sizes: tuple[int, ...]

    def path(self, at: int) -> set[int]:
        """The nodes from `at` up to the root, the root left out."""
        found = set()
        while at:
            found.add(at)
            at = self.parents[at - 1]
        return found

    def marks(self) -> tuple[int, ...]:
        """What each node of the optimized tree counts: its holders, and its children that are protected."""
        marks = list(self.locks)
        for i in reversed(range(NODES)):
            parent = self.parents[i]
            if parent and marks[i] > 0:
                marks[parent - 1] += 1
        return tuple(marks)

    def whole_paths(self) -> "Shape":
        """The same tree, of whose locks each counts the holders of its node and of all nodes below it."""
        return Shape(
            self.parents, tuple(sum(lock for i, lock in enumerate(self.locks, 1) if at in self.path(i)) for at in (1, 2, 3)), self.sizes
        )

    def held(self, at: int) -> "Shape":
        """The same with one holder more of this node; 0: of the root."""
        return Shape(self.parents, tuple(lock + (i == at) for i, lock in enumerate(self.locks, 1)), self.sizes)


@dataclass(frozen=True, slots=True)
class Moved:
    """What an operation on locks has changed."""

    locks: tuple[int, ...]  # afterwards
    evictable: int  # tokens more than before
    protected: int


def shape_of(under_b: int, under_c: int, locks: tuple[int, ...], sizes: tuple[int, ...]) -> Shape:
    """The tree in which b and c hang below these."""
    return Shape((0, chosen(under_b, range(2)), chosen(under_c, range(3))), locks, sizes)


def reference_nodes(shape: Shape, tree: NodeTree) -> list[Node]:
    """The shape as nodes of the reference below the root of `tree`; the root first."""
    nodes = [tree.root]
    for i, parent in enumerate(shape.parents):
        segment: Any = Extent(shape.sizes[i])
        node = Node(nodes[parent], (i,), segment, segment)
        node.lock = shape.locks[i]
        nodes[parent].children[node.child_key] = node
        nodes.append(node)
    return nodes


def fast_nodes(shape: Shape, tree: FastTree) -> list[FastNode]:
    """The shape as nodes of the optimized tree; its heap counts their evictable leaves."""
    nodes, marks = [tree.root], shape.marks()
    for i, parent in enumerate(shape.parents):
        slots: Any = Extent(shape.sizes[i])
        node = FastNode(nodes[parent], bytes([i]), b"", slots)
        node.local_lock_ref = marks[i]
        nodes[parent].adopt(node)
        nodes.append(node)
    tree.heap.leaf_count = sum(node.is_evictable_leaf() for node in nodes)
    return nodes


def reference_tree() -> NodeTree:
    """An empty one."""
    return NodeTree(1)


Change = Callable[[Shape, int], Moved]  # of the path that ends at a node


def _locks_each_once(
    hold: Change, under_b: int, under_c: int, at: int, lock_a: int, lock_b: int, lock_c: int, size_a: int, size_b: int, size_c: int
) -> bool:
    """One lock more on the path and no other; just what was unlocked there moves from evictable to protected."""
    shape, at = shape_of(under_b, under_c, (lock_a, lock_b, lock_c), (size_a, size_b, size_c)), chosen(at, range(NODES + 1))
    moved, path = hold(shape, at), shape.path(at)
    newly = sum(shape.sizes[i - 1] for i in path if shape.locks[i - 1] == 0)
    locks = all(moved.locks[i - 1] == shape.locks[i - 1] + (i in path) for i in range(1, NODES + 1))
    return locks and moved.protected == newly and moved.evictable == -newly


def _releases_each_once(
    release: Change, under_b: int, under_c: int, at: int, more_a: int, more_b: int, more_c: int, size_a: int, size_b: int, size_c: int
) -> bool:
    """One lock less on the path and no other; just what is unlocked by that moves from protected to evictable."""
    at, more, shape = chosen(at, range(NODES + 1)), (more_a, more_b, more_c), shape_of(under_b, under_c, (), (size_a, size_b, size_c))
    path = shape.path(at)
    held = tuple(more[i - 1] + (i in path) for i in range(1, NODES + 1))  # `more` holders beside the one that leaves
    moved = release(Shape(shape.parents, held, shape.sizes), at)
    freed = sum(shape.sizes[i - 1] for i in path if more[i - 1] == 0)
    return all(moved.locks[i] == more[i] for i in range(NODES)) and moved.evictable == freed and moved.protected == -freed


def _marks_what_is_held(
    hold: Change, under_b: int, under_c: int, at: int, lock_a: int, lock_b: int, lock_c: int, size_a: int, size_b: int, size_c: int
) -> bool:
    """A holder more is counted as all holders are; just what was evictable on the path moves to protected."""
    shape, at = shape_of(under_b, under_c, (lock_a, lock_b, lock_c), (size_a, size_b, size_c)), chosen(at, range(NODES + 1))
    return _is_the_change(hold(shape, at), shape.marks(), shape.held(at).marks(), shape.sizes)


def _forgets_who_leaves(
    release: Change, under_b: int, under_c: int, at: int, more_a: int, more_b: int, more_c: int, size_a: int, size_b: int, size_c: int
) -> bool:
    """What is left counts as if the one that leaves had never been; just what nobody holds any more is evictable."""
    at, shape = chosen(at, range(NODES + 1)), shape_of(under_b, under_c, (more_a, more_b, more_c), (size_a, size_b, size_c))
    held = shape.held(at)
    return _is_the_change(release(held, at), held.marks(), shape.marks(), shape.sizes)


def _is_the_change(moved: Moved, before: tuple[int, ...], after: tuple[int, ...], sizes: tuple[int, ...]) -> bool:
    protected = sum(size * ((now > 0) - (was > 0)) for was, now, size in zip(before, after, sizes, strict=True))
    return all(a == b for a, b in zip(moved.locks, after, strict=True)) and moved.protected == protected and moved.evictable == -protected


def _reference_change(change: Callable[[NodeTree, Node], None], shape: Shape, at: int) -> Moved:
    tree = reference_tree()
    nodes = reference_nodes(shape, tree)
    change(tree, nodes[at])
    return Moved(tuple(node.lock for node in nodes[1:]), tree._evictable, tree._protected)


def _reference_hold(shape: Shape, at: int) -> Moved:
    return _reference_change(NodeTree._lock_path, shape, at)


def _reference_release(shape: Shape, at: int) -> Moved:
    return _reference_change(NodeTree._unlock_path, shape, at)


def _fast_change(change: Callable[[FastTree, list[FastNode]], None], shape: Shape, at: int) -> Moved:
    """Of the path from below the root to the node."""
    tree = FastTree(1, "lru", CPU)
    nodes = fast_nodes(shape, tree)
    tree.root.local_lock_ref = 1  # of another: the root is released only by who holds it
    change(tree, [nodes[i] for i in sorted(shape.path(at))])
    return Moved(tuple(node.local_lock_ref for node in nodes[1:]), tree.evictable, tree.protected)


def _fast_hold(shape: Shape, at: int) -> Moved:
    return _fast_change(FastTree.lock_path, shape, at)


def _fast_release(shape: Shape, at: int) -> Moved:
    return _fast_change(lambda tree, path: tree.unlock_path(path[-1] if path else tree.root), shape, at)


def _moves_the_whole_path(shape: Shape, at: int) -> Moved:
    """The sizes change by the whole path, whoever held it already."""
    size = sum(shape.sizes[i - 1] for i in shape.path(at))
    return Moved(_reference_hold(shape, at).locks, -size, size)


def _marks_the_whole_path(shape: Shape, at: int) -> Moved:
    """Each node of the path counts the new holder."""
    moved = _fast_hold(shape, at)
    return Moved(tuple(mark + (i in shape.path(at)) for i, mark in enumerate(shape.marks(), 1)), moved.evictable, moved.protected)


def _releases_one_node(shape: Shape, at: int) -> Moved:
    """The node alone is released, not the path to the root."""
    locks = tuple(lock - (i == at) for i, lock in enumerate(shape.locks, 1))
    freed = shape.sizes[at - 1] if at and locks[at - 1] == 0 else 0
    return Moved(locks, freed, -freed)


def _frees_what_others_hold(shape: Shape, at: int) -> Moved:
    """The whole path is evictable again, whoever still holds it."""
    size = sum(shape.sizes[i - 1] for i in shape.path(at))
    return Moved(_fast_release(shape, at).locks, size, -size)


Room = Callable[[Shape, int, int], int]  # unlocked tokens of the path to a node, and of the first tokens of its child, if any


def _edge(shape: Shape, at: int) -> int:
    """A child of the node, in which the walk ends; 0: it has none, and the walk ends at the node."""
    return next((i for i, parent in enumerate(shape.parents, 1) if parent == at), 0)


def _reference_room(shape: Shape, at: int, inside: int) -> int:
    nodes, edge = reference_nodes(shape.whole_paths(), reference_tree()), _edge(shape, at)
    return (Walk(0, nodes[at], nodes[edge], inside) if edge else Walk(0, nodes[at])).evictable_tokens()


def _fast_room(shape: Shape, at: int, inside: int) -> int:
    tree = FastTree(1, "lru", CPU)
    nodes, edge = fast_nodes(shape, tree), _edge(shape, at)
    path = [nodes[i] for i in sorted(shape.path(at))]
    end = nodes[at].end
    return tree.evictable_tokens(FastWalk(path, end + inside, nodes[edge], inside, b"") if edge else FastWalk(path, end, None, 0, b""))


def _counts_what_nobody_holds(
    room: Room,
    under_b: int,
    under_c: int,
    at: int,
    lock_a: int,
    lock_b: int,
    lock_c: int,
    size_a: int,
    size_b: int,
    size_c: int,
    inside: int,
) -> bool:
    """What a walk says is evictable on it is what no holder protects, the part of the edge in which it ends included."""
    shape, at = shape_of(under_b, under_c, (lock_a, lock_b, lock_c), (size_a, size_b, size_c)), chosen(at, range(NODES + 1))
    marks, edge = shape.marks(), _edge(shape, at)
    expected = sum(shape.sizes[i - 1] for i in shape.path(at) if marks[i - 1] == 0)
    if edge and marks[edge - 1] == 0:
        expected += inside
    return room(shape, at, inside) == expected


def _forgets_the_edge(shape: Shape, at: int, inside: int) -> int:
    """The part of the edge in which the walk ends is not counted."""
    return _reference_room(shape, at, 0)


def _counts_a_locked_edge(shape: Shape, at: int, inside: int) -> int:
    """The part of the edge in which the walk ends is counted, locked or not."""
    return _fast_room(shape, at, 0) + (inside if _edge(shape, at) else 0)


_TREE = {"under_b": (0, 1), "under_c": (0, 2), "at": (0, NODES)}
_SIZES = dict.fromkeys(("size_a", "size_b", "size_c"), (1, None))
_LOCKED = {**_TREE, **dict.fromkeys(("lock_a", "lock_b", "lock_c"), (0, None)), **_SIZES}
_RELEASED = {**_TREE, **dict.fromkeys(("more_a", "more_b", "more_c"), (0, None)), **_SIZES}

CONTRACTS = (
    Contract(
        "NodeTree._lock_path",
        "reference/tree.py: lock, start, chunk, finish",
        _locks_each_once,
        _reference_hold,
        _moves_the_whole_path,
        _LOCKED,
    ),
    Contract(
        "NodeTree.lock_path",
        "optimized/locks.py: lock, start, chunk, finish",
        _marks_what_is_held,
        _fast_hold,
        _marks_the_whole_path,
        _LOCKED,
    ),
    Contract(
        "NodeTree._unlock_path",
        "reference/tree.py: unlock, chunk, finish, abort",
        _releases_each_once,
        _reference_release,
        _releases_one_node,
        _RELEASED,
    ),
    Contract(
        "NodeTree.unlock_path",
        "optimized/locks.py: unlock, chunk, finish, abort",
        _forgets_who_leaves,
        _fast_release,
        _frees_what_others_hold,
        _RELEASED,
    ),
    Contract(
        "Walk.evictable_tokens",
        "reference/tree.py: the guard of start",
        _counts_what_nobody_holds,
        _reference_room,
        _forgets_the_edge,
        {**_LOCKED, "inside": (1, None)},
    ),
    Contract(
        "NodeTree.evictable_tokens",
        "optimized/tree.py: the guard of start",
        _counts_what_nobody_holds,
        _fast_room,
        _counts_a_locked_edge,
        {**_LOCKED, "inside": (1, None)},
    ),
)
