"""The tree and the pools of both tiers together: what leaves a tier, and the copies between them.

Evictions free all victims by one call for each tier. A copy is issued by one call of the copier, which may gather many of them in one
transfer: nothing here waits for it, but for the eviction under write_back, which must not free what is still being copied. It issues the
copies of all of its victims before it waits for the first, as long as the host has room for them.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from radixcheck.optimized.device_pool import Pool
from radixcheck.optimized.memory import Memory
from radixcheck.optimized.node import Node
from radixcheck.optimized.tier_node import TierCopy, TieredNode
from radixcheck.optimized.tier_tree import TieredTree
from radixcheck.spec.values import Copier, Ticket

THRESHOLDS = {  # with how many hits a node is backed up after it was cached; None: only when it leaves the device
    "write_through": 1,
    "write_through_selective": 2,
    "write_back": None,
}


def _is_not_hosted(node: Node) -> bool:
    return cast(TieredNode, node).host is None


class TieredMemory(Memory):
    """Evicts the shortfall and no more, on each tier. All amounts are in tokens."""

    tree: TieredTree

    def __init__(self, tree: TieredTree, pool: Pool, host_pool: Pool, copier: Copier[Tensor], mode: str) -> None:
        super().__init__(tree, pool)
        self.host_pool = host_pool
        self.copies: list[TierCopy] = []  # in flight, in the order of issue
        self.loads = 0  # of these
        self._written = list[tuple[TieredNode, Ticket]]()  # victims that left the device in this eviction before their copies arrived
        self._copier = copier
        self._threshold = THRESHOLDS[mode]

    # Requests

    def hold(self, path: Sequence[Node]) -> None:
        """Load back what only the host has of a path, and lock the path."""
        self.load(path)
        super().hold(path)

    def waits(self, node: TieredNode) -> tuple[Ticket, ...]:
        """Return the tickets of the loads that fill slots of the path to `node`, from the root down."""
        if not self.loads:
            return ()
        found, above = dict[TierCopy, None](), node
        while above.parent is not None:
            if above.filling is not None:
                found[above.filling] = None
            above = above.parent
        return tuple(copy.ticket for copy in reversed(found) if copy.ticket is not None)

    # Evictions

    def evict(self, tokens: int) -> int:
        """Evict the least device leaves until `tokens` are freed on the device or none is left; return the tokens freed.

        A leaf that the host has, or gets now, stays in the tree.
        """
        tree, heap, freed = self.tree, self.tree.heap, 0
        slots: list[Tensor] = []
        while freed < tokens and heap.leaf_count:
            victim = cast(TieredNode, heap.pop_victim())
            freed += victim.size
            slots.append(victim.slots)
            if victim.host is not None or (self._threshold is None and self._write_back(victim)):
                tree.demote(victim)
            else:
                tree.delete(victim)
        heap.tidy()
        self._await_written()
        if slots:
            self.pool.free(*slots)
        return freed

    def evict_host(self, tokens: int) -> int:
        """Evict the least host leaves until `tokens` are freed on the host or none is left; return the tokens freed."""
        tree, heap, freed = self.tree, self.tree.host_heap, 0
        slots: list[Tensor] = []
        while freed < tokens and heap.leaf_count:
            victim = cast(TieredNode, heap.pop_victim())
            freed += victim.size
            slots.append(tree.leave_host(victim))
        heap.tidy()
        self._free_host(slots)
        return freed

    def _write_back(self, victim: TieredNode) -> bool:
        """Issue the copy of a victim to the host, and return whether the host has room for it.

        If it has none, what only the host has behind the victim leaves the tree.
        """
        if victim.size > self.host_pool.available:
            self._await_written()  # what is evicted for this one must not be a copy in flight, and one that fails gives room
        if self._make_host_room(victim.size):
            victim.host = self.host_pool.alloc(victim.size)
            self._written.append((victim, self._copier.copy(False, victim.slots, victim.host)))
            return True
        self._free_host(self.tree.drop_behind(victim))
        return False

    def _await_written(self) -> None:
        """Wait for the copies of victims. One that has failed leaves the tree, with what only the host has behind it."""
        for victim, ticket in self._written:
            ticket.wait()
            if ticket.failed:
                self._free_host(self.tree.drop_from(victim))
        self._written.clear()

    def _free_host(self, slots: Sequence[Tensor]) -> None:
        if slots:
            self.host_pool.free(*slots)

    def _make_host_room(self, needed: int) -> bool:
        """Evict the shortfall on the host; return whether it has room now. Evicts nothing if that would not be enough."""
        shortfall = needed - self.host_pool.available
        if shortfall > self.tree.host_evictable or needed > self.host_pool.capacity:
            return False
        if shortfall > 0:
            self.evict_host(shortfall)
        return True

    # Copies

    def back_up_used(self, path: Sequence[Node]) -> None:
        """In the write-through modes, issue copies of the nodes of a path with enough hits: its first ones (ATTRIBUTE_MONO)."""
        threshold = self._threshold
        if threshold is None or not path or not _is_not_hosted(path[-1]):
            return
        first = bisect_left(path, True, key=_is_not_hosted)  # what the host has of a path comes first (HOST_CLOSED)
        for i in range(first, len(path)):
            if path[i].hits < threshold or not self._back_up(path[: i + 1]):
                return

    def back_up(self, path: Sequence[Node]) -> int:
        """Issue copies of the last node of a path, in the write-through modes of what lies above it first; return their tokens."""
        first = len(path) - 1 if self._threshold is None else bisect_left(path, True, key=_is_not_hosted)
        issued = 0
        for i in range(max(first, 0), len(path)):
            if not _is_not_hosted(path[i]) or not self._back_up(path[: i + 1]):
                break
            issued += path[i].size
        return issued

    def _back_up(self, path: Sequence[Node]) -> bool:
        """Issue the copy of the last node of a path, and return whether the host has room for it."""
        node = cast(TieredNode, path[-1])
        if not self._make_host_room(node.size):
            return False
        assert node.parent is not None
        node.host = self.host_pool.alloc(node.size)
        self.tree.lock_path(path)
        self._send(TierCopy(False, node.parent, node, node.slots, node.host))
        return True

    def load(self, path: Sequence[Node]) -> None:
        """Issue one copy to the device of what only the host has of a path, if there is anything. The device has room for it."""
        tree = self.tree
        count = tree.resident_count(path)
        if count == len(path):
            return
        nodes = cast("list[TieredNode]", path[count:])
        floor = tree.last_resident(path)
        tree.lock_path(path[:count])  # the eviction that makes room spares what the load hangs on
        hosts = [node.host for node in nodes if node.host is not None]
        sources = hosts[0] if len(hosts) == 1 else torch.cat(hosts)
        copy = TierCopy(True, floor, nodes[-1], sources, sources)
        tree.pin(nodes, copy)  # and under write_back what it reads
        copy.targets = self.take(sources.numel())
        tree.revive(floor, nodes, copy.targets, 1)
        self.loads += 1
        self._send(copy)

    def poll(self) -> list[Ticket]:
        """Handle every copy that is done, in the order of issue; return their tickets."""
        copies = self.copies
        if not copies:
            return []
        self.copies, done, tickets = [], list[TierCopy](), list[Ticket]()
        for copy in copies:
            ticket = copy.ticket
            assert ticket is not None, "it was issued"
            if ticket.done:
                done.append(copy)
                tickets.append(ticket)
            else:
                self.copies.append(copy)
        for copy, ticket in zip(done, tickets, strict=True):
            self._settle(copy, ticket.failed)
        return tickets

    def _send(self, copy: TierCopy) -> None:
        copy.ticket = self._copier.copy(copy.up, copy.sources, copy.targets)
        self.copies.append(copy)

    def _settle(self, copy: TierCopy, failed: bool) -> None:
        """Let go of what a copy held, which has arrived or is undone; issue a failed one again if something rests on it."""
        if copy.up:
            self._settle_load(copy, failed)
        elif not failed:
            self.tree.unlock_path(copy.end)
        elif self._hosted_behind(copy):
            self._send(copy)
        else:
            for node in copy.nodes():
                node.host = None
            self.host_pool.free(copy.targets)
            self.tree.unlock_path(copy.end)

    def _settle_load(self, copy: TierCopy, failed: bool) -> None:
        nodes = copy.nodes()[::-1]
        if failed and (nodes[-1].resident_children or any(node.local_lock_ref > 1 or node.resident_children > 1 for node in nodes)):
            self._send(copy)
            return
        self.loads -= 1
        for node in nodes:
            node.filling = None
        if failed:
            self.tree.unload(copy.floor, nodes)
            self.pool.free(copy.targets)
        else:
            self.tree.unlock_path(copy.end)

    def _hosted_behind(self, copy: TierCopy) -> bool:
        """Return whether a backup that has failed must be issued again: in the write-through modes, if the host has what is behind it."""
        if self._threshold is None:
            return False
        nodes = copy.nodes()
        behind = (child for node in nodes for child in node.children.values() if child not in nodes)
        return any(not _is_not_hosted(child) for child in behind)
