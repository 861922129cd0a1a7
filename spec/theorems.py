"""Every property that has a formula: state formulas, postconditions, and the theorems that follow from them."""

from functools import partial

from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.logic import Term
from radixcheck.spec.policies import Policy
from radixcheck.spec.postconditions import POSTCONDITIONS
from radixcheck.spec.property import Property, stated
from radixcheck.spec.signature import *

theorem = partial(stated, "theorem")

_nobody = every(lambda g: ~held(g))


@theorem(some(lambda a, b: candidate(a) & candidate(b) & (a != b)), "coarse_clock", "C6 L3")
def no_ties(policy: Policy) -> Term:
    """No two evictable leaves have equal keys: the order of victims needs no sequence number."""
    return every(lambda a, b: (candidate(a) & candidate(b) & (a != b)) >> (policy.before(a, b) | policy.before(b, a)))


@theorem(_nobody & some(lambda n: node(n)), "abort_forgets_unlock", "C3")
def lock_liveness(policy: Policy) -> Term:
    """With no holder, every lock is zero."""
    return _nobody >> every(lambda n: node(n) >> (lock(n) == 0))


@theorem(some(lambda h: held(h) & (at(h) != eps)), "evict_ignores_lock", "Q5")
def protected_kept(policy: Policy) -> Term:
    """What a holder has locked is cached and locked, and no two positions share slots."""
    kept = every(lambda h, q: (held(h) & (q <= at(h)) & (q != eps)) >> (cached(q) & (lock(end(q)) > 0)))
    return kept & every(lambda a, b: (cached(a) & cached(b) & (page(a) == page(b))) >> (a == b))


THEOREMS: tuple[Property, ...] = (no_ties, lock_liveness, protected_kept)

FORMULAS: dict[str, Property] = {p.id: p for p in (*STATE_FORMULAS, *POSTCONDITIONS, *THEOREMS)}
