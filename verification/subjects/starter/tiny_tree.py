"""A tiny prefix cache, the example of `radixcheck init`. It knows nothing of the checker. Least recently used nodes go first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from itertools import count


class TinyNode:
    """Some tokens behind those of its parent, and a slot for each."""

    def __init__(self, parent: TinyNode | None, tokens: Sequence[int], slots: Sequence[int], used: int) -> None:
        self.parent, self.tokens, self.slots, self.used = parent, list(tokens), list(slots), used
        self.children: dict[int, TinyNode] = {}  # by their first token
        self.pins = 0
        self.queued = False  # it has an entry in the heap

    def path(self) -> Iterator[TinyNode]:
        """Yield the node and all above it, without the root."""
        node = self
        while node.parent:
            yield node
            node = node.parent


class TinyTree:
    """The cache. What it forgets, it returns: the caller has allocated the slots, and frees them."""

    def __init__(self) -> None:
        self.root = TinyNode(None, (), (), 0)
        self.clock = 0
        self.free_to_drop = self.pinned = 0  # tokens
        self._heap: list[tuple[int, int, TinyNode]] = []  # leaves that may go, by a time that may have passed since
        self._serial = count()

    def find(self, tokens: Sequence[int]) -> tuple[list[int], TinyNode]:
        """Return the slots of the longest known prefix, and the node that ends there: it is split off for that. It is used now."""
        slots, node, length = self._walk(tokens)
        if length < len(node.tokens):
            node = self._split(node, length)
        self.clock += 1
        for above in node.path():
            above.used = self.clock
        return slots, node

    def known(self, tokens: Sequence[int]) -> tuple[int, int]:
        """Return how many tokens are known, and how many of these may be dropped. Changes nothing."""
        slots, node, length = self._walk(tokens)
        droppable = sum(len(above.tokens) for above in node.path() if not above.pins)
        return len(slots), droppable - (len(node.tokens) - length) * (node.parent is not None and not node.pins)

    def add(self, tokens: Sequence[int], slots: Sequence[int]) -> int:
        """Remember a slot for each token. Return how many tokens were known already: their slots are not kept."""
        known, node = self.find(tokens)
        if len(known) < len(tokens):
            new = TinyNode(node, tokens[len(known) :], slots[len(known) : len(tokens)], self.clock)
            node.children[new.tokens[0]] = new
            self.free_to_drop += len(new.tokens)
            self._queue(new)
        return len(known)

    def pin(self, node: TinyNode) -> None:
        """Keep a node and all above it."""
        for above in node.path():
            if not above.pins:
                self.free_to_drop, self.pinned = self.free_to_drop - len(above.tokens), self.pinned + len(above.tokens)
            above.pins += 1

    def unpin(self, node: TinyNode) -> None:
        """Take back one pin."""
        for above in node.path():
            above.pins -= 1
            if not above.pins:
                self.free_to_drop, self.pinned = self.free_to_drop + len(above.tokens), self.pinned - len(above.tokens)
        self._queue(node)

    def has(self, node: TinyNode) -> bool:
        """Return whether a node was not dropped."""
        return node is self.root or all(above.parent.children.get(above.tokens[0]) is above for above in node.path() if above.parent)

    def drop(self, tokens: int) -> list[int]:
        """Forget least recently used leaves until so many tokens are gone, or none is left. Return their slots."""
        gone: list[int] = []
        while len(gone) < tokens and self._heap:
            used, _, leaf = heappop(self._heap)
            leaf.queued = False
            if used != leaf.used:
                self._queue(leaf)  # it was used since: it has its turn later
            elif leaf.parent and not leaf.children and not leaf.pins:
                del leaf.parent.children[leaf.tokens[0]]
                self.free_to_drop -= len(leaf.tokens)
                gone += leaf.slots
                self._queue(leaf.parent)
        return gone

    def nodes(self) -> Iterator[TinyNode]:
        """Yield all nodes but the root, each after its parent."""
        waiting = list(self.root.children.values())
        while waiting:
            node = waiting.pop()
            yield node
            waiting += node.children.values()

    def _queue(self, node: TinyNode) -> None:
        """Put a node that may go into the heap, once."""
        if node.parent and not node.children and not node.pins and not node.queued:
            node.queued = True
            heappush(self._heap, (node.used, next(self._serial), node))

    def _walk(self, tokens: Sequence[int]) -> tuple[list[int], TinyNode, int]:
        """Return the slots of the longest known prefix, the last node that has some of them, and how many."""
        slots, node, length = list[int](), self.root, 0
        while length == len(node.tokens) and len(slots) < len(tokens) and tokens[len(slots)] in node.children:
            node = node.children[tokens[len(slots)]]
            length = _shared(node.tokens, tokens[len(slots) :])
            slots += node.slots[:length]
        return slots, node, length

    def _split(self, node: TinyNode, at: int) -> TinyNode:
        """Divide a node in two. Return the upper one, which is new: whoever has pinned the node has its end, and keeps it."""
        upper = TinyNode(node.parent, node.tokens[:at], node.slots[:at], node.used)
        upper.pins = node.pins
        if node.parent:
            node.parent.children[upper.tokens[0]] = upper
        node.parent, node.tokens, node.slots = upper, node.tokens[at:], node.slots[at:]
        upper.children[node.tokens[0]] = node
        return upper


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """Return how many tokens two sequences have in common at their beginning."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
