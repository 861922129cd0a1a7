"""The radix tree with two tiers: the steps of `tree.py` where a path may end with nodes that only the host has, and those of a host tier.

Each step is a transition of `spec/host/`: `revive` REVIVE and LOAD, `unload` FAIL_LOAD, `demote` DEMOTE, `delete` DELETE, `leave_host`
EVICT_HOST. What becomes a candidate of the host's heap is pushed by the steps that the proof of HOST_HEAP_FULL names (`spec/host/
host_heap.py`): the demotion of a node without children, the eviction of an only child, and a load that is undone.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import ClassVar, cast

import torch
from torch import Tensor

from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.keys import TOKEN_BYTES
from radixcheck.optimized.node import NO_CHILDREN, ChildKey, Node
from radixcheck.optimized.tier_node import TierCopy, TieredNode
from radixcheck.optimized.tree import NodeTree, Walk


def _is_absent(node: Node) -> bool:
    return not cast(TieredNode, node).resident


class TieredTree(NodeTree):
    """Nodes below one root on two tiers. `evictable` and `protected` are tokens on the device."""

    kind: ClassVar[type[Node]] = TieredNode
    root: TieredNode

    def __init__(self, page_size: int, policy: str, device: torch.device) -> None:
        super().__init__(page_size, policy, device)
        self.host_heap = EvictionHeap(policy)
        self.host_evictable = 0  # tokens on nodes that only the host has and no load reads: evictions can free all of them

    # Paths

    def resident_count(self, path: Sequence[Node]) -> int:
        """Return how many nodes of a path, its first ones, the device has."""
        if not path or not _is_absent(path[-1]):
            return len(path)
        return bisect_left(path, True, key=_is_absent)

    def resident_part(self, path: Sequence[Node]) -> Sequence[Node]:
        """Return the nodes of a path that the device has."""
        return path if not path or not _is_absent(path[-1]) else path[: self.resident_count(path)]

    def last_resident(self, path: Sequence[Node]) -> TieredNode:
        """Return the last node of a path that the device has, or the root."""
        count = self.resident_count(path)
        return cast(TieredNode, path[count - 1]) if count else self.root

    def first_absent(self, walk: Walk) -> TieredNode | None:
        """Return the first node of a walk that only the host has, or the edge inside which the walk ended."""
        path, edge = walk.path, walk.edge
        if path and _is_absent(path[-1]):
            return cast(TieredNode, path[self.resident_count(path)])
        return cast(TieredNode, edge) if edge is not None and _is_absent(edge) else None

    def device_length(self, walk: Walk) -> int:
        """Return how many tokens of a walk have slots on the device."""
        absent = self.first_absent(walk)
        return walk.length if absent is None else absent.end - absent.size

    def evictable_tokens(self, walk: Walk) -> int:
        """Return the tokens of a walk on the device that no lock protects now, and that a lock of its path would protect."""
        absent = self.first_absent(walk)
        if absent is None:
            return super().evictable_tokens(walk)
        return absent.end - absent.size - self.locked_end(walk.path)

    def locked_end(self, path: Sequence[Node]) -> int:
        """Return where the protected part of a path ends, in tokens from the root."""
        return next((node.end for node in reversed(path) if node.local_lock_ref), 0)  # all nodes above a protected one are protected

    def pieces(self, path: Sequence[Node]) -> list[Tensor]:
        """Return the slots on the device of a path, node by node."""
        return super().pieces(self.resident_part(path))

    def relock(self, held: Node, path: Sequence[Node]) -> None:
        """Move a holder from `held` to the last node of `path` that the device has; `path` begins below `held`."""
        super().relock(held, self.resident_part(path))

    # Steps

    def _divide(self, upper: Node, lower: Node) -> None:
        """Divide the slots of a node that is split, on each tier that has it."""
        upper, lower = cast(TieredNode, upper), cast(TieredNode, lower)
        upper.resident, upper.filling = lower.resident, lower.filling
        if lower.resident:
            super()._divide(upper, lower)
        if (whole := lower.host) is not None:
            upper.host, lower.host = whole.narrow_copy(0, 0, upper.size), whole.narrow_copy(0, upper.size, lower.size)

    def _refresh(self, path: list[Node]) -> None:
        """Refresh the candidate of each tier on a path whose keys have become smaller."""
        if _is_absent(path[-1]):
            self.host_heap.refresh(path[-1])
        self.heap.refresh(self.last_resident(path))

    def store(self, path: list[Node], link: ChildKey, segment: bytes, slots: Tensor, hits: int, priority: int, holders: int) -> None:
        """Cache the end of a key: of the slots, the first go to the nodes that only the host has, the others to a new leaf."""
        count = self.resident_count(path)
        if count < len(path):
            absent = cast("list[TieredNode]", path[count:])
            known = slots.numel() - len(segment) // TOKEN_BYTES
            self.revive(self.last_resident(path), absent, slots[:known], holders)
            slots = slots[known:].clone()
        if segment:
            super().store(path, link, segment, slots, hits, priority, holders)

    def revive(self, floor: TieredNode, nodes: Sequence[TieredNode], slots: Tensor, holders: int) -> None:
        """Give slots on the device to `nodes`, a path behind `floor` that only the host has.

        If a request or a copy holds `floor`, and `holders` is 1, it holds the last of these nodes afterwards.
        """
        end = nodes[-1]
        was_candidate = floor.is_evictable_leaf()
        was_host_candidate = end.is_evictable_leaf()
        at, parent = 0, floor
        for node in nodes:
            node.slots = slots.narrow_copy(0, at, node.size)
            node.resident, node.entry, node.local_lock_ref = True, None, holders
            parent.resident_children += 1
            at, parent = at + node.size, node
        if nodes[0].filling is None:  # a load has counted it when it began to read
            self.host_evictable -= at
        if was_host_candidate:
            self.host_heap.forget(end)
        if was_candidate:
            self.heap.retire(floor)
        if holders:
            self.protected += at
        else:
            self.evictable += at
            self.heap.push(end)

    def pin(self, nodes: Sequence[TieredNode], by: TierCopy) -> None:
        """Keep on the host what a load is going to read: `nodes`, a path that only the host has."""
        end = nodes[-1]
        was_candidate = end.is_evictable_leaf()
        for node in nodes:
            node.filling = by
            self.host_evictable -= node.size
        if was_candidate:
            self.host_heap.retire(end)

    def unload(self, floor: TieredNode, nodes: Sequence[TieredNode]) -> None:
        """Take `nodes`, a path behind `floor`, off the device with the one holder that they have. Nothing is resident behind them."""
        for node in nodes:
            assert node.local_lock_ref == 1, "only the load holds them"
            node.local_lock_ref = 0
            self.protected -= node.size
            self._take_off(node)
        if nodes[-1].is_evictable_leaf():
            self.host_heap.push(nodes[-1])
        floor.resident_children -= 1
        self.unlock_path(floor)

    def demote(self, leaf: TieredNode) -> None:
        """Take a victim that the host has off the device."""
        parent = leaf.parent
        assert parent is not None
        self.evictable -= leaf.size
        self._take_off(leaf)
        if not leaf.children:
            self.host_heap.push(leaf)
        parent.resident_children -= 1
        if parent.is_evictable_leaf():
            self.heap.push(parent)

    def _take_off(self, node: TieredNode) -> None:
        """Make a node one that only the host has. Its entry stays behind in the heap of the device, and is dead."""
        assert node.host is not None, "it would be lost"
        node.slots, node.resident, node.entry, node.resident_children = self.nothing, False, None, 0
        self.host_evictable += node.size

    def delete(self, leaf: TieredNode) -> None:
        """Remove a victim that the host does not have from the tree. Nothing is cached behind it."""
        assert leaf.parent is not None
        leaf.parent.resident_children -= 1
        self.evict_leaf(leaf)

    def leave_host(self, leaf: TieredNode) -> Tensor:
        """Remove a victim of the host from the tree; return its slots there."""
        return self._leave_tree(leaf)

    def _leave_tree(self, leaf: TieredNode) -> Tensor:
        """Remove a node with nothing behind it; return its slots on the host. A parent that becomes a host leaf is a candidate at once."""
        parent, host = leaf.parent, leaf.host
        assert parent is not None
        assert host is not None
        del parent.children[leaf.child_key]
        leaf.parent = None
        self.host_evictable -= leaf.size
        if not parent.resident and parent.is_evictable_leaf():
            self.host_heap.push(parent)
        return host

    def drop_behind(self, node: TieredNode) -> list[Tensor]:
        """Remove all that is cached behind a node, which only the host has; return its slots there."""
        hosts = []
        behind = cast("list[TieredNode]", list(node.children.values()))
        node.children = NO_CHILDREN
        for below in behind:  # appends to it
            behind.extend(cast("list[TieredNode]", list(below.children.values())))
            was_candidate = below.is_evictable_leaf()
            assert below.host is not None
            hosts.append(below.host)
            self.host_evictable -= below.size
            below.parent, below.children = None, NO_CHILDREN
            if was_candidate:
                self.host_heap.retire(below)
        return hosts

    def drop_from(self, node: TieredNode) -> list[Tensor]:
        """Remove a node that only the host has, and all that is cached behind it; return their slots there."""
        was_candidate = node.is_evictable_leaf()
        hosts = [*self.drop_behind(node), self._leave_tree(node)]
        if was_candidate:
            self.host_heap.forget(node)
        return hosts

    def host_slots(self) -> list[Tensor]:
        """Return the slots on the host of every node."""
        nodes = cast("list[TieredNode]", list(self.root.children.values()))
        for node in nodes:  # appends to it
            nodes.extend(cast("list[TieredNode]", list(node.children.values())))
        return [node.host for node in nodes if node.host is not None]

    def clear(self) -> list[Tensor]:
        """Detach every node; return their slots on the device."""
        slots = super().clear()
        self.root.resident_children, self.host_evictable = 0, 0
        self.host_heap.clear()
        return slots
