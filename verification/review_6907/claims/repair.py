"""Lazy repair: an entry gets the live key of its node only when it is the least entry (L2 to L4).

That keeps the order of evictions exactly if no live key becomes smaller than its stored key.
"""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.heap_machine import has_entry
from radixcheck.spec.logic import Term, forall, old
from radixcheck.spec.policies import POLICIES, Policy, less
from radixcheck.spec.postconditions import POSTCONDITIONS
from radixcheck.spec.signature import POS, candidate, entry, on, queued
from radixcheck.spec.transitions import EVICT, TOUCH, n
from radixcheck.spec.updates import Transition, after
from radixcheck.verification.proofs.claim import ANY_GIVEN, Claim, but, given, least, resting_on, step_of, true
from radixcheck.verification.proofs.conditions import ANY, LRU, Condition, preserved
from radixcheck.verification.proofs.proof_results import PROVED, REFUTED
from radixcheck.verification.proofs.variants import variants


def claims() -> Iterator[Claim]:
    """Yield the claims about any policy, about each policy, and about generation stamps."""
    yield from _any_policy()
    for name, policy in POLICIES.items():
        yield Claim(
            f"LAZY-{name}",
            f"Under {name} a touch that pushes nothing leaves no current entry of an evictable leaf later than the leaf's live key.",
            "C1 L2 L3 L4",
            variants()[f"LAZY-{name}"],
            REFUTED if name == "mru" else PROVED,
        )
        yield Claim(
            f"ORDER-{name}",
            f"Under {name} the heap evicts a leaf that ranks before every other evictable leaf.",
            "C1 C6 L3",
            _ordered(f"ORDER-{name}", policy),
        )
    yield Claim(
        "STAMP",
        "Under lru an eviction by a least entry with the live key of an evictable leaf takes a leaf that ranks before every other one, "
        "even if another entry is current for it: no generation stamp is needed.",
        "C2 C3 Q10",
        preserved("STAMP", _order(LRU), _without_stamp(), given(heap=True)),
    )


def _any_policy() -> Iterator[Claim]:
    def key_after(k: Term) -> tuple[Term, Term]:
        return after(ANY.key(k)[0], TOUCH), after(ANY.key(k)[1], TOUCH)

    stale = ANY_GIVEN["HEAP_STALE"]
    grows = forall(POS, lambda k: candidate(k) >> ~less(key_after(k), ANY.key(k)))
    yield Claim(
        "LAZY-IF",
        "Under any policy, a touch that makes no evictable leaf's key smaller and pushes nothing leaves no current entry of an evictable "
        "leaf later than the leaf's live key.",
        "C1 L2 L3 L4",
        preserved("LAZY-IF", stale, TOUCH, {**ANY_GIVEN, "GROWS": grows}),
    )
    shrinks = forall(POS, lambda k: old(candidate(k) & has_entry(k) & true(ANY, entry(k), k) & less(key_after(k), ANY.key(k))) >> ~stale)
    yield Claim(
        "LAZY-ONLY-IF",
        "Under any policy, if the current entry of an evictable leaf has the leaf's live key, a touch that makes this key smaller and "
        "pushes nothing leaves a current entry of an evictable leaf later than the leaf's live key.",
        "L2 L3 L4",
        preserved("LAZY-ONLY-IF", shrinks, TOUCH, ANY_GIVEN),
    )
    yield Claim(
        "ORDER-ANY",
        "Under any policy, if no two evictable leaves tie, and each has a current entry that is not later than its live key, the heap "
        "evicts a leaf that ranks before every other evictable leaf.",
        "C1 C6 L2 L3",
        _ordered("ORDER-ANY", ANY),
    )
    mru = POLICIES["mru"]
    yield Claim(
        "LATE-VICTIM",
        "Under mru the heap evicts a leaf that ranks before every other evictable leaf even if a current entry may be later than its "
        "leaf's live key.",
        "C1 L2 L4",
        preserved("LATE-VICTIM", _order(mru), step_of(mru, "evict"), but(given(mru, heap=True), "HEAP_STALE")),
        REFUTED,
    )


def _ordered(id_: str, policy: Policy) -> Condition:
    found = preserved(id_, _order(policy), step_of(policy, "evict"), given(policy, heap=True))
    return resting_on(found, "COVER", "PARENT", "CHILD_KEY", "NO_TIES", "HEAP_FULL", "HEAP_STALE")


def _order(policy: Policy) -> Term:
    (formula,) = (p.formula(policy) for p in POSTCONDITIONS if p.id == "ORDER" and p.formula)
    return formula


def _without_stamp() -> Transition:
    """Return an eviction by any least entry that has the live key of an evictable leaf."""
    e = step_of(LRU, "evict").parameters[-2]
    guard = queued(e) & (on(e) == n) & candidate(n) & true(LRU, e, n) & least(e)
    return replace(EVICT, guard=guard, parameters=(*EVICT.parameters, e))
