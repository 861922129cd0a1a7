"""A node of the tree: a segment of tokens, their slots, and the attributes that policies compare."""

from torch import Tensor

from radixcheck.optimized.keys import TOKEN_BYTES
from radixcheck.spec.values import Namespace

ChildKey = bytes | tuple[Namespace, bytes]  # the first page of a segment; below the root with the namespace
Entry = tuple[int, int, int, "Node"]  # an entry of the heap: stored key (two numbers), serial number, node


NO_CHILDREN: dict[ChildKey, "Node"] = {}  # never written to


class Node:
    """One segment. `segment` and `slots` share no storage with a caller, a request or another node (FB-31).

    An evicted node has no parent, which makes its handles stale. The root has no parent either, and no slots.
    """

    __slots__ = (
        *("child_key", "children", "creation", "end", "entry", "hits", "local_lock_ref"),
        *("parent", "priority", "segment", "size", "slots", "time"),
    )

    def __init__(self, parent: "Node | None", child_key: ChildKey, segment: bytes, slots: Tensor) -> None:
        self.parent = parent
        self.child_key = child_key  # under which the parent files it
        self.segment = segment  # packed tokens
        self.slots = slots
        self.size = size = len(segment) // TOKEN_BYTES  # tokens
        self.end: int = (
            size if parent is None else parent.end + size
        )  # tokens from the root to the end of the segment; a split does not change it
        self.children = NO_CHILDREN  # `adopt` makes a new dictionary for the first child: most nodes are leaves
        self.local_lock_ref = 0  # holders of this node alone, and its protected children; 0: not protected
        self.time = 0  # of the last access
        self.creation = 0
        self.hits = 0
        self.priority = 0
        self.entry: Entry | None = None  # the heap's entry that is current for it

    def adopt(self, child: "Node") -> None:
        """File a child under its child key."""
        if self.children is NO_CHILDREN:
            self.children = {}
        self.children[child.child_key] = child

    def is_evictable_leaf(self) -> bool:
        """Return whether it may be evicted now; never true of the root or of a node that has left the tree."""
        return not self.local_lock_ref and not self.children and self.parent is not None
