"""Matching: what prefix-closedness licenses (a match by bisection over prefixes, and one that goes on from a known node)."""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.logic import Term, forall
from radixcheck.spec.signature import *
from radixcheck.verification.proofs.claim import Claim, given, goal, resting_on
from radixcheck.verification.proofs.conditions import follows
from radixcheck.verification.proofs.laws import next_page


def claims() -> Iterator[Claim]:
    """How the longest cached prefix may be looked for."""
    down = forall((POS, POS), lambda p, q: ((p <= q) & (p != eps) & cached(q)) >> cached(p))
    above = forall((POS, POS, POS), lambda p, q, z: ((p <= z) & (q <= z) & (q != eps) & cached(p) & ~cached(q)) >> (p < q))
    yield Claim(
        "BISECT",
        "Of the prefixes of one key, those that are cached are shorter than those that are not: the longest may be found by bisection.",
        "",
        resting_on(follows("BISECT", down & above, given()), "NO_ORPHAN"),
    )
    deepest = forall((POS, POS), lambda q, z: ((q <= z) & _there(q) & _stops(q, z)) >> _longest(q, z))
    found = resting_on(follows("DEEPEST", deepest, given()), "NO_ORPHAN")
    yield Claim(
        "DEEPEST",
        "A walk along a key that stops where the next page is not cached has found the longest cached prefix.",
        "",
        replace(found, laws=(*found.laws, next_page(goal("q"), goal("k")))),
    )
    resume = forall((POS, POS, POS), lambda p, q, z: (_there(p) & (p <= z) & (q <= z) & _longest(q, z)) >> ((p <= q) & _all_cached(p)))
    yield Claim(
        "RESUME",
        "What is still cached of a key is the beginning of its longest cached prefix: a match may go on from any node on the key.",
        "",
        resting_on(follows("RESUME", resume, given()), "NO_ORPHAN"),
    )


def _there(q: Term) -> Term:
    return (q == eps) | cached(q)


def _stops(q: Term, z: Term) -> Term:
    """No position one page longer than q on the way to the key is cached."""
    return forall(POS, lambda y: ((y <= z) & (prev(y) == q) & (y != eps)) >> ~cached(y))


def _longest(q: Term, z: Term) -> Term:
    return forall(POS, lambda k: ((k <= z) & cached(k)) >> (k <= q))


def _all_cached(p: Term) -> Term:
    return forall(POS, lambda k: ((k <= p) & (k != eps)) >> cached(k))
