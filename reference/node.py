"""The nodes of the radix tree.

A node stands for the prefix that ends with its segment. Keys (1,2,3,4) and (1,2,7,8), page size 2, namespace ():

    root --((), (1,2))--> A  segment (1,2)  slots [0,1]
                          |--(3,4)--> B  segment (3,4)  slots [2,3]
                          `--(7,8)--> C  segment (7,8)  slots [4,5]

Each arrow shows the child key: the first page of the child's segment, under which a walk finds it. Directly below the
root it also has the namespace, so one tree holds all namespaces and two of them never share a node.
"""

from collections.abc import Iterator
from typing import Any, Self, TypeVar

Page = tuple[int, ...]
ChildKey = tuple[Any, ...]  # a page; for a child of the root (namespace, page)


class Node:
    """One segment of tokens and their slots. The root has an empty segment; its lock, times and hits are never used.

    `segment` and `slots` are replaced, never changed in place: a reader that keeps the old ones has a snapshot.
    """

    __slots__ = ("child_key", "children", "creation", "hits", "lock", "parent", "priority", "segment", "slots", "time")

    def __init__(self, parent: Self | None, child_key: ChildKey, segment: Page, slots: list[int]) -> None:
        self.parent = parent  # None: the root, or a node that has left the tree
        self.child_key = child_key  # under which the parent files this node
        self.segment = segment
        self.slots = slots  # one for each token of the segment
        self.children: dict[ChildKey, Self] = {}
        self.lock = 0  # how many locks and requests hold this node or a descendant
        self.time = 0  # of the last access
        self.creation = 0  # time of the access that created it
        self.hits = 0  # how often a key through this node was inserted
        self.priority = 0  # the greatest with which a key through this node was cached


AnyNode = TypeVar("AnyNode", bound=Node)  # a node of one tree: all its nodes are of one class


def path(node: AnyNode) -> Iterator[AnyNode]:
    """Yield the nodes from `node` up to the root, without the root."""
    while node.parent is not None:
        yield node
        node = node.parent


def top(node: Node) -> Node:
    """Return the last node on the way up: the root, unless `node` or an ancestor has left the tree."""
    while node.parent is not None:
        node = node.parent
    return node


def below(root: AnyNode) -> Iterator[AnyNode]:
    """Yield every node but the root, parents first."""
    # A list of what is left to visit instead of recursion: a chain may be longer than Python's stack.
    waiting = list(root.children.values())
    while waiting:
        node = waiting.pop()
        yield node
        if node.children:
            waiting.extend(node.children.values())


def slots_of(node: Node) -> list[int]:
    """Return the slots of the whole prefix that ends at `node`, in a new list."""
    segments = [n.slots for n in path(node)]
    return [slot for slots in reversed(segments) for slot in slots]


def shared_tokens(segment: Page, tokens: Page, start: int, page_size: int) -> int:
    """Return how many tokens of `segment` agree with `tokens` from `start` on, in whole pages.

    The first page must agree: the child key has been compared before.

    >>> shared_tokens((1, 2, 3, 4), (9, 9, 1, 2, 3, 5), 2, 2)
    2
    """
    if tokens[start : start + len(segment)] == segment:
        return len(segment)
    shared = page_size
    # The loop ends: where the tokens run out, the rest of them is shorter than a page of the segment.
    while segment[shared : shared + page_size] == tokens[start + shared : start + shared + page_size]:
        shared += page_size
    return shared


def split_node(node: AnyNode, length: int, page_size: int) -> AnyNode:
    """Cut a segment in two and return the new upper node, which holds the first `length` tokens (SGLang: `_split_node`).

    `node` itself becomes the lower half: it ends where it ended, so its handles and locks stay right. Both halves have
    the lock, times, hits and priority of the whole: what was true of every token stays true of it.
    """
    assert node.parent is not None, "the root is never split"
    assert 0 < length < len(node.segment), "both halves keep a part"
    assert length % page_size == 0, "a split lies between two pages"
    upper = type(node)(node.parent, node.child_key, node.segment[:length], node.slots[:length])
    upper.lock, upper.hits, upper.priority = node.lock, node.hits, node.priority
    upper.time, upper.creation = node.time, node.creation
    node.segment, node.slots = node.segment[length:], node.slots[length:]
    node.parent.children[upper.child_key] = upper
    node.parent, node.child_key = upper, node.segment[:page_size]
    upper.children[node.child_key] = node
    return upper
