"""`base`: the radix tree of release 0.4.6.post5, before the change of sglang#6907, written anew with its faults.

Known faults:

* L5: a walk that ends inside a segment gives the child its new time *before* the split, so that the unused half counts
  as just used, and is evicted after nodes that were used later.
* FB-80: every `evict` walks the whole tree for its leaves and makes a heap of them, however few tokens it frees.

Not a fault, although it looks like one: a walk reads the clock once per node, parent first (C6), so that a parent is
older than its child by one reading. Only leaves are compared here, and no two leaves lie on one path, so this does not
change the order of victims.
"""

import heapq
from collections.abc import Callable, Iterator, Sequence

from radixcheck.verification.protocol import SeenEntry, SlotPool
from radixcheck.verification.subjects.engine_shim import Peek

ChildKey = int | tuple[int, ...]


class Node:
    """A segment of tokens, its slots, and its time. Nodes compare by their *current* time."""

    __slots__ = ("child_key", "children", "hits", "host", "key", "loading", "lock_ref", "name", "parent", "time", "value")

    def __init__(self, name: int, key: list[int], value: list[int], parent: "Node | None", time: int) -> None:
        self.name = name
        self.key = key
        self.value: list[int] | None = value  # None: evicted; only the change (Q2, Q5) and the hierarchical cache write it
        self.parent = parent
        self.children: dict[ChildKey, Node] = {}
        self.lock_ref = 0
        self.time = time  # last access
        self.child_key: ChildKey | None = None  # kept by the change only (C5)
        # Of the hierarchical cache only
        self.host: list[int] | None = None  # its slots on the host
        self.hits = 0  # since it was last copied to the host
        self.loading = False  # a copy from the host fills `value`

    def __lt__(self, other: "Node") -> bool:
        """Least recently used first, at the moment of the comparison: a heap of nodes does not notice a touch."""
        return self.time < other.time


def held(node: Node) -> list[int]:
    """Return the slots of a node that was not evicted; an evicted node is never on a path from the root."""
    assert node.value is not None, f"node {node.name} was evicted"
    return node.value


def above(node: Node) -> Node:
    """Return the parent of a node other than the root."""
    assert node.parent is not None, "the root has no parent"
    return node.parent


class BaseTree:
    """Nodes, times, locks and sizes. Takes whole pages only, and checks nothing: guards are the caller's.

    The clock is a counter: each reading is larger than all before, as `time.monotonic` is meant to be.
    """

    def __init__(self, page_size: int, pool: SlotPool) -> None:
        self.page_size = page_size
        self.pool = pool
        self.now = 0  # the last reading of the clock
        self._names = 0
        self._clear()

    def _clear(self) -> None:
        """Make an empty tree. The root is locked from the start, so that it is never evicted (Q10)."""
        self.root = self._node([], [], None)
        self.root.lock_ref = 1
        self.evictable = 0  # tokens
        self.protected = 0  # tokens

    def clock(self) -> int:
        """Return the next reading."""
        self.now += 1
        return self.now

    def give(self, slots: Sequence[int]) -> None:
        """Give whole pages back to the pool."""
        if slots:
            self.pool.free(slots)

    def reset(self) -> None:
        """Forget every node. Their slots are the caller's to free: the release clears its pool as a whole."""
        self._clear()

    def peek(self, key: Sequence[int]) -> Peek:
        """Return what `match` would find; no split, no time."""
        node, at, evictable = self.root, 0, 0
        while (child := self._child(node, key[at:])) is not None:
            common = self._common(child.key, key[at:])
            evictable += common if child.lock_ref == 0 else 0
            at += common
            if common < len(child.key):
                break
            node = child
        return Peek(at, evictable)

    def match(self, key: Sequence[int]) -> tuple[list[int], Node]:
        """Return the slots of the longest cached prefix, and the node where it ends; one reading per node, parent first (C6).

        L5: the time is written before the split, so the lower half keeps it; that of the upper half is later.
        """
        node = self.root
        slots: list[int] = []
        if key:
            node.time = self.clock()
        while (child := self._child(node, key[len(slots) :])) is not None:
            child.time = self.clock()
            common = self._common(child.key, key[len(slots) :])
            if common < len(child.key):
                node = self._split(child, common)
                slots += held(node)
                break
            slots += held(child)
            node = child
        return slots, node

    def insert(self, key: Sequence[int], value: Sequence[int]) -> int:
        """Cache `key` with a copy of the slots that it lacks; return the tokens found. One reading per node (C6)."""
        return self._insert(key, value, self.clock)[0]

    def _insert(self, key: Sequence[int], value: Sequence[int], read: Callable[[], int]) -> tuple[int, Node | None]:
        """Insert, with the time from `read` for each walked node; return the tokens found and the new leaf, if any."""
        node, at = self.root, 0
        node.time = read()
        while (child := self._child(node, key[at:])) is not None:
            child.time = read()
            common = self._common(child.key, key[at:])
            at += common
            node = child if common == len(child.key) else self._split(child, common)
        if at == len(key):
            return at, None
        leaf = self._node(list(key[at:]), list(value[at : len(key)]), node)
        self._file(leaf)
        self.evictable += len(held(leaf))
        return at, leaf

    def evict(self, tokens: int) -> int:
        """Free least recently used unlocked leaves until `tokens` are freed; a parent without children becomes one at once."""
        leaves = [node for node in self.nodes(include_root=True) if not node.children]
        heapq.heapify(leaves)
        freed = 0
        while freed < tokens and leaves:
            node = heapq.heappop(leaves)
            if node is self.root:
                break
            if node.lock_ref > 0:
                continue
            self.give(held(node))
            freed += len(held(node))
            self._delete_leaf(node)
            if not above(node).children:
                heapq.heappush(leaves, above(node))
        return freed

    def inc_lock_ref(self, node: Node) -> None:
        """Protect every node from here to the root."""
        while node is not self.root:
            if node.lock_ref == 0:
                self.evictable -= len(held(node))
                self.protected += len(held(node))
            node.lock_ref += 1
            node = above(node)

    def dec_lock_ref(self, node: Node) -> None:
        """Remove one lock from every node from here to the root."""
        while node is not self.root:
            node.lock_ref -= 1
            if node.lock_ref == 0:
                self.evictable += len(held(node))
                self.protected -= len(held(node))
                self._became_evictable(node)
            node = above(node)

    def nodes(self, include_root: bool = False) -> Iterator[Node]:
        """Yield every reachable node, parents first, without recursion."""
        stack = [self.root]
        while stack:
            node = stack.pop()
            if include_root or node is not self.root:
                yield node
            stack.extend(node.children.values())

    def attached(self, node: Node) -> bool:
        """Return whether the root still leads to this node."""
        while node.parent is not None:
            if node.parent.children.get(self._child_key(node.key)) is not node:
                return False
            node = node.parent
        return node is self.root

    def entries(self) -> list[SeenEntry] | None:
        """Return the heap between two calls; this tree keeps none."""
        return None

    def evictable_leaves(self) -> frozenset[int] | None:
        """Return the index of evictable leaves between two calls; this tree keeps none."""
        return None

    def _became_evictable(self, node: Node) -> None:
        """Do nothing: leaves are collected when they are needed."""

    def _delete_leaf(self, node: Node) -> None:
        """Remove a leaf from the tree and from the evictable size: the parent's children are searched for it (C5, Q4)."""
        siblings = above(node).children
        del siblings[next(key for key, child in siblings.items() if child is node)]
        self.evictable -= len(node.key)

    def _split(self, child: Node, length: int) -> Node:
        """Put a new node above `child` for the first `length` tokens; return it.

        The lower half keeps its identity, and so its end, its handles and its entries in a heap; the upper one inherits
        the lock but gets a new time, as every new node does (Q9).
        """
        upper = self._node(child.key[:length], held(child)[:length], child.parent)
        upper.lock_ref = child.lock_ref
        child.key, child.value = child.key[length:], held(child)[length:]
        child.parent = upper
        self._file(upper)
        self._file(child)
        return upper

    def _file(self, node: Node) -> ChildKey:
        """File a node in its parent under the first page of its segment; return that key."""
        key = self._child_key(node.key)
        above(node).children[key] = node
        return key

    def _node(self, key: list[int], value: list[int], parent: Node | None) -> Node:
        """Return a new node, with a new reading of the clock."""
        self._names += 1
        return Node(self._names, key, value, parent, self.clock())

    def _child(self, node: Node, rest: Sequence[int]) -> Node | None:
        """Return the child whose first page agrees with the rest of the key."""
        return node.children.get(self._child_key(rest)) if rest else None

    def _child_key(self, segment: Sequence[int]) -> ChildKey:
        return segment[0] if self.page_size == 1 else tuple(segment[: self.page_size])

    def _common(self, segment: Sequence[int], rest: Sequence[int]) -> int:
        """Return how many first tokens agree, in whole pages."""
        page, at, end = self.page_size, 0, min(len(segment), len(rest))
        while at < end and segment[at : at + page] == rest[at : at + page]:
            at += page
        return at
