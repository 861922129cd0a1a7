"""A minimal tree in Python, which shows how much of a figure is the cost of CPython. It is not a usable cache.

One ordered dictionary is the exact order of eviction (lru) of all unlocked nodes; segments are bytes, compared by memcmp; each node has one
copy of its slots. There are no policies, namespaces, typed errors, checks, stale handles, or limits on memory.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor

from radixcheck.optimized import DevicePool
from radixcheck.optimized.keys import TOKEN_BYTES, common_pages
from radixcheck.verification.bench.driver import Driver


class Node:
    """The bytes of some tokens, and their slots."""

    __slots__ = ("above", "below", "first", "locks", "segment", "slots")

    def __init__(self, above: Node | None, first: bytes, segment: bytes, slots: Tensor | None) -> None:
        self.above, self.first, self.segment, self.slots = above, first, segment, slots
        self.below: dict[bytes, Any] = {}
        self.locks = 0


class Floor(Driver):
    """A tree whose unlocked nodes are in `_order`, each after the nodes below it."""

    tiered = "radixcheck.verification.bench.drivers.host_floor_driver:HostFloor"

    def __init__(self, pool: Any) -> None:
        super().__init__(pool)
        self._page = TOKEN_BYTES * pool.page_size
        self._root = Node(None, b"", b"", None)
        self._order: OrderedDict[Any, None] = OrderedDict()
        self._evictable = self._protected = 0

    @classmethod
    def real(cls, capacity: int, page_size: int) -> DevicePool:
        """Return the pool of our cache."""
        return DevicePool(capacity, page_size)

    def prep(self, tokens: list[int]) -> Any:
        """Return an array."""
        return array("Q", tokens)

    def sizes(self) -> tuple[int, int]:
        """Return two counters."""
        return self._evictable, self._protected

    def available(self) -> int:
        """Return the counter of the pool."""
        return int(self.pool.available)

    def match(self, tokens: Any) -> tuple[int, Any]:
        """Match. The handle is the node where the match ends."""
        node, at = self._walk(self._bytes(tokens))
        self._refresh(node)
        return at // TOKEN_BYTES, node

    def indices(self, handle: Any, length: int) -> Tensor:
        """Join the slots of the path. A single tensor is not copied."""
        parts = []
        while handle is not self._root:
            parts.append(handle.slots)
            handle = handle.above
        return torch.cat(parts[::-1]) if len(parts) > 1 else parts[0]

    def lock(self, handle: Any) -> Any:
        """Lock the whole path."""
        node, root, order = handle, self._root, self._order
        while node is not root:
            if not node.locks:
                del order[node]
                size = len(node.segment) // TOKEN_BYTES
                self._evictable -= size
                self._protected += size
            node.locks += 1
            node = node.above
        return handle

    def unlock(self, lock: Any) -> None:
        """Release the path from below, which keeps the order."""
        root, order = self._root, self._order
        while lock is not root:
            lock.locks -= 1
            if not lock.locks:
                order[lock] = None
                size = len(lock.segment) // TOKEN_BYTES
                self._evictable += size
                self._protected -= size
            lock = lock.above

    def insert(self, tokens: Any, row: Tensor, owned: int) -> int:
        """Insert at most one new leaf."""
        return self._inserted(tokens, row, owned)[0]

    def checkpoint(self, tokens: Any, row: Tensor, owned: int, lock: Any) -> Any:
        """Insert and lock with one walk."""
        node = self._inserted(tokens, row, owned)[1]
        self.indices(node, 0)
        self.unlock(lock)
        return self.lock(node)

    def _inserted(self, tokens: Any, row: Tensor, owned: int) -> tuple[int, Any]:
        """Insert. Return the tokens that were cached already, and the node where all of them end."""
        data = self._bytes(tokens)
        node, at = self._walk(data)
        present, end = at // TOKEN_BYTES, node
        if at < len(data):
            segment = data[at:]
            first = segment[: self._page]
            leaf = Node(node, first, segment, row[present : len(data) // TOKEN_BYTES].clone())
            node.below[first] = leaf
            self._order[leaf] = None
            self._evictable += len(segment) // TOKEN_BYTES
            end = leaf
        self._refresh(node)
        if present > owned:
            self.pool.free(row[owned:present])
        return present, end

    def evict(self, tokens: int) -> None:
        """Evict from the front of the order."""
        freed, order, free = 0, self._order, self.pool.free
        while freed < tokens and order:
            node, _ = order.popitem(last=False)
            del node.above.below[node.first]
            freed += len(node.segment) // TOKEN_BYTES
            free(node.slots)
        self._evictable -= freed

    def _bytes(self, tokens: Any) -> bytes:
        data: bytes = tokens.tobytes()
        tail = len(data) % self._page
        return data[:-tail] if tail else data

    def _walk(self, data: bytes) -> tuple[Any, int]:
        """Return the node where the longest prefix ends, after a split if it ends inside, and its length in bytes."""
        node, at, page, end = self._root, 0, self._page, len(data)
        while at < end:
            child = node.below.get(data[at : at + page])
            if child is None:
                break
            segment = child.segment
            if not data.startswith(segment, at):
                shared = common_pages(segment, data, at, page) * page
                return self._split(child, shared), at + shared
            node, at = child, at + len(segment)
        return node, at

    def _split(self, node: Any, size: int) -> Any:
        upper = Node(node.above, node.first, node.segment[:size], node.slots[: size // TOKEN_BYTES])
        upper.locks = node.locks
        upper.above.below[upper.first] = upper  # type: ignore[union-attr]  # the root is never split
        node.segment, node.slots, node.above = node.segment[size:], node.slots[size // TOKEN_BYTES :], upper
        node.first = node.segment[: self._page]
        upper.below[node.first] = node
        if not upper.locks:
            self._order[upper] = None
        return upper

    def _refresh(self, node: Any) -> None:
        root, order = self._root, self._order
        while node is not root:
            if not node.locks:
                order.move_to_end(node)
            node = node.above
