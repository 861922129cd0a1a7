"""The optimized cache with a host tier and a wrong tree: pushes left out, miscounted leaves and tokens, wrong halves of a split."""

from collections.abc import Sequence

import torch
from torch import Tensor

from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.node import ChildKey, Node
from radixcheck.optimized.tier_node import TierCopy, TieredNode
from radixcheck.optimized.tier_tree import TieredTree
from radixcheck.optimized.tree import NodeTree, Walk
from radixcheck.verification.mutants.host_mutant import BY_RUNS
from radixcheck.verification.mutants.rebuilt_host import rebuilt_host


class DemoteWithoutPush(TieredTree):
    """A node without children that leaves the device is counted as a host leaf and gets no entry in the heap of host leaves."""

    def demote(self, leaf: TieredNode) -> None:
        """The fault: the entry is current for nothing."""
        super().demote(leaf)
        leaf.entry = None


class EvictHostForgetsParent(TieredTree):
    """A parent that becomes a host leaf by an eviction is counted and gets no entry in the heap of host leaves."""

    def leave_host(self, leaf: TieredNode) -> Tensor:
        """The fault: the entry of the parent is dropped."""
        parent = leaf.parent
        slots = super().leave_host(leaf)
        if parent is not None and not parent.resident:
            parent.entry = None
        return slots


class FailedLoadWithoutPush(TieredTree):
    """A host leaf whose load has failed is counted again and gets no entry in the heap of host leaves."""

    def unload(self, floor: TieredNode, nodes: Sequence[TieredNode]) -> None:
        """The fault: the entry is dropped."""
        super().unload(floor, nodes)
        nodes[-1].entry = None


class HostTouchWithoutPush(TieredTree):
    """A match that makes the key of a host leaf smaller, as under mru, leaves its old entry in the heap of host leaves."""

    def _refresh(self, path: list[Node]) -> None:
        self.heap.refresh(self.last_resident(path))


class ReviveKeepsEntry(TieredTree):
    """A node that comes back to the device keeps its entry in the heap of host leaves as its current one, so that it gets no other."""

    def revive(self, floor: TieredNode, nodes: Sequence[TieredNode], slots: Tensor, holders: int) -> None:
        """The fault: the entry of the other tier."""
        entry = nodes[-1].entry
        super().revive(floor, nodes, slots, holders)
        if holders:
            nodes[-1].entry = entry


class ReviveForgetsChild(TieredTree):
    """What comes back to the device is not counted as a child there of the node above it."""

    def revive(self, floor: TieredNode, nodes: Sequence[TieredNode], slots: Tensor, holders: int) -> None:
        """The fault: the count of the node that was on the device."""
        super().revive(floor, nodes, slots, holders)
        floor.resident_children -= 1


class SplitForgetsChild(TieredTree):
    """The upper half of a split does not count the lower half as a child on the device."""

    def _split_node(self, lower: Node, size: int) -> Node:
        upper = super()._split_node(lower, size)
        assert isinstance(upper, TieredNode)
        upper.resident_children = 0
        return upper


class DemoteForgetsChild(TieredTree):
    """A node that leaves the device stays counted as a child there of the node above it."""

    def demote(self, leaf: TieredNode) -> None:
        """The fault: the count of the parent."""
        parent = leaf.parent
        assert parent is not None
        parent.resident_children += 1
        super().demote(leaf)


class SplitSwapsHostTensors(TieredTree):
    """The halves of a split get each other's slots on the host."""

    def _divide(self, upper: Node, lower: Node) -> None:
        super()._divide(upper, lower)
        assert isinstance(upper, TieredNode)
        assert isinstance(lower, TieredNode)
        if upper.host is not None and lower.host is not None:
            both = torch.cat((lower.host, upper.host))
            upper.host, lower.host = both[: upper.size].clone(), both[upper.size :].clone()


class SplitLeavesHostTensor(TieredTree):
    """A split leaves the slots on the host to the lower half."""

    def _divide(self, upper: Node, lower: Node) -> None:
        assert isinstance(lower, TieredNode)
        whole = lower.host
        super()._divide(upper, lower)
        assert isinstance(upper, TieredNode)
        upper.host, lower.host = None, whole


class SplitForgetsLoad(TieredTree):
    """The upper half of a split is not pinned, although a load reads it."""

    def _divide(self, upper: Node, lower: Node) -> None:
        super()._divide(upper, lower)
        assert isinstance(upper, TieredNode)
        upper.filling = None


class LeaveHostUncounted(TieredTree):
    """What leaves the host stays counted among the tokens that only the host has."""

    def leave_host(self, leaf: TieredNode) -> Tensor:
        """The fault: the count."""
        slots = super().leave_host(leaf)
        self.host_evictable += leaf.size
        return slots


class ReviveUncountedOnHost(TieredTree):
    """What an insert brings to the device stays counted among the tokens that only the host has."""

    def store(self, path: list[Node], link: ChildKey, segment: bytes, slots: Tensor, hits: int, priority: int, holders: int) -> None:
        """The fault: the count."""
        before = self.host_evictable
        super().store(path, link, segment, slots, hits, priority, holders)
        self.host_evictable = before


class PinUncounted(TieredTree):
    """What a load reads stays counted among the tokens that evictions can free on the host, while it makes room on the device."""

    def pin(self, nodes: Sequence[TieredNode], by: TierCopy) -> None:
        """The fault: the count."""
        super().pin(nodes, by)
        self.host_evictable += sum(node.size for node in nodes)


class RoomChargesHosted(TieredTree):
    """The guard of a start spares what only the host has, too, as if that were on the device already."""

    def evictable_tokens(self, walk: Walk) -> int:
        """The fault: all of the walk counts."""
        return NodeTree.evictable_tokens(self, walk)


class StoreGivesLastSlots(TieredTree):
    """An insert gives the last of its slots to what only the host has, and the first to the new leaf."""

    def store(self, path: list[Node], link: ChildKey, segment: bytes, slots: Tensor, hits: int, priority: int, holders: int) -> None:
        """The fault: the order of the parts."""
        known = slots.numel() - len(segment) // 8
        turned = torch.cat((slots[known:], slots[:known])) if known > 0 and segment else slots
        super().store(path, link, segment, turned, hits, priority, holders)


class ClearKeepsHostLeaves(TieredTree):
    """A reset keeps the number of host leaves."""

    def clear(self) -> list[Tensor]:
        """The fault: the number."""
        kept = self.host_heap.leaf_count
        slots = super().clear()
        self.host_heap.leaf_count = kept
        return slots


class HostHeapNeverTidied(EvictionHeap):
    """Dead entries of the heap of host leaves stay until they are popped."""

    def tidy(self) -> None:
        """The fault: nothing is removed."""


class HostHeapIgnoresPolicy(EvictionHeap):
    """The heap of host leaves has the order of lru, whatever the policy is."""

    def __init__(self, policy: str) -> None:
        super().__init__("lru")
        self.shrinks = policy == "mru"


MUTANTS = (
    rebuilt_host("demote_without_push", "HOST_HEAP_FULL", DemoteWithoutPush),
    rebuilt_host("host_evict_without_push", "HOST_HEAP_FULL", EvictHostForgetsParent, "FB-43"),
    rebuilt_host("failed_load_without_push", "HOST_HEAP_FULL", FailedLoadWithoutPush, directed=BY_RUNS),
    rebuilt_host("host_touch_without_push", "HOST_HEAP_STALE", HostTouchWithoutPush, "FB-46", policy="mru"),
    rebuilt_host("revive_keeps_entry", "HEAP_FULL", ReviveKeepsEntry),
    rebuilt_host("revive_forgets_child", "LEAFSET", ReviveForgetsChild),
    rebuilt_host("split_forgets_child", "LEAFSET", SplitForgetsChild),
    rebuilt_host("demote_forgets_child", "HEAP_FULL", DemoteForgetsChild),
    rebuilt_host("split_swaps_host_tensors", "HOST_SOUND", SplitSwapsHostTensors),
    rebuilt_host("split_leaves_host_tensor", "UNIFORM", SplitLeavesHostTensor),
    rebuilt_host("split_forgets_load", "PIN_COUNT", SplitForgetsLoad),
    rebuilt_host("host_evict_uncounted", "LEAFSET", LeaveHostUncounted),
    rebuilt_host("revive_uncounted_on_host", "LEAFSET", ReviveUncountedOnHost),
    rebuilt_host("pin_uncounted", "LEAFSET", PinUncounted),
    rebuilt_host("room_charges_hosted", "ADMISSION", RoomChargesHosted, directed=BY_RUNS),
    rebuilt_host("store_gives_last_slots", "MATCH_SOUND", StoreGivesLastSlots),
    rebuilt_host("reset_keeps_host_leaves", "LEAFSET", ClearKeepsHostLeaves),
    rebuilt_host("host_heap_never_tidied", "HEAP_BOUND", HostHeapNeverTidied, directed=BY_RUNS),
    rebuilt_host("host_heap_ignores_policy", "HOST_ORDER", HostHeapIgnoresPolicy, policy="filo", directed=BY_RUNS),
)
