"""The floor with a host tier, in the simplest form that is correct: a second ordered dictionary has what only the host has.

A copy in flight locks its path, as it must: what it reads or writes stays until it has arrived.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import torch
from torch import Tensor

from radixcheck.optimized import DevicePool
from radixcheck.optimized.keys import TOKEN_BYTES
from radixcheck.verification.bench.drivers.floor_driver import Floor, Node
from radixcheck.verification.bench.host_driver import HostDriver


class HostNode(Node):
    """A node with its slots on the host. Without slots on the device only the host has it."""

    __slots__ = ("host",)

    def __init__(self, above: Node | None, first: bytes, segment: bytes, slots: Tensor | None, host: Tensor | None = None) -> None:
        super().__init__(above, first, segment, slots)
        self.host = host


class HostFloor(HostDriver, Floor):
    """Write-through: a node is on the host if one below it is. Handles: the last node on the device, the last node, tokens between."""

    def __init__(self, pool: Any, host_pool: Any) -> None:
        super().__init__(pool, host_pool)
        self._away: OrderedDict[Any, None] = OrderedDict()  # what only the host has, each node after the nodes below it
        self._queue: tuple[list[tuple[Tensor, Tensor]], ...] = ([], [])  # sources and targets, down and up
        self._copies: list[Any] = []  # the node that each copy locks, in the order of issue
        self._submitted = 0  # how many of them are

    @classmethod
    def real_host(cls, capacity: int, page_size: int) -> DevicePool:
        """Return the pool of our cache."""
        return DevicePool(capacity, page_size)

    def host_available(self) -> int:
        """Return the counter of the pool."""
        return int(self.host_pool.available)

    def match(self, tokens: Any) -> tuple[int, Any]:
        """Match on both tiers."""
        node, at = self._walk(self._bytes(tokens))
        self._refresh(node)
        last, away = self._on_device(node)
        return at // TOKEN_BYTES - away, (last, node, away)

    def behind(self, handle: Any) -> int:
        """Return what the match has counted."""
        return int(handle[2])

    def indices(self, handle: Any, length: int) -> Tensor:
        """Join the slots of the path on the device."""
        return super().indices(handle[0], length)

    def lock(self, handle: Any) -> Any:
        """Lock the path on the device."""
        return super().lock(handle[0])

    def load_back(self, handle: Any) -> tuple[int, Any]:
        """Give the nodes new slots, and lock them until the copy has arrived."""
        last, end, tokens = handle
        short = tokens - self.pool.available
        if short > 0:
            super().lock(last)
            self.evict(short)
            self.unlock(last)
        if tokens > self.pool.available:
            return 0, handle
        slots, at, parts, node = self.pool.alloc(tokens), tokens, [], end
        while node is not last:
            start = at - len(node.segment) // TOKEN_BYTES
            node.slots, at = slots[start:at], start
            parts.append(node.host)
            del self._away[node]
            self._order[node] = None
            node = node.above
        self._evictable += tokens
        self._copy(True, end, torch.cat(parts[::-1]) if len(parts) > 1 else parts[0], slots)
        return tokens, (end, end, 0)

    def flush(self) -> None:
        """Merge what is queued in each direction."""
        for up, queue in enumerate(self._queue):
            if queue:
                sources, targets = zip(*queue, strict=True)
                self.copied.add(bool(up), *((torch.cat(sources), torch.cat(targets)) if len(queue) > 1 else queue[0]))
                queue.clear()
        self._submitted = len(self._copies)

    def poll(self) -> None:
        """Every copy that was submitted has arrived."""
        for node in self._copies[: self._submitted]:
            self.unlock(node)
        del self._copies[: self._submitted]
        self._submitted = 0

    def evict(self, tokens: int) -> None:
        """Evict from the front of the order. What the host has stays in the tree."""
        freed, order, away, free = 0, self._order, self._away, self.pool.free
        while freed < tokens and order:
            node, _ = order.popitem(last=False)
            freed += len(node.segment) // TOKEN_BYTES
            free(node.slots)
            if node.host is None:
                del node.above.below[node.first]
            else:
                node.slots = None
                away[node] = None
        self._evictable -= freed

    def evict_host(self, tokens: int) -> None:
        """Evict from the front of the other order."""
        freed, away, free = 0, self._away, self.host_pool.free
        while freed < tokens and away:
            node, _ = away.popitem(last=False)
            freed += len(node.segment) // TOKEN_BYTES
            free(node.host)
            del node.above.below[node.first]

    def _inserted(self, tokens: Any, row: Tensor, owned: int) -> tuple[int, Any]:
        """Insert, back up what the host does not have, and return the handle of the end of all tokens."""
        data = self._bytes(tokens)
        node, at = self._walk(data)
        present = at // TOKEN_BYTES - self._revive(node, at // TOKEN_BYTES, row)
        end = node
        if at < len(data):
            segment, start, stop = data[at:], at // TOKEN_BYTES, len(data) // TOKEN_BYTES
            end = HostNode(node, segment[: self._page], segment, row[start:stop].clone())
            node.below[end.first] = end
            self._order[end] = None
            self._evictable += stop - start
        self._refresh(node)
        self._back_up(end)
        if present > owned:
            self.pool.free(row[owned:present])
        return present, (end, end, 0)

    def _revive(self, node: Any, at: int, row: Tensor) -> int:
        """Give the slots of a row to what only the host has up to a node, which ends there. Return its tokens."""
        revived = 0
        while node is not self._root and node.slots is None:
            size = len(node.segment) // TOKEN_BYTES
            node.slots = row[at - size : at].clone()
            del self._away[node]
            self._order[node] = None
            at, revived, node = at - size, revived + size, node.above
        self._evictable += revived
        return revived

    def _back_up(self, node: Any) -> None:
        """Back up the nodes of a path that the host does not have, from above, as far as it has room."""
        path: list[Any] = []
        while node is not self._root and node.host is None:
            path.append(node)
            node = node.above
        for one in reversed(path):
            size = len(one.segment) // TOKEN_BYTES
            if size > self.host_pool.available:
                self.evict_host(size - self.host_pool.available)
            if size > self.host_pool.available:
                return
            one.host = self.host_pool.alloc(size)
            self._copy(False, one, one.slots, one.host)

    def _copy(self, up: bool, node: Any, sources: Tensor, targets: Tensor) -> None:
        self._queue[up].append((sources, targets))
        super().lock(node)
        self._copies.append(node)

    def _on_device(self, node: Any) -> tuple[Any, int]:
        """Return the last node of a path that is on the device, and the tokens behind it."""
        away, root = 0, self._root
        while node is not root and node.slots is None:
            away += len(node.segment) // TOKEN_BYTES
            node = node.above
        return node, away

    def _split(self, node: Any, size: int) -> Any:
        upper, tokens = HostNode(node.above, node.first, node.segment[:size], None), size // TOKEN_BYTES
        if node.slots is not None:
            upper.slots, node.slots = node.slots[:tokens], node.slots[tokens:]
        if node.host is not None:
            upper.host, node.host = node.host[:tokens], node.host[tokens:]
        upper.locks, node.segment, node.above = node.locks, node.segment[size:], upper
        upper.above.below[upper.first] = upper  # type: ignore[union-attr]  # the root is never split
        node.first = node.segment[: self._page]
        upper.below[node.first] = node
        if upper.slots is None:
            self._away[upper] = None
        elif not upper.locks:
            self._order[upper] = None
        return upper

    def _refresh(self, node: Any) -> None:
        root, order, away = self._root, self._order, self._away
        while node is not root:
            if node.slots is None:
                away.move_to_end(node)
            elif not node.locks:
                order.move_to_end(node)
            node = node.above
