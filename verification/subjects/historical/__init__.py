"""The caches that the reviewers of sglang#6907 argued about, faithful to their faults: to be judged, never to be used.

`base` is the cache before the change; `pairs` and `nodes` are two readings of the change; `leaf_set` is what came later in its
place. Their modules say what each is known to do wrong and which claim (C1 to C6) or question (Q1 to Q10, L5) it bears on.
"""

from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.historical.base import BaseTree
from radixcheck.verification.subjects.historical.historical_requests import HistoricalCache
from radixcheck.verification.subjects.historical.leaf_set import LeafSetTree
from radixcheck.verification.subjects.historical.submitted import NodesTree, PairsTree


def base_subject(setup: Setup) -> HistoricalCache:
    """The cache before the change: leaves collected and made a heap at each eviction."""
    return _subject(BaseTree, setup)


def pairs_subject(setup: Setup) -> HistoricalCache:
    """The change with heap entries (time at the push, node), as its description speaks of them."""
    return _subject(PairsTree, setup)


def nodes_subject(setup: Setup) -> HistoricalCache:
    """The change with bare nodes as heap entries, as its quoted code pops them."""
    return _subject(NodesTree, setup)


def leaf_set_subject(setup: Setup) -> HistoricalCache:
    """The cache after sglang#14339: a set of evictable leaves, made a heap at each eviction."""
    return _subject(LeafSetTree, setup)


def _subject(tree: type[BaseTree], setup: Setup) -> HistoricalCache:
    """Raise `ValueError` for a policy other than LRU: the caches of that release have no other."""
    if setup.policy != "lru":
        raise ValueError(f"the historical caches evict by lru only, not by {setup.policy}")
    return HistoricalCache(tree(setup.page_size, setup.pool))
