"""The caches that the reviewers of sglang#6907 discussed, with their faults: to be checked, never to be used.

`base` is the cache before the change; `pairs` and `nodes` are two readings of the change; `leaf_set` is the later change that replaced
it. `hierarchical` is the cache with a host tier that extends each of them. Their modules list the known faults of each, with the claims
(C1 to C6, C10) and questions (Q1 to Q10, L5) that they concern.
"""

from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.historical.base import BaseTree
from radixcheck.verification.subjects.historical.hierarchical import HierarchicalTree
from radixcheck.verification.subjects.historical.hierarchical_subject import HierarchicalCache, hierarchical_cache
from radixcheck.verification.subjects.historical.historical_subject import HistoricalCache, historical_cache
from radixcheck.verification.subjects.historical.submitted import LeafSetTree, NodesTree, PairsTree


def base_subject(setup: Setup) -> HistoricalCache:
    """The cache before the change: each eviction collects the leaves and makes a heap of them."""
    return historical_cache(BaseTree, setup)


def pairs_subject(setup: Setup) -> HistoricalCache:
    """The change with heap entries (time at the push, node), as its description has them."""
    return historical_cache(PairsTree, setup)


def nodes_subject(setup: Setup) -> HistoricalCache:
    """The change with bare nodes as heap entries, as its quoted code pops them."""
    return historical_cache(NodesTree, setup)


def leaf_set_subject(setup: Setup) -> HistoricalCache:
    """The cache after sglang#14339: a set of evictable leaves, made a heap at each eviction."""
    return historical_cache(LeafSetTree, setup)


class HierarchicalBase(HierarchicalTree, BaseTree):
    """The hierarchical cache over the base class of its release."""


class HierarchicalPairs(HierarchicalTree, PairsTree):
    """The same over the submitted base class, whose heap has pairs."""


class HierarchicalNodes(HierarchicalTree, NodesTree):
    """The same over the submitted base class, whose heap has bare nodes."""


def hierarchical_base_subject(setup: Setup) -> HierarchicalCache:
    """The hierarchical cache before the change."""
    return hierarchical_cache(HierarchicalBase, setup)


def hierarchical_pairs_subject(setup: Setup) -> HierarchicalCache:
    """The unchanged hierarchical cache over the change (C10), with heap entries (time at the push, node)."""
    return hierarchical_cache(HierarchicalPairs, setup)


def hierarchical_nodes_subject(setup: Setup) -> HierarchicalCache:
    """The unchanged hierarchical cache over the change (C10), with bare nodes as heap entries."""
    return hierarchical_cache(HierarchicalNodes, setup)
