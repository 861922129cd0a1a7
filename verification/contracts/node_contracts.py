"""Contracts on single nodes: what a split copies, the evictable leaves and the order of their eviction, and the slots of a path."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from radixcheck.optimized.heap import POLICIES as FAST
from radixcheck.optimized.node import Node as FastNode
from radixcheck.optimized.tree import NodeTree as FastTree
from radixcheck.optimized.tree import Walk as FastWalk
from radixcheck.reference.eviction import POLICIES as READABLE
from radixcheck.reference.eviction import evictable_leaves
from radixcheck.reference.node import Node, Page, path, slots_of, split_node
from radixcheck.reference.tree import NodeTree
from radixcheck.verification.contracts.contract import Contract
from radixcheck.verification.contracts.small import CPU, Cloned, Shape, chosen, fast_nodes, reference_nodes, shape_of

Attributes = tuple[int, ...]  # lock, time, creation, hits, priority


@dataclass(frozen=True, slots=True)
class Half:
    """One of the two nodes that a split leaves."""

    tokens: Sequence[int]
    slots: Sequence[int]
    attributes: Attributes
    child_key: Sequence[int]
    filed: bool  # whether the parent has it under that key


Cut = Callable[[Page, Page, Attributes, int, int], tuple[Half, Half]]  # tokens, slots, attributes, length of the upper half, page size


def _cuts_in_two(
    f: Cut, s: int, t: int, u: int, v: int, lock: int, time: int, creation: int, hits: int, priority: int, upper: int, lower: int, page: int
) -> bool:
    """The halves have the tokens and slots of the node, both have its lock, times, hits and priority, and each its own child key."""
    page = chosen(page, range(1, 3))
    at, behind = page * chosen(upper, range(1, 3)), page * chosen(lower, range(1, 3))
    tokens, slots = tuple(range(at + behind)), ((s, t, u, v) * 2)[: at + behind]
    attributes = (lock, time, creation, hits, priority)
    first, second = f(tokens, slots, attributes, at, page)
    for half, part in ((first, slice(0, at)), (second, slice(at, at + behind))):
        if tuple(half.tokens) != tokens[part] or len(half.slots) != len(tokens[part]):
            return False
        if tuple(half.child_key) != tokens[part][:page] or not half.filed:
            return False
        expected = (*slots[part], *attributes)
        if any(seen != wanted for seen, wanted in zip((*half.slots, *half.attributes), expected, strict=True)):
            return False
    return True


def _half(node: Any, lock: int) -> Half:
    filed = node.parent.children.get(node.child_key) is node
    return Half(node.segment, node.slots, (lock, node.time, node.creation, node.hits, node.priority), node.child_key, filed)


def _with_attributes(node: Any, attributes: Attributes) -> Any:
    _, node.time, node.creation, node.hits, node.priority = attributes
    return node


def _reference_split(tokens: Page, slots: Page, attributes: Attributes, at: int, page: int) -> tuple[Half, Half]:
    root = Node(None, (), (), [])
    node = _with_attributes(Node(root, tokens[:page], tokens, list(slots)), attributes)
    node.lock = attributes[0]
    root.children[node.child_key] = node
    upper = split_node(node, at, page)
    return _half(upper, upper.lock), _half(node, node.lock)


def _fast_split(tokens: Page, slots: Page, attributes: Attributes, at: int, page: int) -> tuple[Half, Half]:
    """The lock count of the upper half is its own count, and that of its child without the child itself."""
    tree = FastTree(page, "lru", CPU)
    segment: Any = b"".join(token.to_bytes(8, "little") for token in tokens)
    held: Any = Cloned(slots)
    node = _with_attributes(FastNode(tree.root, segment[: 8 * page], segment, held), attributes)
    node.local_lock_ref = attributes[0]
    tree.root.adopt(node)
    (upper,) = tree.split(FastWalk([], at, node, at, b""))
    below = node.local_lock_ref - 1 if node.local_lock_ref != 0 else 0
    return _unpacked(_half(upper, upper.local_lock_ref + below)), _unpacked(_half(node, node.local_lock_ref))


def _unpacked(half: Half) -> Half:
    tokens, child_key = (tuple(packed[::8]) for packed in (half.tokens, half.child_key))
    return Half(tokens, half.slots, half.attributes, child_key, half.filed)


def _begins_unlocked(tokens: Page, slots: Page, attributes: Attributes, at: int, page: int) -> tuple[Half, Half]:
    """The upper half is unlocked, even if the node was locked."""
    upper, lower = _reference_split(tokens, slots, attributes, at, page)
    return replace(upper, attributes=(0, *upper.attributes[1:])), lower


def _keeps_child_key(tokens: Page, slots: Page, attributes: Attributes, at: int, page: int) -> tuple[Half, Half]:
    """The child key of the lower half is the first page of the whole node."""
    upper, lower = _fast_split(tokens, slots, attributes, at, page)
    return upper, replace(lower, child_key=upper.child_key)


Leaves = Callable[[Shape], set[int]]


def _unlocked_and_childless(leaves: Leaves, under_b: int, under_c: int, lock_a: int, lock_b: int, lock_c: int) -> bool:
    """The evictable leaves are the nodes without lock and child, except the root."""
    shape = shape_of(under_b, under_c, (lock_a, lock_b, lock_c), (1, 1, 1))
    found = leaves(shape)
    return all((i in found) == (i not in shape.parents and shape.locks[i - 1] == 0) for i in (1, 2, 3)) and 0 not in found


def _reference_leaves(shape: Shape) -> set[int]:
    tree = NodeTree(1)
    nodes = reference_nodes(shape, tree)
    return {nodes.index(leaf) for leaf in evictable_leaves(tree.root)}


def _fast_leaves(shape: Shape) -> set[int]:
    nodes = fast_nodes(shape, FastTree(1, "lru", CPU))
    return {i for i, node in enumerate(nodes) if node.is_evictable_leaf()}


def _ignores_locks(shape: Shape) -> set[int]:
    """A locked leaf is included."""
    return {i for i in (1, 2, 3) if i not in shape.parents}


def _ignores_children(shape: Shape) -> set[int]:
    """A node with children is included."""
    return {i for i in (1, 2, 3) if shape.locks[i - 1] == 0}


Joined = Callable[[Sequence[Page]], Sequence[int]]  # the slots of each node of a path, the uppermost first -> the slots of the prefix


def _from_the_root_down(joined: Joined, a: int, b: int, c: int, d: int, e: int, f: int, first: int, second: int) -> bool:
    """The slots of a prefix are in the order of its tokens."""
    first, second = chosen(first, range(1, 3)), chosen(second, range(1, 3))
    slots = (a, b, c, d, e, f)
    found = joined((slots[:first], slots[first : first + second], slots[first + second :]))
    return len(found) == len(slots) and all(found[i] == slots[i] for i in range(len(slots)))


def _chain(segments: Sequence[Page]) -> Node:
    node = Node(None, (), (), [])
    for segment in segments:
        node = Node(node, (), segment, list(segment))
    return node


def _reference_slots(segments: Sequence[Page]) -> Sequence[int]:
    return slots_of(_chain(segments))


def _from_the_leaf_up(segments: Sequence[Page]) -> Sequence[int]:
    """The slots are joined in the order of the walk to the root."""
    return [slot for node in path(_chain(segments)) for slot in node.slots]


_CUT = {"upper": (1, 2), "lower": (1, 2), "page": (1, 2)}
_THREE = {"first": (1, 2), "second": (1, 2)}
_SHAPE = {"under_b": (0, 1), "under_c": (0, 2)}
_SPLITS = "match, insert, start, chunk, finish"


NAMES = tuple(READABLE)
GROWING = tuple(name for name in NAMES if name != "mru")  # policies under which an access never makes a key smaller


@dataclass(frozen=True, slots=True)
class Leaf:
    """The attributes that a policy reads."""

    time: int
    creation: int
    hits: int
    priority: int


Keys = Callable[[str, Any], tuple[int, int]]  # policy, node -> key


def _strict_total_order(
    key: Keys, policy: int, t: int, u: int, v: int, c: int, d: int, e: int, h: int, i: int, j: int, p: int, q: int, r: int
) -> bool:
    """The keys of leaves with different times are in a strict total order."""
    if t in (u, v) or u == v:
        return True
    name = NAMES[chosen(policy, range(len(NAMES)))]
    x, y, z = (key(name, leaf) for leaf in (Leaf(t, c, h, p), Leaf(u, d, i, q), Leaf(v, e, j, r)))
    if (x < y) == (y < x):
        return False
    return not x < y < z or x < z


def _same_keys(key: Keys, policy: int, time: int, creation: int, hits: int, priority: int) -> bool:
    """Both caches give a leaf the same key."""
    name, leaf = NAMES[chosen(policy, range(len(NAMES)))], Leaf(time, creation, hits, priority)
    there: Any = READABLE[name]
    (a, b), (c, d) = key(name, leaf), there(leaf)
    return bool(a == c and b == d)


def _never_smaller(key: Keys, policy: int, time: int, creation: int, hits: int, priority: int, later: int, hit: int, rank: int) -> bool:
    """An access never makes a key smaller, so that an outdated heap entry can be repaired when it surfaces (all policies except mru)."""
    name = GROWING[chosen(policy, range(len(GROWING)))]
    before = key(name, Leaf(time, creation, hits, priority))
    after = key(name, Leaf(time + later, creation, hits + hit, max(priority, rank)))
    return before < after or before == after


def _readable(policy: str, leaf: Any) -> tuple[int, int]:
    return READABLE[policy](leaf)


def _fast(policy: str, leaf: Any) -> tuple[int, int]:
    return FAST[policy](leaf)


def _one_number(policy: str, leaf: Any) -> tuple[int, int]:
    """The time is left out: leaves with the same first number tie."""
    return READABLE[policy](leaf)[0], 0


def _slru_at_once(policy: str, leaf: Any) -> tuple[int, int]:
    """One hit is enough for the protected segment of slru."""
    return (int(leaf.hits >= 1), leaf.time) if policy == "slru" else FAST[policy](leaf)


def _least_first(policy: str, leaf: Any) -> tuple[int, int]:
    """Under lfu the most frequently used leaf is evicted first."""
    return (-leaf.hits, leaf.time) if policy == "lfu" else FAST[policy](leaf)


_POLICY = {"policy": (0, len(NAMES) - 1)}
_ACCESS = {"policy": (0, len(GROWING) - 1), "later": (1, None), "hit": (0, 1), "rank": (0, None)}

CONTRACTS = (
    Contract("split_node", f"reference/node.py: {_SPLITS}", _cuts_in_two, _reference_split, _begins_unlocked, _CUT),
    Contract("NodeTree.split", f"optimized/tree.py: {_SPLITS}", _cuts_in_two, _fast_split, _keeps_child_key, _CUT),
    Contract("slots_of", "reference/node.py: match, start, chunk", _from_the_root_down, _reference_slots, _from_the_leaf_up, _THREE),
    Contract("evictable_leaves", "reference/eviction.py: evict", _unlocked_and_childless, _reference_leaves, _ignores_locks, _SHAPE),
    Contract("Node.is_evictable_leaf", "optimized/node.py: the heap", _unlocked_and_childless, _fast_leaves, _ignores_children, _SHAPE),
    Contract("POLICIES", "reference/eviction.py: evict", _strict_total_order, _readable, _one_number, _POLICY),
    Contract("heap.POLICIES", "optimized/heap.py: push, refresh, pop_victim", _same_keys, _fast, _slru_at_once, _POLICY),
    Contract("heap.POLICIES, repaired late", "optimized/heap.py: pop_victim", _never_smaller, _fast, _least_first, _ACCESS),
)
