"""Lazy repair: an entry is made true only where it surfaces (L2 to L4)."""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.logic import Term
from radixcheck.spec.policies import POLICIES, Policy
from radixcheck.spec.postconditions import POSTCONDITIONS
from radixcheck.spec.signature import candidate, on, queued
from radixcheck.spec.transitions import EVICT, TOUCH, Transition, n
from radixcheck.verification.proofs.claims.claim import Claim, given, least, step_of, true
from radixcheck.verification.proofs.conditions import LRU, preserved, state_formulas
from radixcheck.verification.proofs.decide import PROVED, REFUTED


def claims() -> Iterator[Claim]:
    """Under which policies the order is kept, and what an entry need not say."""
    for name, policy in POLICIES.items():
        stale = state_formulas(policy, heap=True)["HEAP_STALE"]
        yield Claim(
            f"LAZY-{name}",
            f"Under {name} a touch that pushes nothing leaves no entry later than the live key.",
            "C1 L2 L3 L4",
            preserved(f"LAZY-{name}", stale, TOUCH, given(policy, heap=True)),
            REFUTED if name == "mru" else PROVED,
        )
        yield Claim(
            f"ORDER-{name}",
            f"Under {name} the heap evicts the least evictable leaf.",
            "C1 C6 L3",
            preserved(f"ORDER-{name}", _order(policy), step_of(policy, "evict"), given(policy, heap=True)),
        )
    yield Claim(
        "STAMP",
        "An entry that says the truth of an evictable leaf may be used even if a later one speaks for it: no generation stamp is needed.",
        "C2 C3 Q10",
        preserved("STAMP", _order(LRU), _without_stamp(), given(heap=True)),
    )


def _order(policy: Policy) -> Term:
    (formula,) = (p.formula(policy) for p in POSTCONDITIONS if p.id == "ORDER" and p.formula)
    return formula


def _without_stamp() -> Transition:
    """Evict by any entry for an evictable leaf that says its live key and is least."""
    e = step_of(LRU, "evict").parameters[-2]
    guard = queued(e) & (on(e) == n) & candidate(n) & true(LRU, e, n) & least(e)
    return replace(EVICT, guard=guard, parameters=(*EVICT.parameters, e))
