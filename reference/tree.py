"""The radix tree: its nodes, and the steps from which every verb is made.

Each step that changes the tree is a transition of the specification (`spec/transitions.py`):

    step               transition          what it changes
    _split             SPLIT               one node becomes two, at the end of a walk
    _touch             TOUCH               times, hits and priorities on one path
    _grow              GROW                one new leaf
    _lock_path         BEGIN, RELOCK       one lock more on each node of a path
    _unlock_path       RELEASE, RELOCK     one lock less on each node of a path
    _evict_leaf        EVICT               one leaf less

`TieredCache` in `tiers.py` adds the steps of a host tier.

Time is logical: `_touch` adds one to the clock `now` and gives that time to the nodes of one path.
"""

from dataclasses import dataclass

from radixcheck.reference.announcer import Announcer, Silent, Sink
from radixcheck.reference.eviction import is_evictable_leaf
from radixcheck.reference.node import ChildKey, Node, Page, path, shared_tokens, split_node
from radixcheck.spec.events.event_values import DEVICE, PageIds, page_id
from radixcheck.spec.values import Namespace


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a key is cached, found without changing anything."""

    length: int  # tokens of the key that are cached
    node: Node  # the last node whose whole segment agrees with the key
    edge: Node | None = None  # its child whose segment agrees only in its first tokens
    inside: int = 0  # how many of its tokens agree

    def evictable_tokens(self) -> int:
        """Tokens of the walk that no lock protects now, and that a lock of its path would protect."""
        inside = self.inside if self.edge is not None and self.edge.lock == 0 and self.edge.slots else 0
        return inside + sum(len(node.slots) for node in path(self.node) if node.lock == 0)


class NodeTree:
    """Nodes below one root, their clock, and the sizes of the evictable and the protected part in tokens."""

    def __init__(self, page_size: int, events: Sink | None = None, page_ids: PageIds = page_id) -> None:
        self.page_size = page_size
        self._announcer = Silent() if events is None else Announcer(events, page_ids, page_size)
        self.root = Node(None, (), (), [])
        self.now = 0  # the clock
        self._evictable = 0  # tokens on nodes with lock 0
        self._protected = 0  # tokens on all other nodes

    def _child_key(self, parent: Node, namespace: Namespace, page: Page) -> ChildKey:
        return page if parent is not self.root else (namespace, page)

    def _walk(self, tokens: Page, namespace: Namespace) -> Walk:
        """Follow `tokens` down the tree, changing nothing."""
        node, length = self.root, 0
        # An unaligned tail finds nothing: no child key is shorter than a page.
        while True:
            page = tokens[length : length + self.page_size]
            child = node.children.get(self._child_key(node, namespace, page))
            if child is None:
                return Walk(length, node)
            shared = shared_tokens(child.segment, tokens, length, self.page_size)
            length += shared
            if shared < len(child.segment):
                return Walk(length, node, child, shared)
            node = child

    def _resident_length(self, walk: Walk) -> int:
        """Return how many tokens of a walk have slots on the device: all, without a host tier."""
        return walk.length

    def _split(self, walk: Walk) -> Node:
        """Return the node that ends exactly where the walk ended. Splits the edge if the walk ended inside one."""
        if walk.edge is None:
            return walk.node
        upper = split_node(walk.edge, walk.inside, self.page_size)
        self._announcer.divide(upper, walk.edge)
        return upper

    def _touch(self, node: Node, hits: int = 0, priority: int = 0) -> None:
        """Count one access to the path that ends at `node`: one tick of the clock for all of its nodes."""
        self.now += 1
        for used in path(node):
            used.time = self.now
            used.hits += hits
            used.priority = max(used.priority, priority)

    def _grow(self, parent: Node, namespace: Namespace, segment: Page, slots: list[int]) -> Node:
        """Add one new leaf below `parent`. A `_touch` must follow: it gives the leaf its time, hits and priority."""
        leaf = type(parent)(parent, self._child_key(parent, namespace, segment[: self.page_size]), segment, slots)
        assert leaf.child_key not in parent.children, "the walk that ended at `parent` would have gone on"
        assert len(segment) == len(slots), "one slot for each token"
        leaf.creation = self.now + 1
        parent.children[leaf.child_key] = leaf
        self._evictable += len(segment)
        self._announcer.store(DEVICE, leaf)
        return leaf

    def _evict_leaf(self, leaf: Node) -> Node:
        """Remove an evictable leaf from the tree; return the parent that it had."""
        assert is_evictable_leaf(leaf), "only unlocked leaves are evicted"
        self._evictable -= len(leaf.segment)
        self._announcer.remove(DEVICE, leaf)
        return self._unlink(leaf)

    def _unlink(self, leaf: Node) -> Node:
        """Take a leaf out of its parent's children; return the parent that it had."""
        parent = leaf.parent
        assert parent is not None, "the root is never evicted"
        del parent.children[leaf.child_key]
        leaf.parent = None  # a handle of this node is stale from now on
        self._announcer.forget(leaf)
        return parent

    def _lock_path(self, node: Node) -> None:
        """Add one lock to each node from `node` up to the root."""
        for locked in path(node):
            if locked.lock == 0:
                self._evictable -= len(locked.segment)
                self._protected += len(locked.segment)
            locked.lock += 1

    def _unlock_path(self, node: Node) -> None:
        """Undo one `_lock_path`."""
        for locked in path(node):
            locked.lock -= 1
            assert locked.lock >= 0, "a lock is released once"
            if locked.lock == 0:
                self._evictable += len(locked.segment)
                self._protected -= len(locked.segment)
