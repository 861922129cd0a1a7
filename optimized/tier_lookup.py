"""Keys that are looked up repeatedly in a cache with a host tier: how much of them the device has."""

from typing import cast

from radixcheck.optimized.lookup import Lookup
from radixcheck.optimized.tier_node import TieredNode
from radixcheck.optimized.tier_tree import TieredTree


class TieredLookup(Lookup):
    """A key, and where the device's part of the last walk along it ended."""

    __slots__ = ("_absent", "_floor")

    _tree: TieredTree
    _absent: TieredNode | None  # the first node of the walk that only the host has, which is a child of `_floor`
    _floor: TieredNode  # the last one that the device has, or the root

    def _is_current(self) -> bool:
        """Return whether the device's part of a walk would end where the last one did.

        It still does while its last node and the next one are on the tiers that they were on, and next to each other: a split of the
        next node puts a new one between. Without a next node, as long as the walk itself would end where it did.
        """
        if not self._floor.resident:
            return False
        if self._absent is not None:
            return self._absent.parent is self._floor and not self._absent.resident
        return super()._is_current() and (self._edge is None or cast(TieredNode, self._edge).resident)

    def _walk(self) -> None:
        walk = self._tree.walk(self._namespace, self._data)
        path, _, self._edge, _, self._link = walk
        self._node = path[-1] if path else self._tree.root
        self._absent, self._floor = self._tree.first_absent(walk), self._tree.last_resident(path)
        self.length = self._tree.device_length(walk)
