"""What is claimed of a persistent eviction heap, proved or refuted: each with the questions that it answers.

The matrix shows that the machines keep their formulas. Here stand variants: steps without a check or an update, heaps that
hold more than leaves. A claim that is wrong has a counterexample of two or three nodes, on which the step was run.
"""

from collections.abc import Iterator

from radixcheck.verification.review_6907.claims import accounting, guards, internal_nodes, loop, matching, repair
from radixcheck.verification.review_6907.claims import victim_order as eviction
from radixcheck.verification.review_6907.claims.claim import Claim

_THEMES = (internal_nodes, repair, loop, eviction, accounting, guards, matching)


def claims() -> Iterator[Claim]:
    """Every claim."""
    for theme in _THEMES:
        yield from theme.claims()
