"""The dimensions of the stretch phase: what is taken how far, under which policy and page size, and at what cost."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from radixcheck.verification.core.envelope import Reach
from radixcheck.verification.protocol import Supports
from radixcheck.verification.stretch import count_scenarios as counts
from radixcheck.verification.stretch import digest_scenarios as digests
from radixcheck.verification.stretch import table_scenarios as tables
from radixcheck.verification.stretch import value_scenarios as values
from radixcheck.verification.stretch.world import INTEGER_MAX, REQUEST_VERBS, TREE_VERBS, Ops, World

LOCKS = frozenset({"match", "lock", "unlock"})
Scenario = Callable[[World, int], Ops]


@dataclass(frozen=True, slots=True)
class Dimension:
    """One quantity that is taken past its thresholds."""

    name: str
    scenario: Scenario
    target: int
    unit: str  # of the target, in the plural
    seconds: float  # of one core, for `optimized`
    pages: int = 16  # of the pool
    room: int = 0  # tokens of the pool, beside these pages
    policies: tuple[str, ...] = ()  # the first that the cache has; empty: any, lru before others
    page_size: int = 1  # tokens; where the cache has it not, the smallest one that is larger, else the largest
    verbs: frozenset[str] = frozenset()  # that it needs besides the tree verbs or the request verbs
    namespaces: bool = False  # it needs these
    half_with: str = ""  # a policy under which another dimension goes further: half of the target is enough where the cache has it

    def goal(self, policies: tuple[str, ...]) -> int:
        """Return the target for a cache with these policies."""
        return self.target // 2 if self.half_with in policies else self.target


DIMENSIONS = {
    dimension.name: dimension
    for dimension in (
        Dimension("accesses", counts.accesses, counts.FEW, "accesses", 0.5, policies=("lru",)),
        Dimension("accesses, many", counts.accesses, counts.MANY, "accesses", 4.0, policies=("lru",), half_with="lfu"),
        Dimension("hits", counts.hits, counts.FEW, "hits", 1.0, policies=("lfu",)),
        Dimension("hits, many", counts.hits, counts.MANY, "hits", 13.0, policies=("lfu",)),
        Dimension("hits of two nodes", counts.hits_of_two, 2**10, "hits", 0.7, policies=("lfu",)),
        Dimension("times of creation", counts.creations, 2 * counts.FEW, "accesses", 0.9, policies=("fifo",)),
        Dimension("holders", counts.holders, counts.LIVE, "holders of one node", 0.1),
        Dimension("holders, many", counts.holders, counts.MANY, "holders of one node", 5.0),
        Dimension("locks", counts.locks, counts.LOCKED, "locked nodes", 0.4, counts.LOCKED + 16, verbs=LOCKS),
        Dimension("live requests", counts.live_requests, counts.LIVE, "requests", 0.8, 4 * counts.LIVE, verbs=REQUEST_VERBS),
        Dimension("loans", counts.loans, counts.LIVE, "loans", 0.2, 2 * counts.LIVE, verbs=frozenset({"alloc", "free"})),
        Dimension("resets", counts.resets, counts.LIVE, "resets", 0.8, verbs=frozenset({"reset"})),
        Dimension("refused calls", counts.refused, counts.LIVE, "rounds of refused calls", 0.2),
        Dimension("cycles", counts.cycles, 300, "rounds of all verbs", 1.2),
        Dimension("children of the root", tables.root_children, 1_300, "children", 0.9, 1_400),
        Dimension("children of an inner node", tables.inner_children, 1_300, "children", 0.9, 1_400),
        Dimension("namespaces", tables.namespaces, tables.NAMESPACES, "namespaces", 0.9, 2 * tables.NAMESPACES + 16, namespaces=True),
        Dimension("victims", tables.victims, 300, "victims in one call", 1.2, 300),
        Dimension("depth", tables.depth, tables.DEPTH, "nodes on one path", 2.0, 2 * tables.DEPTH + 16),
        Dimension("locks over splits", tables.held_splits, 300, "holders", 0.3, verbs=LOCKS),
        Dimension("requests over splits", tables.requests_over_splits, 300, "holders", 0.5, verbs=REQUEST_VERBS),
        Dimension("tokens", values.tokens, len(values.values(INTEGER_MAX)), "values", 0.1, 512),
        Dimension("priorities", values.priorities, 100, "groups of values", 0.2, policies=("priority",)),
        Dimension("slots", values.slots, 2**16, "slots", 2.0, 64, room=2**16),
        Dimension("key length", values.keys, values.LONG, "tokens of one key", 4.0, 128, room=values.LONG),
        Dimension("key length, long pages", values.keys, values.LONG, "tokens of one key", 1.0, 128, room=values.LONG, page_size=16),
        Dimension("pages alike", digests.alike, 99, "pairs of pages", 0.8, page_size=2),
        Dimension("long pages alike", digests.alike, 101, "pairs of pages", 0.8, page_size=16),
        Dimension("random pages", digests.at_random, digests.RANDOM, "pages", 0.5, digests.RANDOM + 16, page_size=2),
    )
}


ALL_FROM = 60.0  # seconds of a search that takes every dimension
FURTHER = ", many"  # ends the name of a dimension that takes another one further
PER_SECOND = 1.5  # seconds of one core, for each second of a shorter search


def planned(seconds: float) -> tuple[str, ...]:
    """Return the names of the dimensions for a search of so many seconds: all, or the cheapest ones that fit into it."""
    left, chosen = inf if seconds >= ALL_FROM else seconds * PER_SECOND, set[str]()
    for dimension in sorted(DIMENSIONS.values(), key=lambda dimension: dimension.seconds):
        left -= dimension.seconds
        if left >= 0:
            chosen.add(dimension.name)
    return tuple(name for name in DIMENSIONS if name in chosen and f"{name}{FURTHER}" not in chosen)


def unplanned(seconds: float) -> dict[str, Reach]:
    """Return the reach of each dimension that `planned` leaves out."""
    reason = "not planned: give more --seconds"
    chosen = planned(seconds)
    left_out = [d for name, d in DIMENSIONS.items() if name not in chosen and f"{name}{FURTHER}" not in chosen]
    return {d.name: Reach(0, d.target, d.unit, reason) for d in left_out}


def lacks(dimension: Dimension, supports: Supports, policies: tuple[str, ...]) -> str:
    """Return why a dimension cannot be applied to a cache under these policies; empty if it can."""
    operations = frozenset(supports.operations)
    if not (operations >= TREE_VERBS or operations >= REQUEST_VERBS):
        return "it needs insert, match and evict, or start, finish and abort"
    missing = dimension.verbs - operations
    if missing:
        return f"it needs {', '.join(sorted(missing))}"
    if dimension.policies and not set(dimension.policies) & set(policies):
        return f"it needs the policy {' or '.join(dimension.policies)}"
    if dimension.namespaces and not supports.namespaces:
        return "it needs namespaces"
    return ""
