"""Guards of the loop and of the deletion: which of them can never fail on a correct cache (Q2, Q5 to Q7, Q10)."""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.logic import old
from radixcheck.spec.signature import REQUEST, at, candidate, eps, every, held, lock, node
from radixcheck.spec.transitions import EVICT, n
from radixcheck.verification.proofs.claims.claim import Claim, given, goal
from radixcheck.verification.proofs.conditions import Condition, follows, locks, preserved
from radixcheck.verification.proofs.laws import member, monotone


def claims() -> Iterator[Claim]:
    """What is an assertion, and what has to be asked."""
    below = every(lambda n, m: (node(n) & node(m) & (m < n) & (lock(m) == 0)) >> (lock(n) == 0))
    found = follows("LOCK-STOP", below, given())
    yield Claim(
        "LOCK-STOP",
        "Below an unlocked node nothing is locked: a lock that stops at the first protected ancestor protects the same nodes.",
        "Q5 C3",
        replace(found, laws=(*found.laws, monotone(locks(goal("n")), locks(goal("m"))))),
    )
    yield Claim("ROOT", "The root is never a leaf to evict.", "Q6", follows("ROOT", ~candidate(eps), given()))
    yield Claim(
        "UNREACHED",
        "No holder's path runs through a node that is evicted: whoever still knows it only has a stale handle.",
        "Q10",
        _unreached(),
    )


def _unreached() -> Condition:
    holder_ = every(lambda h: old(held(h)) >> ~(n <= at(h)))
    found = preserved("UNREACHED", holder_, EVICT, given())
    return replace(found, laws=(*found.laws, member(locks(n), goal("h", REQUEST))))
