"""A tiny prefix cache with the names of SGLang's `RadixCache`, another example of `radixcheck init`. It frees what it evicts itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heappop, heappush
from typing import Protocol


class Allocator(Protocol):
    """What frees slots."""

    def free(self, slots: Sequence[int]) -> None:
        """Take slots back."""


class TreeNode:
    """Some pages of tokens behind those of its parent, and a slot for each token."""

    counter = 0

    def __init__(self) -> None:
        TreeNode.counter += 1
        self.id = TreeNode.counter
        self.parent: TreeNode | None = None
        self.children: dict[tuple[int, ...], TreeNode] = {}  # by their first page
        self.key: list[int] = []
        self.value: list[int] = []
        self.lock_ref = 0
        self.last_access_time = 0
        self.queued = False  # it has an entry in the heap


class TinyRadixCache:
    """The cache."""

    def __init__(self, allocator: Allocator, page_size: int) -> None:
        self.allocator, self.page_size = allocator, page_size
        self.time = 0
        self.reset()

    def reset(self) -> None:
        """Forget everything. The engine empties the allocator as well."""
        self.root_node = TreeNode()
        self.root_node.lock_ref = 1
        self.evictable_size_ = self.protected_size_ = 0
        self._heap: list[tuple[int, int, TreeNode]] = []  # leaves that may go, by a time that may have passed since

    def match_prefix(self, key: Sequence[int]) -> tuple[list[int], TreeNode]:
        """Return the slots of the longest cached prefix in whole pages, and its last node."""
        self.time += 1
        node, value = self.root_node, list[int]()
        while (child := node.children.get(self._page(key[len(value) :]))) is not None:
            shared = self._shared(child.key, key[len(value) :])
            if shared < len(child.key):
                child = self._split_node(child, shared)
            child.last_access_time = self.time
            value += child.value
            node = child
        return value, node

    def insert(self, key: Sequence[int], value: Sequence[int]) -> int:
        """Cache a slot for each token; return how many tokens were cached already."""
        known, node = self.match_prefix(key)
        if len(known) < len(key):
            new = TreeNode()
            new.parent, new.key, new.value = node, list(key[len(known) :]), list(value[len(known) :])
            new.last_access_time = self.time
            node.children[self._page(new.key)] = new
            self.evictable_size_ += len(new.key)
            self._queue(new)
        return len(known)

    def inc_lock_ref(self, node: TreeNode) -> None:
        """Protect a node and all above it."""
        for above in self._path(node):
            if above.lock_ref == 0:
                self.evictable_size_ -= len(above.key)
                self.protected_size_ += len(above.key)
            above.lock_ref += 1

    def dec_lock_ref(self, node: TreeNode) -> None:
        """Take one lock back."""
        for above in self._path(node):
            above.lock_ref -= 1
            if above.lock_ref == 0:
                self.evictable_size_ += len(above.key)
                self.protected_size_ -= len(above.key)
        self._queue(node)

    def evict(self, num_tokens: int) -> int:
        """Evict least recently used leaves; return the tokens freed."""
        evicted = 0
        while evicted < num_tokens and self._heap:
            time, _, leaf = heappop(self._heap)
            leaf.queued = False
            if time != leaf.last_access_time:
                self._queue(leaf)  # it was used since: it has its turn later
            elif leaf.parent and not leaf.children and leaf.lock_ref == 0:
                self.allocator.free(leaf.value)
                evicted += len(leaf.value)
                self.evictable_size_ -= len(leaf.key)
                del leaf.parent.children[self._page(leaf.key)]
                self._queue(leaf.parent)
        return evicted

    def evictable_size(self) -> int:
        """Return the tokens that may be evicted."""
        return self.evictable_size_

    def protected_size(self) -> int:
        """Return the tokens that are locked."""
        return self.protected_size_

    def _queue(self, node: TreeNode) -> None:
        """Put a node that may go into the heap, once."""
        if node.parent and not node.children and node.lock_ref == 0 and not node.queued:
            node.queued = True
            heappush(self._heap, (node.last_access_time, node.id, node))

    def _path(self, node: TreeNode) -> Iterator[TreeNode]:
        while node.parent:
            yield node
            node = node.parent

    def _page(self, key: Sequence[int]) -> tuple[int, ...]:
        return tuple(key[: self.page_size])

    def _shared(self, one: Sequence[int], other: Sequence[int]) -> int:
        length = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
        return length // self.page_size * self.page_size

    def _split_node(self, child: TreeNode, at: int) -> TreeNode:
        upper = TreeNode()
        upper.parent, upper.lock_ref, upper.last_access_time = child.parent, child.lock_ref, child.last_access_time
        upper.key, upper.value = child.key[:at], child.value[:at]
        assert child.parent is not None
        child.parent.children[self._page(upper.key)] = upper
        child.parent, child.key, child.value = upper, child.key[at:], child.value[at:]
        upper.children[self._page(child.key)] = child
        return upper
