"""KV events of a cache with a host tier: of pages that can be read on the device, and of pages that can be read on the host.

A copy is announced when it has arrived and was handled by a poll, not when it is issued: what it fills cannot be read before. A copy that
fails announces nothing, nor does its undoing. An eviction announces its victims in order, when the copies of all of them have arrived.
"""

import torch
from torch import Tensor

from radixcheck.optimized.device_pool import Pool
from radixcheck.optimized.node import ChildKey, Node
from radixcheck.optimized.page_events import Announcing
from radixcheck.optimized.tier_memory import TieredMemory
from radixcheck.optimized.tier_node import TierCopy, TieredNode
from radixcheck.optimized.tier_tree import TieredTree
from radixcheck.spec.events.event_values import DEVICE, HOST
from radixcheck.spec.values import Copier


class EmittingTieredTree(TieredTree):
    """A tree that announces its nodes on each tier."""

    def __init__(self, page_size: int, policy: str, device: torch.device, announcer: Announcing) -> None:
        super().__init__(page_size, policy, device)
        self.announcer = announcer
        self.left: list[TieredNode] = []  # victims that have left the device in this eviction, and are not announced yet

    def _divide(self, upper: Node, lower: Node) -> None:
        super()._divide(upper, lower)
        self.announcer.divide(upper, lower)

    def store(self, path: list[Node], link: ChildKey, segment: bytes, slots: Tensor, hits: int, priority: int, holders: int) -> None:
        """Cache the end of a key, and announce all nodes that the device has got."""
        count = self.resident_count(path)
        super().store(path, link, segment, slots, hits, priority, holders)
        for node in path[count:]:
            self.announcer.store(DEVICE, node)

    def demote(self, leaf: TieredNode) -> None:
        """Take a victim that the host has, or gets now, off the device."""
        super().demote(leaf)
        self.left.append(leaf)

    def delete(self, leaf: TieredNode) -> None:
        """Remove a victim that the host does not have from the tree."""
        super().delete(leaf)
        self.left.append(leaf)

    def leave_host(self, leaf: TieredNode) -> Tensor:
        """Remove a victim of the host from the tree, and announce that; return its slots there."""
        host = super().leave_host(leaf)
        self.announcer.remove(HOST, leaf)
        self.announcer.forget(leaf)
        return host

    def drop_behind(self, node: TieredNode) -> list[Tensor]:
        """Remove all that is cached behind a node, which only the host has, and announce that; return its slots there."""
        behind = list(node.children.values())
        for below in behind:  # appends to it
            behind.extend(below.children.values())
        hosts = super().drop_behind(node)
        for below in reversed(behind):
            self.announcer.remove(HOST, below)
            self.announcer.forget(below)
        return hosts

    def clear(self) -> list[Tensor]:
        """Detach every node, and announce that nothing is cached; return their slots on the device."""
        self.announcer.clear()
        return super().clear()


class EmittingTieredMemory(TieredMemory):
    """Announces what copies have brought, and what has left the device."""

    tree: EmittingTieredTree

    def __init__(self, tree: EmittingTieredTree, pool: Pool, host_pool: Pool, copier: Copier[Tensor], mode: str) -> None:
        super().__init__(tree, pool, host_pool, copier, mode)
        self._announcer = tree.announcer

    def _settle(self, copy: TierCopy, failed: bool) -> None:
        nodes = [] if failed else copy.nodes()[::-1]
        super()._settle(copy, failed)
        for node in nodes:
            self._announcer.store(DEVICE if copy.up else HOST, node)

    def _await_written(self) -> None:
        """Wait for the copies of victims, and announce each victim of this eviction: on the host before it is gone from the device."""
        announcer, tickets = self._announcer, dict(self._written)
        victims, self.tree.left = self.tree.left, []
        for victim in victims:
            ticket = tickets.get(victim)
            if ticket is not None:
                ticket.wait()
                if ticket.failed:
                    self._free_host(self.tree.drop_from(victim))
                else:
                    announcer.store(HOST, victim)
            announcer.remove(DEVICE, victim)
            if victim.parent is None:
                announcer.forget(victim)
        self._written.clear()
