"""Contracts on locks and sizes, and on the eviction heap with outdated entries, on trees of three nodes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.node import Node as FastNode
from radixcheck.optimized.tree import NodeTree as FastTree
from radixcheck.optimized.tree import Walk as FastWalk
from radixcheck.reference.node import Node
from radixcheck.reference.tree import NodeTree, Walk
from radixcheck.verification.contracts.contract import Contract
from radixcheck.verification.contracts.small import CPU, NODES, Extent, Shape, chosen, fast_nodes, reference_nodes, shape_of


@dataclass(frozen=True, slots=True)
class Moved:
    """The changes of an operation on locks."""

    locks: tuple[int, ...]  # afterwards
    evictable: int  # change in tokens
    protected: int


Change = Callable[[Shape, int], Moved]  # tree, node at the end of the path


def _locks_each_once(
    hold: Change, under_b: int, under_c: int, at: int, lock_a: int, lock_b: int, lock_c: int, size_a: int, size_b: int, size_c: int
) -> bool:
    """The lock counts on the path, and no others, grow by one. Exactly the unlocked tokens there move from evictable to protected."""
    shape, at = shape_of(under_b, under_c, (lock_a, lock_b, lock_c), (size_a, size_b, size_c)), chosen(at, range(NODES + 1))
    moved, path = hold(shape, at), shape.path(at)
    newly = sum(shape.sizes[i - 1] for i in path if shape.locks[i - 1] == 0)
    locks = all(moved.locks[i - 1] == shape.locks[i - 1] + (i in path) for i in range(1, NODES + 1))
    return locks and moved.protected == newly and moved.evictable == -newly


def _unlocks_each_once(
    release: Change, under_b: int, under_c: int, at: int, more_a: int, more_b: int, more_c: int, size_a: int, size_b: int, size_c: int
) -> bool:
    """The lock counts on the path, and no others, fall by one. Exactly the tokens unlocked by that move from protected to evictable."""
    at, more, shape = chosen(at, range(NODES + 1)), (more_a, more_b, more_c), shape_of(under_b, under_c, (), (size_a, size_b, size_c))
    path = shape.path(at)
    held = tuple(more[i - 1] + (i in path) for i in range(1, NODES + 1))  # `more` other holders
    moved = release(Shape(shape.parents, held, shape.sizes), at)
    freed = sum(shape.sizes[i - 1] for i in path if more[i - 1] == 0)
    return all(moved.locks[i] == more[i] for i in range(NODES)) and moved.evictable == freed and moved.protected == -freed


def _counts_one_more(
    hold: Change, under_b: int, under_c: int, at: int, lock_a: int, lock_b: int, lock_c: int, size_a: int, size_b: int, size_c: int
) -> bool:
    """The counts become those of a tree with one more holder. Exactly the evictable tokens on the path move to protected."""
    shape, at = shape_of(under_b, under_c, (lock_a, lock_b, lock_c), (size_a, size_b, size_c)), chosen(at, range(NODES + 1))
    return _is_the_change(hold(shape, at), shape.local_lock_refs(), shape.held(at).local_lock_refs(), shape.sizes)


def _counts_one_less(
    release: Change, under_b: int, under_c: int, at: int, more_a: int, more_b: int, more_c: int, size_a: int, size_b: int, size_c: int
) -> bool:
    """The counts become those of a tree without this holder. Exactly the tokens that have no other holder become evictable."""
    at, shape = chosen(at, range(NODES + 1)), shape_of(under_b, under_c, (more_a, more_b, more_c), (size_a, size_b, size_c))
    held = shape.held(at)
    return _is_the_change(release(held, at), held.local_lock_refs(), shape.local_lock_refs(), shape.sizes)


def _is_the_change(moved: Moved, before: tuple[int, ...], after: tuple[int, ...], sizes: tuple[int, ...]) -> bool:
    protected = sum(size * ((now > 0) - (was > 0)) for was, now, size in zip(before, after, sizes, strict=True))
    return all(a == b for a, b in zip(moved.locks, after, strict=True)) and moved.protected == protected and moved.evictable == -protected


def _reference_change(change: Callable[[NodeTree, Node], None], shape: Shape, at: int) -> Moved:
    tree = NodeTree(1)
    nodes = reference_nodes(shape, tree)
    change(tree, nodes[at])
    return Moved(tuple(node.lock for node in nodes[1:]), tree._evictable, tree._protected)


def _fast_change(change: Callable[[FastTree, list[FastNode]], None], shape: Shape, at: int) -> Moved:
    """Change the path from below the root to the node."""
    tree = FastTree(1, "lru", CPU)
    nodes = fast_nodes(shape, tree)
    tree.root.local_lock_ref = 1  # another holder: the root may be released
    change(tree, [nodes[i] for i in sorted(shape.path(at))])
    return Moved(tuple(node.local_lock_ref for node in nodes[1:]), tree.evictable, tree.protected)


def _unlock_end(tree: FastTree, path: list[FastNode]) -> None:
    tree.unlock_path(path[-1] if path else tree.root)


_reference_lock, _reference_unlock = (partial(_reference_change, change) for change in (NodeTree._lock_path, NodeTree._unlock_path))
_fast_lock = partial(_fast_change, FastTree.lock_path)
_fast_unlock = partial(_fast_change, _unlock_end)


def _moves_the_whole_path(shape: Shape, at: int) -> Moved:
    """The sizes change by the whole path, even if parts of it were locked already."""
    size = sum(shape.sizes[i - 1] for i in shape.path(at))
    return Moved(_reference_lock(shape, at).locks, -size, size)


def _counts_the_whole_path(shape: Shape, at: int) -> Moved:
    """The count of each node of the path grows."""
    moved = _fast_lock(shape, at)
    return replace(moved, locks=tuple(count + (i in shape.path(at)) for i, count in enumerate(shape.local_lock_refs(), 1)))


def _unlocks_one_node(shape: Shape, at: int) -> Moved:
    """Only the node is released, not the path to the root."""
    locks = tuple(lock - (i == at) for i, lock in enumerate(shape.locks, 1))
    freed = shape.sizes[at - 1] if at and locks[at - 1] == 0 else 0
    return Moved(locks, freed, -freed)


def _ignores_other_holders(shape: Shape, at: int) -> Moved:
    """The whole path becomes evictable, even if it has other holders."""
    size = sum(shape.sizes[i - 1] for i in shape.path(at))
    return Moved(_fast_unlock(shape, at).locks, size, -size)


Room = Callable[[Shape, int, int], int]  # tree, node, tokens of its child -> unlocked tokens of the path to the node and of those


def _edge(shape: Shape, at: int) -> int:
    """Return a child of the node, in which the walk ends, or 0 if there is none and the walk ends at the node."""
    return next((i for i, parent in enumerate(shape.parents, 1) if parent == at), 0)


def _reference_room(shape: Shape, at: int, inside: int) -> int:
    nodes, edge = reference_nodes(shape.whole_paths(), NodeTree(1)), _edge(shape, at)
    return (Walk(0, nodes[at], nodes[edge], inside) if edge else Walk(0, nodes[at])).evictable_tokens()


def _fast_room(shape: Shape, at: int, inside: int) -> int:
    tree = FastTree(1, "lru", CPU)
    nodes, edge = fast_nodes(shape, tree), _edge(shape, at)
    path = [nodes[i] for i in sorted(shape.path(at))]
    end = nodes[at].end
    return tree.evictable_tokens(FastWalk(path, end + inside, nodes[edge], inside, b"") if edge else FastWalk(path, end, None, 0, b""))


def _counts_unprotected(
    f: Room, under_b: int, under_c: int, at: int, lock_a: int, lock_b: int, lock_c: int, size_a: int, size_b: int, size_c: int, inside: int
) -> bool:
    """The evictable tokens of a walk are those that no holder protects, including the part of the node in which it ends."""
    shape, at = shape_of(under_b, under_c, (lock_a, lock_b, lock_c), (size_a, size_b, size_c)), chosen(at, range(NODES + 1))
    counts, edge = shape.local_lock_refs(), _edge(shape, at)
    expected = sum(shape.sizes[i - 1] for i in shape.path(at) if counts[i - 1] == 0)
    if edge and counts[edge - 1] == 0:
        expected += inside
    return f(shape, at, inside) == expected


def _forgets_the_edge(shape: Shape, at: int, inside: int) -> int:
    """The part of the node in which the walk ends is not counted."""
    return _reference_room(shape, at, 0)


def _counts_a_locked_edge(shape: Shape, at: int, inside: int) -> int:
    """The part of the node in which the walk ends is counted even if it is locked."""
    return _fast_room(shape, at, 0) + (inside if _edge(shape, at) else 0)


_TREE = {"under_b": (0, 1), "under_c": (0, 2), "at": (0, NODES)}
_SIZES = dict.fromkeys(("size_a", "size_b", "size_c"), (1, None))
_LOCKED = {**_TREE, **dict.fromkeys(("lock_a", "lock_b", "lock_c"), (0, None)), **_SIZES}
_UNLOCKED = {**_TREE, **dict.fromkeys(("more_a", "more_b", "more_c"), (0, None)), **_SIZES}

_LOCKS, _UNLOCKS = "lock, start, chunk, finish", "unlock, chunk, finish, abort"
_GUARD = "the guard of start"
_WALKED = {**_LOCKED, "inside": (1, None)}


# Stored times, increments of the times since then, locks -> index of the leaf.
Pop = Callable[[Sequence[int], Sequence[int], Sequence[int]], int]


def _least_live(pop: Pop, s: int, t: int, u: int, later_s: int, later_t: int, lock: int) -> bool:
    """The victim is the unlocked leaf with the least current time, whatever time its entry has (lru)."""
    stored, later, locks = (s, t, u), (later_s, later_t, 0), (0, 0, lock)
    live = [stored[i] + later[i] for i in range(3)]
    if live[0] == live[1] or live[1] == live[2] or live[0] == live[2]:
        return True  # no two leaves have the same time
    victim = pop(stored, later, locks)
    return locks[victim] == 0 and all(locks[i] > 0 or live[victim] <= live[i] for i in range(3))


def _queued(stored: Sequence[int], later: Sequence[int], locks: Sequence[int]) -> tuple[EvictionHeap, list[FastNode]]:
    heap = EvictionHeap("lru")
    slots: Any = Extent(0)
    root = FastNode(None, b"", b"", slots)
    leaves = [FastNode(root, bytes([i]), b"", slots) for i in range(3)]
    for i, leaf in enumerate(leaves):
        leaf.time = stored[i]
        heap.push(leaf)
    for i, leaf in enumerate(leaves):
        leaf.time += later[i]
        if locks[i] > 0:
            leaf.local_lock_ref = locks[i]
            heap.retire(leaf)
    return heap, leaves


def _popped(stored: Sequence[int], later: Sequence[int], locks: Sequence[int]) -> int:
    heap, leaves = _queued(stored, later, locks)
    return leaves.index(heap.pop_victim())


def _trusts_entries(stored: Sequence[int], later: Sequence[int], locks: Sequence[int]) -> int:
    """The first entry of an unlocked leaf is taken, even if it is outdated."""
    heap, leaves = _queued(stored, later, locks)
    while True:
        leaf = heap._least()[3]
        if leaf.is_evictable_leaf():
            return leaves.index(leaf)


_BOUNDS = dict.fromkeys(("later_s", "later_t", "lock"), (0, None))

CONTRACTS = (
    Contract("EvictionHeap.pop_victim", "optimized/heap.py: evict, alloc, start, decode", _least_live, _popped, _trusts_entries, _BOUNDS),
    Contract("NodeTree._lock_path", f"reference/tree.py: {_LOCKS}", _locks_each_once, _reference_lock, _moves_the_whole_path, _LOCKED),
    Contract("NodeTree.lock_path", f"optimized/locks.py: {_LOCKS}", _counts_one_more, _fast_lock, _counts_the_whole_path, _LOCKED),
    Contract(
        "NodeTree._unlock_path", f"reference/tree.py: {_UNLOCKS}", _unlocks_each_once, _reference_unlock, _unlocks_one_node, _UNLOCKED
    ),
    Contract("NodeTree.unlock_path", f"optimized/locks.py: {_UNLOCKS}", _counts_one_less, _fast_unlock, _ignores_other_holders, _UNLOCKED),
    Contract("Walk.evictable_tokens", f"reference/tree.py: {_GUARD}", _counts_unprotected, _reference_room, _forgets_the_edge, _WALKED),
    Contract("NodeTree.evictable_tokens", f"optimized/tree.py: {_GUARD}", _counts_unprotected, _fast_room, _counts_a_locked_edge, _WALKED),
)
