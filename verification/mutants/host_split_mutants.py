"""Splits that give a half too much or too little of what the whole had on the host."""

from radixcheck.reference.tiered_node import TieredNode, to_tiered
from radixcheck.reference.tree import Walk
from radixcheck.verification.mutants.host_mutant import BY_RUNS, host_mutant
from radixcheck.verification.subjects.reference_host_subject import ReferenceHostSubject


class SteppedTieredSplit(ReferenceHostSubject):
    """A split calls `_after_split` with its two halves."""

    def _split(self, walk: Walk) -> TieredNode:
        upper = super()._split(walk)
        if walk.edge is not None:
            self._after_split(upper, to_tiered(walk.edge))
        return upper

    def _after_split(self, upper: TieredNode, lower: TieredNode) -> None:
        """Nothing more to do."""


class SplitLeavesHostSlots(SteppedTieredSplit):
    """A split cuts the slots of the device only: those of the host all stay with the lower half."""

    def _after_split(self, upper: TieredNode, lower: TieredNode) -> None:
        upper.host, lower.host = [], upper.host + lower.host


class SplitForgetsHostSlots(SteppedTieredSplit):
    """The upper half of a split is not on the host, and its slots there have no owner."""

    def _after_split(self, upper: TieredNode, lower: TieredNode) -> None:
        upper.host = []


class SplitSwapsHostSlots(SteppedTieredSplit):
    """The halves of a split get each other's slots on the host."""

    def _after_split(self, upper: TieredNode, lower: TieredNode) -> None:
        both = lower.host + upper.host
        upper.host, lower.host = both[: len(upper.host)], both[len(upper.host) :]


class SplitForgetsPins(SteppedTieredSplit):
    """The upper half of a split is not pinned, whatever the whole was."""

    def _after_split(self, upper: TieredNode, lower: TieredNode) -> None:
        upper.pins = 0


class SplitOfHostedForgetsHits(SteppedTieredSplit):
    """The upper half of a split begins without hits, so that it is copied to the host after the lower one."""

    def _after_split(self, upper: TieredNode, lower: TieredNode) -> None:
        upper.hits = 0


MUTANTS = (
    host_mutant("split_leaves_host_slots", "UNIFORM", SplitLeavesHostSlots),
    host_mutant("split_forgets_host_slots", "HOST_PARTITION", SplitForgetsHostSlots),
    host_mutant("split_swaps_host_slots", "HOST_SOUND", SplitSwapsHostSlots),
    host_mutant("split_forgets_pins", "PIN_COUNT", SplitForgetsPins, directed=BY_RUNS),
    host_mutant("split_of_hosted_forgets_hits", "FREQ", SplitOfHostedForgetsHits, mode="write_through_selective"),
)
