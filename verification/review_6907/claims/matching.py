"""Matching: all prefixes of a cached prefix are cached, so that a match may bisect the key, or go on from a known node."""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.logic import Term, forall
from radixcheck.spec.signature import *
from radixcheck.verification.proofs.claim import Claim, given, goal, resting_on
from radixcheck.verification.proofs.conditions import follows
from radixcheck.verification.proofs.laws import next_page


def claims() -> Iterator[Claim]:
    """Yield the claims about how to find the longest cached prefix."""
    down = forall((POS, POS), lambda p, q: ((p <= q) & (p != eps) & cached(q)) >> cached(p))
    above = forall((POS, POS, POS), lambda p, q, z: ((p <= z) & (q <= z) & (q != eps) & cached(p) & ~cached(q)) >> (p < q))
    yield Claim(
        "BISECT",
        "Every prefix of a cached prefix is cached, and of the prefixes of one key each cached one is shorter than each that is not "
        "cached.",
        "",
        resting_on(follows("BISECT", down & above, given()), "NO_ORPHAN"),
    )
    deepest = forall((POS, POS), lambda q, z: ((q <= z) & _there(q) & _stops(q, z)) >> _longest(q, z))
    found = resting_on(follows("DEEPEST", deepest, given()), "NO_ORPHAN")
    yield Claim(
        "DEEPEST",
        "If a prefix of a key is empty or cached, and no prefix of the key that is one page longer is cached, it is the longest cached "
        "prefix.",
        "",
        replace(found, laws=(*found.laws, next_page(goal("q"), goal("k")))),
    )
    resume = forall((POS, POS, POS), lambda p, q, z: (_there(p) & (p <= z) & (q <= z) & _longest(q, z)) >> ((p <= q) & _all_cached(p)))
    yield Claim(
        "RESUME",
        "A prefix of a key that is empty or cached is part of the longest cached prefix of the key, and all its own prefixes are cached.",
        "",
        resting_on(follows("RESUME", resume, given()), "NO_ORPHAN"),
    )


def _there(q: Term) -> Term:
    return (q == eps) | cached(q)


def _stops(q: Term, z: Term) -> Term:
    """No prefix of z that is one page longer than q is cached."""
    return forall(POS, lambda y: ((y <= z) & (prev(y) == q) & (y != eps)) >> ~cached(y))


def _longest(q: Term, z: Term) -> Term:
    return forall(POS, lambda k: ((k <= z) & cached(k)) >> (k <= q))


def _all_cached(p: Term) -> Term:
    return forall(POS, lambda k: ((k <= p) & (k != eps)) >> cached(k))
