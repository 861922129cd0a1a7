"""The hierarchical cache of release 0.4.6.post5 as a subject, over any of the historical trees as its base class.

It has the tree verbs and those of the host tier. When a node is copied to the host is its own decision, so it has no `backup`.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from radixcheck.reference import SlotPool
from radixcheck.spec.values import StaleHandle, StillHeld, Ticket, TieredMatch
from radixcheck.verification.protocol import MODES, Observation, SeenNode, Setup
from radixcheck.verification.remote.serve import Key
from radixcheck.verification.subjects.engine_shim import AnyKey
from radixcheck.verification.subjects.historical.base import Node, above
from radixcheck.verification.subjects.historical.hierarchical import HierarchicalTree, HostTier
from radixcheck.verification.subjects.historical.historical_subject import ClearedPool, HistoricalCache, HistoricalTree, cleared_pool

CHOICES = {"slots given back in load_back": "it makes room for a load that does not fit, too (FB-21): no engine above it looks first"}


class TieredTree(HistoricalTree):
    """The tree and its host tier as their engine calls them."""

    supports = replace(HistoricalTree.supports, requests=False, modes=MODES, without=frozenset({"backup"}), choices=CHOICES)

    cache: HierarchicalTree

    def __init__(self, cache: HierarchicalTree, pool: ClearedPool, host_pool: ClearedPool) -> None:
        super().__init__(cache, pool)
        self._host_pool = host_pool

    def tiered_match(self, key: Key) -> TieredMatch[list[int]]:
        """Return what the device has, and how far the host goes on from there."""
        slots, last = self.match(key)
        node, host_length = last, 0
        while node.value is None:
            node, host_length = above(node), host_length + len(node.key)
        return TieredMatch(len(slots), slots, node, host_length, last)

    def attached(self, node: object) -> bool:
        """Return whether the root leads to this node and the device has it."""
        return self.cached(node) and isinstance(node, Node) and node.value is not None

    def cached(self, node: object) -> bool:
        """Return whether the root leads to this node."""
        return super().attached(node)

    def reset(self) -> None:
        """Forget the tree, and clear both pools as a whole."""
        super().reset()
        self._host_pool.clear()

    def observe(self, requests: Mapping[int, Any]) -> Observation:
        """Return the nodes of both tiers, and the copies in flight."""
        return replace(super().observe(requests), copies=self.cache.queue.seen())

    def _seen(self, node: Node) -> SeenNode:
        """Return a node on both tiers. It counts its pins as a flag: nodes that are loaded are locked, so that no second load begins."""
        seen = self._seen_with(node, node.value or ())
        return seen._replace(host_slots=tuple(node.host or ()), pins=int(node.loading))


class HierarchicalCache(HistoricalCache):
    """The subject."""

    tree: TieredTree

    def match(self, key: AnyKey) -> TieredMatch[list[int]]:
        """Return the longest cached prefix in whole pages, by tiers."""
        return self.tree.tiered_match(self._whole(key))

    def load_back(self, node: object) -> int:
        """Load what only the host has on the path to a node."""
        if not isinstance(node, Node) or not self.tree.cached(node):
            raise StaleHandle("this node has left the tree")
        return self.tree.cache.load_back(node)

    def poll(self) -> list[Ticket]:
        """Acknowledge copies."""
        return self.tree.cache.poll()

    def evict_host(self, tokens: int) -> int:
        """Return the tokens freed on the host."""
        return self.tree.cache.evict_host(tokens)

    def host_available(self) -> int:
        """Return the free slots of the host pool."""
        return self.tree.cache.host_pool.available

    def reset(self) -> None:
        """Forget everything."""
        if self.tree.cache.queue.copies:
            raise StillHeld("a copy is in flight")
        super().reset()


def hierarchical_cache(tree: type[HierarchicalTree], setup: Setup) -> HierarchicalCache:
    """Return a hierarchical cache as a subject; without a host pool the host has no slots. Raises ValueError for any policy but LRU."""
    pool, host_pool = cleared_pool(setup), ClearedPool(setup.host_pool or SlotPool(0, setup.page_size))
    tier = HostTier(host_pool, setup.copier, setup.mode)
    return HierarchicalCache(TieredTree(tree(setup.page_size, pool, tier), pool, host_pool), pool)
