"""The victim: there is only one least evictable leaf, and under lru no unlocked node is older."""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.logic import Term, forall
from radixcheck.spec.policies import POLICIES, Policy
from radixcheck.spec.signature import POS, candidate, time
from radixcheck.verification.proofs.claim import ANY_GIVEN, Claim, given, resting_on, unlocked
from radixcheck.verification.proofs.conditions import ANY, LRU, follows
from radixcheck.verification.proofs.laws import inherits, leaf_below


def claims() -> Iterator[Claim]:
    """Yield the claims about the order of victims."""
    for name, policy in POLICIES.items():
        yield Claim(
            f"UNIQUE-{name}",
            f"Under {name} at most one evictable leaf is least: no other ranks before it.",
            "C6 L3",
            follows(f"UNIQUE-{name}", _unique(policy), given(policy)),
        )
    yield Claim(
        "UNIQUE-ANY",
        "Under any policy whose second key is the time of last access no two evictable leaves tie.",
        "C6 L3",
        follows("UNIQUE-ANY", given(ANY, heap=True)["NO_TIES"], ANY_GIVEN),
    )
    oldest = forall((POS, POS), lambda v, u: (_first(LRU, v) & unlocked(u)) >> (time(v) <= time(u)))
    found = resting_on(follows("LRU-OLDEST", oldest, given()), "PARENT", "LOCK_NONNEG", "TIME_MONO")
    yield Claim(
        "LRU-OLDEST",
        "Under lru no unlocked node, leaf or not, was last accessed before a least evictable leaf.",
        "C1 C6",
        replace(found, laws=(*found.laws, leaf_below(), inherits(time))),
    )


def _first(policy: Policy, v: Term) -> Term:
    """An evictable leaf before which no evictable leaf ranks."""
    return candidate(v) & forall(POS, lambda w: candidate(w) >> ~policy.before(w, v))


def _unique(policy: Policy) -> Term:
    return forall((POS, POS), lambda v, u: (_first(policy, v) & _first(policy, u)) >> (v == u))
