"""Claims, and the terms that they are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from radixcheck.spec.heap_machine import heap_machine
from radixcheck.spec.logic import Sort, Term, conj, forall
from radixcheck.spec.policies import Policy, less, stored
from radixcheck.spec.signature import ENTRY, POS, lock, node, queued
from radixcheck.spec.updates import Transition
from radixcheck.verification.proofs.conditions import ANY, LRU, Condition, state_formulas, theorems
from radixcheck.verification.proofs.proof_results import PROVED


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence that is to be proved, or to be refuted by a model."""

    id: str
    sentence: str
    questions: str
    condition: Condition
    expected: str = PROVED
    no_run: str = ""  # of a claim that is refuted: why no cache is run to repeat that
    needs: tuple[str, ...] = ()  # state formulas of which it is shown that the claim does not follow without them


@cache
def given(policy: Policy = LRU, heap: bool = False) -> dict[str, Term]:
    """Return the state formulas and the theorems. All claims share the result: do not write to it."""
    return state_formulas(policy, heap) | theorems(policy)


def but(hypotheses: Mapping[str, Term], *ids: str) -> dict[str, Term]:
    """Return the hypotheses without the named ones."""
    assert hypotheses.keys() >= {*ids}, "what is left out was there"
    return {id_: term for id_, term in hypotheses.items() if id_ not in ids}


# Without NO_TIES, which is a claim here (UNIQUE-ANY) and a theorem of each policy that has a name.
ANY_GIVEN = but(given(ANY, heap=True), "NO_TIES")


def resting_on(condition: Condition, *ids: str) -> Condition:
    """Return the condition with these hypotheses alone, and the guard: a stronger statement, which is proved at once."""
    assert condition.hypotheses.keys() >= {*ids}, "what it rests on is known"
    kept = {id_: term for id_, term in condition.hypotheses.items() if id_ in (*ids, "guard")}
    return replace(condition, hypotheses=kept)


def step_of(policy: Policy, name: str) -> Transition:
    """Return the named transition of the heap machine."""
    return next(step for step in heap_machine(policy) if step.name == name)


def goal(name: str, sort: Sort = POS) -> Term:
    """Return the free variable that a goal has for a variable of the formula's outer quantifier."""
    return Term("var", (name + "_goal",), sort)


def unlocked(node_: Term) -> Term:
    """Whether it is a node without a lock."""
    return node(node_) & (lock(node_) == 0)


def true(policy: Policy, entry_: Term, node_: Term) -> Term:
    """Whether the entry has the live key of the node."""
    return conj(*(a == b for a, b in zip(stored(entry_), policy.key(node_), strict=True)))


def least(entry_: Term) -> Term:
    """Whether no entry in the heap has a smaller key."""
    return forall(ENTRY, lambda d: queued(d) >> ~less(stored(d), stored(entry_)))
