"""Evictions from the device and from the host that take the wrong node, leave a part of it behind, or count wrongly."""

from collections.abc import Iterable

from radixcheck.reference.eviction import evict_least
from radixcheck.reference.node import below
from radixcheck.reference.tiered_node import TieredNode, is_device_leaf, is_host_leaf, tokens_of
from radixcheck.verification.mutants.host_mutant import BY_RUNS, SteppedTiers, TakesLocked, host_mutant
from radixcheck.verification.subjects.reference_host_subject import ReferenceHostSubject


class HostEvictIgnoresPins(SteppedTiers):
    """The host evicts what a load is about to read."""

    def _make_host_room(self, needed: int) -> bool:
        shortfall = needed - self.host_pool.available
        return shortfall <= 0 or self.evict_host(shortfall) >= shortfall

    def _host_candidates(self) -> Iterable[TieredNode]:
        return [node for node in below(self.root) if not node.is_resident and not node.children]

    def _leave_host(self, leaf: TieredNode) -> None:
        self._unlink(leaf)
        self._free_slots(leaf)


class HostEvictKeepsNode(SteppedTiers):
    """A victim of the host gives up its slots and stays in the tree, without slots on any tier."""

    def _host_candidates(self) -> Iterable[TieredNode]:
        return [node for node in super()._host_candidates() if node.host]

    def _leave_host(self, leaf: TieredNode) -> None:
        self.host_pool.free(leaf.host)
        leaf.host = []


class HostEvictInternal(SteppedTiers):
    """The host evicts nodes that have children: these are cut off."""

    def _host_candidates(self) -> Iterable[TieredNode]:
        return [node for node in below(self.root) if not node.is_resident and node.pins == 0]

    def _leave_host(self, leaf: TieredNode) -> None:
        self._unlink(leaf)
        self._free_slots(leaf)


class HostEvictKeepsSlots(ReferenceHostSubject):
    """A victim of the host leaves the tree, but its slots are not freed."""

    def _leave_host(self, leaf: TieredNode) -> None:
        self._unlink(leaf)


class HostEvictCountsNothing(ReferenceHostSubject):
    """An eviction on the host never adds up what it has freed: it empties the host, and answers 0."""

    def evict_host(self, tokens: int) -> int:
        """The fault: it goes on until nothing is left."""
        super().evict_host(self.host_pool.capacity if tokens > 0 else tokens)
        return 0


class HostEvictSkipsPromoted(ReferenceHostSubject):
    """The leaves of the host are listed once: a parent that becomes one has to wait for the next eviction."""

    def evict_host(self, tokens: int) -> int:
        """The fault: no parent is added to the list."""
        leaves = filter(is_host_leaf, below(self.root))
        return evict_least(tokens, leaves, lambda node: False, self._eviction_key, self._leave_host)


class HostEvictOldestFirst(ReferenceHostSubject):
    """The host evicts the leaf that was created first, whatever the policy."""

    def evict_host(self, tokens: int) -> int:
        """The fault: the order."""
        leaves = filter(is_host_leaf, below(self.root))
        return evict_least(tokens, leaves, is_host_leaf, lambda node: (node.creation, node.time), self._leave_host)


class HostAvailableUncounted(ReferenceHostSubject):
    """The host counts slots as free until the copy to them has arrived."""

    def host_available(self) -> int:
        """The fault: another backup is admitted for which there is no room."""
        return super().host_available() + sum(len(copy.targets) for copy in self.copies if not copy.up)


class DemoteIgnoresLock(TakesLocked, SteppedTiers):
    """What the host has may leave the device although a request reads it there."""

    def _device_candidates(self) -> Iterable[TieredNode]:
        return [node for node in below(self.root) if is_device_leaf(node) or self._is_hosted_leaf(node)]

    def _is_hosted_leaf(self, node: TieredNode) -> bool:
        return node.is_resident and node.is_hosted and not any(child.is_resident for child in node.children.values())


class DemoteAboveResident(SteppedTiers):
    """What the host has may leave the device although the device has what continues it."""

    def _device_candidates(self) -> Iterable[TieredNode]:
        return [node for node in below(self.root) if node.is_resident and node.lock == 0 and (node.is_hosted or is_device_leaf(node))]


class DemoteUncounted(ReferenceHostSubject):
    """The evictable size does not fall when a node leaves the device and stays on the host."""

    def _take_off_device(self, nodes: list[TieredNode]) -> None:
        super()._take_off_device(nodes)
        self._evictable += tokens_of(nodes)


class DemoteKeepsSlots(ReferenceHostSubject):
    """A node that leaves the device keeps the slots that it has given back."""

    def _take_off_device(self, nodes: list[TieredNode]) -> None:
        kept = [node.slots for node in nodes]
        super()._take_off_device(nodes)
        for node, slots in zip(nodes, kept, strict=True):
            node.slots = slots


class DemoteRefreshes(ReferenceHostSubject):
    """A node that leaves the device for the host counts as used."""

    def _take_off_device(self, nodes: list[TieredNode]) -> None:
        super()._take_off_device(nodes)
        self._touch(nodes[-1])


class DeleteCutsOffHosted(ReferenceHostSubject):
    """A node that is deleted for lack of room on the host is removed with what only the host has below it."""

    def _write_back(self, leaf: TieredNode) -> bool:
        children, leaf.children = leaf.children, {}
        written = super()._write_back(leaf)
        if written:
            leaf.children = children
        return written


class DeleteForgetsHost(ReferenceHostSubject):
    """A leaf of the tree that leaves the device leaves the tree too, and its slots on the host are not freed."""

    def _leave_device(self, leaf: TieredNode) -> None:
        if leaf.children or not leaf.is_hosted:
            super()._leave_device(leaf)
        else:
            leaf.host = []
            self._evict(leaf)


class DeleteHosted(ReferenceHostSubject):
    """A leaf of the tree that leaves the device leaves the host too, in vain."""

    def _leave_device(self, leaf: TieredNode) -> None:
        if leaf.children or not leaf.is_hosted:
            super()._leave_device(leaf)
        else:
            self._evict(leaf)


class DeviceLeafByAllChildren(SteppedTiers):
    """A node counts as a leaf of the device only if it has no children on any tier, so that its slots are never given back."""

    def _device_candidates(self) -> Iterable[TieredNode]:
        return [node for node in super()._device_candidates() if not node.children]


class EvictGivesUpWithoutHost(SteppedTiers):
    """A leaf for whose copy the host has no free room now stays on the device."""

    def _device_candidates(self) -> Iterable[TieredNode]:
        return [node for node in super()._device_candidates() if node.is_hosted or len(node.segment) <= self.host_pool.available]


class DemoteForgetsHostSlots(ReferenceHostSubject):
    """Of a node that is written back nothing is left in the tree: its copy on the host has no node."""

    def _take_off_device(self, nodes: list[TieredNode]) -> None:
        super()._take_off_device(nodes)
        for node in nodes:
            if not node.children:
                self._unlink(node)


class ResetKeepsHostSlots(ReferenceHostSubject):
    """A reset gives the slots of the device back, and not those of the host."""

    def reset(self) -> None:
        """The fault: no node leads to them any more."""
        if not (self.requests or self._receipts or self._loans or self.copies):
            for node in below(self.root):
                node.host = []
        super().reset()


class ResetForgetsCopies(ReferenceHostSubject):
    """A reset does not wait for copies in flight, which go on to write to slots that are free."""

    def reset(self) -> None:
        """The fault: the locks of copies are forgotten with the nodes."""
        if not (self.requests or self._receipts or self._loans):
            self.copies, self._evictable, self._protected = [], self._evictable + self._protected, 0
        super().reset()


MUTANTS = (
    host_mutant("host_evict_ignores_pins", "SOURCE", HostEvictIgnoresPins, "FB-17", mode="write_back", policy="mru", directed=BY_RUNS),
    host_mutant("host_evict_keeps_node", "REACHABLE", HostEvictKeepsNode),
    host_mutant("host_evict_internal", "HOST_PARTITION", HostEvictInternal, "FB-42"),
    host_mutant("host_evict_keeps_slots", "HOST_PARTITION", HostEvictKeepsSlots),
    host_mutant("host_evict_counts_nothing", "HOST_EXACT", HostEvictCountsNothing, "FB-20"),
    host_mutant("host_evict_skips_promoted", "HOST_PARTITION", HostEvictSkipsPromoted, "FB-43"),
    host_mutant("host_evict_oldest_first", "HOST_ORDER", HostEvictOldestFirst, policy="filo", directed=BY_RUNS),
    host_mutant("host_available_uncounted", "HOST_COUNT", HostAvailableUncounted),
    host_mutant("demote_ignores_lock", "LOCKED_RESIDENT", DemoteIgnoresLock),
    host_mutant("demote_above_resident", "DEVICE_CLOSED", DemoteAboveResident),
    host_mutant("demote_uncounted", "COUNT", DemoteUncounted),
    host_mutant("demote_keeps_slots", "MATCH_SOUND", DemoteKeepsSlots),
    host_mutant("demote_refreshes", "RECENCY", DemoteRefreshes, "FB-54"),
    host_mutant("delete_cuts_off_hosted", "HOST_PARTITION", DeleteCutsOffHosted, "FB-57", mode="write_back", directed=BY_RUNS),
    host_mutant("delete_forgets_host", "HOST_PARTITION", DeleteForgetsHost),
    host_mutant("delete_hosted", "HOST_PARTITION", DeleteHosted),
    host_mutant("device_leaf_by_all_children", "SLOT_PARTITION", DeviceLeafByAllChildren, "FB-44"),
    host_mutant("evict_gives_up_without_host", "SLOT_PARTITION", EvictGivesUpWithoutHost, "FB-59", mode="write_back", directed=BY_RUNS),
    host_mutant("demote_forgets_host_slots", "HOST_PARTITION", DemoteForgetsHostSlots, mode="write_back"),
    host_mutant("reset_keeps_host_slots", "HOST_PARTITION", ResetKeepsHostSlots),
    host_mutant("reset_forgets_copies", "MISUSE", ResetForgetsCopies),
)
