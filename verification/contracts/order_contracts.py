"""Contracts on the order of eviction: the keys that a policy gives to leaves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from radixcheck.optimized.heap import POLICIES as FAST
from radixcheck.reference.eviction import POLICIES as READABLE
from radixcheck.verification.contracts.contract import Contract
from radixcheck.verification.contracts.small import chosen

NAMES = tuple(READABLE)
GROWING = tuple(name for name in NAMES if name != "mru")  # policies under which an access never makes a key smaller


@dataclass(frozen=True, slots=True)
class Leaf:
    """The attributes that a policy reads."""

    time: int
    creation: int
    hits: int
    priority: int


Keys = Callable[[str, Any], tuple[int, int]]  # policy, node -> key


def _strict_total_order(
    key: Keys, policy: int, t: int, u: int, v: int, c: int, d: int, e: int, h: int, i: int, j: int, p: int, q: int, r: int
) -> bool:
    """The keys of leaves with different times are in a strict total order."""
    if t in (u, v) or u == v:
        return True
    name = NAMES[chosen(policy, range(len(NAMES)))]
    x, y, z = (key(name, leaf) for leaf in (Leaf(t, c, h, p), Leaf(u, d, i, q), Leaf(v, e, j, r)))
    if (x < y) == (y < x):
        return False
    return not x < y < z or x < z


def _same_keys(key: Keys, policy: int, time: int, creation: int, hits: int, priority: int) -> bool:
    """Both caches give a leaf the same key."""
    name, leaf = NAMES[chosen(policy, range(len(NAMES)))], Leaf(time, creation, hits, priority)
    there: Any = READABLE[name]
    (a, b), (c, d) = key(name, leaf), there(leaf)
    return bool(a == c and b == d)


def _never_smaller(key: Keys, policy: int, time: int, creation: int, hits: int, priority: int, later: int, hit: int, rank: int) -> bool:
    """An access never makes a key smaller, so that an outdated heap entry can be repaired when it surfaces (all policies except mru)."""
    name = GROWING[chosen(policy, range(len(GROWING)))]
    before = key(name, Leaf(time, creation, hits, priority))
    after = key(name, Leaf(time + later, creation, hits + hit, max(priority, rank)))
    return before < after or before == after


def _readable(policy: str, leaf: Any) -> tuple[int, int]:
    return READABLE[policy](leaf)


def _fast(policy: str, leaf: Any) -> tuple[int, int]:
    return FAST[policy](leaf)


def _one_number(policy: str, leaf: Any) -> tuple[int, int]:
    """The time is left out: leaves with the same first number tie."""
    return READABLE[policy](leaf)[0], 0


def _slru_at_once(policy: str, leaf: Any) -> tuple[int, int]:
    """One hit is enough for the protected segment of slru."""
    return (int(leaf.hits >= 1), leaf.time) if policy == "slru" else FAST[policy](leaf)


def _least_first(policy: str, leaf: Any) -> tuple[int, int]:
    """Under lfu the most frequently used leaf is evicted first."""
    return (-leaf.hits, leaf.time) if policy == "lfu" else FAST[policy](leaf)


_POLICY = {"policy": (0, len(NAMES) - 1)}
_ACCESS = {"policy": (0, len(GROWING) - 1), "later": (1, None), "hit": (0, 1), "rank": (0, None)}

CONTRACTS = (
    Contract("POLICIES", "reference/eviction.py: evict", _strict_total_order, _readable, _one_number, _POLICY),
    Contract("heap.POLICIES", "optimized/heap.py: push, refresh, pop_victim", _same_keys, _fast, _slru_at_once, _POLICY),
    Contract("heap.POLICIES, repaired late", "optimized/heap.py: pop_victim", _never_smaller, _fast, _least_first, _ACCESS),
)
