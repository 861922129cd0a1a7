"""Theorems, which follow from the state formulas in every state; and FORMULAS, every property that has a formula."""

from functools import partial

from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.logic import Term, exists, forall
from radixcheck.spec.operations import NOTHING_HELD
from radixcheck.spec.policies import Policy
from radixcheck.spec.postconditions import POSTCONDITIONS
from radixcheck.spec.property import Property, stated
from radixcheck.spec.signature import *

theorem = partial(stated, "theorem")


@theorem("NO_TIES", exists((POS, POS), lambda a, b: candidate(a) & candidate(b) & (a != b)), "coarse_clock", "C6 L3")
def no_ties(policy: Policy) -> Term:
    """Of two evictable leaves one comes before the other: their keys differ.

    So the order of victims needs no sequence number and is the same on every rank (C6, L3, FB-49).
    """
    return forall((POS, POS), lambda a, b: (candidate(a) & candidate(b) & (a != b)) >> (policy.before(a, b) | policy.before(b, a)))


@theorem("LOCK_LIVENESS", NOTHING_HELD & exists(POS, lambda n: node(n)), "abort_forgets_unlock", "C3")
def lock_liveness(policy: Policy) -> Term:
    """While nothing is held, every lock count is zero.

    A lock that is left over keeps its path from being evicted for ever (FB-13).
    """
    return NOTHING_HELD >> forall(POS, lambda n: node(n) >> (lock(n) == 0))


@theorem("PROTECTED", exists(REQUEST, lambda h: held(h) & (at(h) != eps)), "evict_ignores_lock", "Q5")
def protected_positions(policy: Policy) -> Term:
    """Every prefix of the node that a live holder locks, but the empty one, is cached and lies on a locked node; no two cached positions
    have the same page.

    Whoever can still reach a deleted node must not find slots that are another's by now (Q5).
    """
    locked = forall((REQUEST, POS), lambda h, q: (held(h) & (q <= at(h)) & (q != eps)) >> (cached(q) & (lock(end(q)) > 0)))
    return locked & forall((POS, POS), lambda a, b: (cached(a) & cached(b) & (page(a) == page(b))) >> (a == b))


THEOREMS: tuple[Property, ...] = (no_ties, lock_liveness, protected_positions)

FORMULAS: dict[str, Property] = {p.id: p for p in (*STATE_FORMULAS, *POSTCONDITIONS, *THEOREMS)}
