"""Accounting: where the evictable size is decremented, and by what (Q3, Q4)."""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.signature import evictable, size
from radixcheck.spec.transitions import EVICT, Update, assign, n
from radixcheck.verification.proofs.claims.claim import Claim, given
from radixcheck.verification.proofs.conditions import preserved, state_formulas
from radixcheck.verification.proofs.decide import REFUTED


def claims() -> Iterator[Claim]:
    """Which decrements keep the sizes."""
    size_formula = state_formulas()["COUNT"]
    others = tuple(update for update in EVICT.updates if update.function is not evictable.args[0])
    twice = assign(evictable, evictable - size(n) - size(n))
    wrong: dict[str, tuple[str, tuple[Update, ...]]] = {
        "Q4-TWICE": ("An eviction that decrements the evictable size twice keeps the sizes.", (*others, twice)),
        "Q4-NEVER": ("An eviction that forgets to decrement the evictable size keeps the sizes.", others),
    }
    for id_, (sentence, updates) in wrong.items():
        yield Claim(id_, sentence, "Q3 Q4", preserved(id_, size_formula, replace(EVICT, updates=updates), given()), REFUTED)
