"""Lazy repair: an entry is made true only where it surfaces. That keeps the order exactly if no live key becomes smaller (L2 to L4)."""

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
from radixcheck.verification.proofs.decide import PROVED, REFUTED
from radixcheck.verification.proofs.variants import variants


def claims() -> Iterator[Claim]:
    """Under which policies the order is kept, and what an entry need not say."""
    yield from _any_policy()
    for name, policy in POLICIES.items():
        yield Claim(
            f"LAZY-{name}",
            f"Under {name} a touch that pushes nothing leaves no entry later than the live key.",
            "C1 L2 L3 L4",
            variants()[f"LAZY-{name}"],
            REFUTED if name == "mru" else PROVED,
        )
        yield Claim(
            f"ORDER-{name}", f"Under {name} the heap evicts the least evictable leaf.", "C1 C6 L3", _ordered(f"ORDER-{name}", policy)
        )
    yield Claim(
        "STAMP",
        "An entry that says the truth of an evictable leaf may be used even if a later one speaks for it: no generation stamp is needed.",
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
        "Under any policy: a touch that makes no evictable leaf's key smaller and pushes nothing leaves no entry later than the live key.",
        "C1 L2 L3 L4",
        preserved("LAZY-IF", stale, TOUCH, {**ANY_GIVEN, "GROWS": grows}),
    )
    shrinks = forall(POS, lambda k: old(candidate(k) & has_entry(k) & true(ANY, entry(k), k) & less(key_after(k), ANY.key(k))) >> ~stale)
    yield Claim(
        "LAZY-ONLY-IF",
        "And no less will do: a touch that makes the key of a leaf with a true entry smaller and pushes nothing leaves an entry too late.",
        "L2 L3 L4",
        preserved("LAZY-ONLY-IF", shrinks, TOUCH, ANY_GIVEN),
    )
    yield Claim(
        "ORDER-ANY",
        "Under any policy: where no entry is later than the live key, the heap evicts the least evictable leaf.",
        "C1 C6 L2 L3",
        _ordered("ORDER-ANY", ANY),
    )
    mru = POLICIES["mru"]
    yield Claim(
        "LATE-VICTIM",
        "Under mru the least entry, if true, speaks for the least evictable leaf even where another entry is later than its leaf's key.",
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
    """Evict by any entry for an evictable leaf that says its live key and is least."""
    e = step_of(LRU, "evict").parameters[-2]
    guard = queued(e) & (on(e) == n) & candidate(n) & true(LRU, e, n) & least(e)
    return replace(EVICT, guard=guard, parameters=(*EVICT.parameters, e))
