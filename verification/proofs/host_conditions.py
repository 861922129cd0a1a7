"""Conditions about the host machine, which need more laws: those of pins, of nodes below a touched node, and of two holders of a node."""

from collections.abc import Iterator
from functools import cache, partial

from radixcheck.spec.host.copy_invariants import HOST_STATE_FORMULAS, loads_of
from radixcheck.spec.host.host_signature import gaps
from radixcheck.spec.host.host_theorems import HOST_THEOREMS
from radixcheck.spec.host.loads import FAIL_LOAD
from radixcheck.spec.logic import Term, expand, old, total
from radixcheck.spec.policies import Policy
from radixcheck.spec.run.terms import functions
from radixcheck.spec.signature import POS, REQUEST, at, end, held, up
from radixcheck.spec.transitions import h
from radixcheck.spec.updates import Transition
from radixcheck.verification.proofs.conditions import DERIVED, LRU, Laws, follows, laws_here, laws_of_step, locks, preserved, variables
from radixcheck.verification.proofs.laws import balance, member, nonnegative, towards


def pinned(position: Term) -> Term:
    """Return the number of loads whose span contains a position: the sum of PIN_COUNT."""
    return expand(loads_of(position))


def host_laws_here(goal: Term) -> Iterator[Term]:
    """Yield laws of one state, for the terms of a goal."""
    yield from laws_here(goal)
    for v in variables(goal, POS):
        for p in (v, end(v), up(v)):
            yield nonnegative(pinned(p))
            yield balance([pinned(p)], [])
            yield from (member(pinned(p), g) for g in variables(goal, REQUEST))


def host_laws_of_step(goal: Term, step: Transition) -> Iterator[Term]:
    """Yield laws of two states, for the sums of a goal and the terms of a transition."""
    yield from laws_of_step(goal, step)
    yield from (old(towards(p, end(v))) for p in step.touched for v in variables(goal, POS))
    if step.name == FAIL_LOAD.name:
        pairs = ((v, g) for v in variables(goal, POS) for g in variables(goal, REQUEST))
        yield from (old(law) for v, g in pairs for law in two_holders(end(v), h, g))


def two_holders(position: Term, one: Term, other: Term) -> Iterator[Term]:
    """Yield laws by which a node that two holders lock has two locks: the sum without the one, and what that one adds."""
    others = expand(total(REQUEST, lambda k: held(k) & (position <= at(k)) & (k != one), lambda k: 1))
    yield nonnegative(others)
    yield member(others, other)
    yield balance([locks(position)], [others], [one])


HOST_LAWS = Laws(host_laws_here, host_laws_of_step)
host_preserved = partial(preserved, laws=HOST_LAWS)
host_follows = partial(follows, laws=HOST_LAWS)


@cache
def host_formulas(policy: Policy = LRU) -> dict[str, Term]:
    """Return the state formulas of a cache with a host tier, but those that follow from the others."""
    return {p.id: p.formula(policy) for p in HOST_STATE_FORMULAS if p.formula is not None and p.id not in DERIVED}


@cache
def host_theorems(policy: Policy = LRU) -> dict[str, Term]:
    """Return the formulas that follow from the state formulas in every state."""
    derived = [p for p in HOST_STATE_FORMULAS if p.id in DERIVED]
    return {p.id: p.formula(policy) for p in (*derived, *HOST_THEOREMS) if p.formula is not None}


@cache
def host_given(policy: Policy = LRU) -> dict[str, Term]:
    """Return the state formulas and the theorems. All conditions share the result: do not write to it."""
    return host_formulas(policy) | host_theorems(policy)


def changes(step: Transition, formula: Term) -> bool:
    """Return whether a transition changes a function that a formula reads. If it does not, the formula stays as it is."""
    return bool(functions(formula) & {update.function.name for update in (*step.updates, *step.forgets)})


WRITE_THROUGH = {**host_given(), "WRITE_THROUGH": ~gaps}
WRITE_BACK = {**host_given(), "WRITE_BACK": gaps}
