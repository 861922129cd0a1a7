"""Claims about a persistent eviction heap, each proved or refuted, with the questions that it answers.

The proof matrix shows that the steps of the specification keep its formulas. The claims are about variants: steps without a check or an
update, and heaps that hold more than leaves. A refuted claim has a counterexample of two or three nodes, on which the step was run.
"""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.verification.proofs.claim import Claim
from radixcheck.verification.review_6907.claims import (
    accounting,
    guards,
    host_leaf_heap,
    host_leaves,
    host_tiers,
    internal_nodes,
    loop,
    matching,
    repair,
    tier_copies,
)
from radixcheck.verification.review_6907.claims import victim_order as eviction

_THEMES = (internal_nodes, repair, loop, eviction, accounting, guards, matching, host_tiers, host_leaves, tier_copies, host_leaf_heap)
# State formulas without which these claims do not follow. The cells WITHOUT-<ID> show that.
_NEEDS = {
    "PROGRESS": ("COUNT",),
    "Q3-EQUAL": ("SLOT_PARTITION",),
    "LRU-OLDEST": ("TIME_MONO",),
    "UNIQUE-lru": ("TIME_CHAIN",),
    "ORDER-lru": ("HEAP_FULL", "HEAP_STALE"),
    "Q6-THROUGH": ("HOST_CLOSED",),
}


def claims() -> Iterator[Claim]:
    """Yield every claim."""
    for theme in _THEMES:
        yield from (replace(claim, needs=_NEEDS.get(claim.id, ())) for claim in theme.claims())
