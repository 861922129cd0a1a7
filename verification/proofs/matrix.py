"""The matrix: every condition that is decided, with the verdict that is expected of it.

    a state formula, by a transition       the transition keeps it
    a promise, by a transition             the transition does what it is for, and nothing else
    a theorem                              it follows from the state formulas
    a claim                                one sentence of a review, proved or refuted
    a reason for trust                     a step can be taken, a formula can fail: that it cannot is refuted

The heap machine's transitions are the cache's with updates of entries added (`tests/test_matrix.py` compares them), so that
formulas that read no entry need be shown of the cache's transitions alone, and the heap's formulas of the heap's, by policy.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from radixcheck.spec.heap import heap_machine
from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.policies import POLICIES, Policy
from radixcheck.spec.transitions import CACHE
from radixcheck.verification.proofs.claims import claims
from radixcheck.verification.proofs.conditions import Condition, follows, preserved, state_formulas, theorems
from radixcheck.verification.proofs.decide import PROVED
from radixcheck.verification.proofs.steps import STEPS, heap_steps, postconditions
from radixcheck.verification.proofs.trust import trust

HEAP_FORMULAS = tuple(p.id for p in STATE_FORMULAS if p.heap)


@dataclass(frozen=True, slots=True)
class Cell:
    """One condition of the matrix."""

    name: str
    formula: str  # id of a formula, or of a claim
    condition: Condition
    transition: str = ""
    policy: str = ""  # empty: any
    expected: str = PROVED
    sentence: str = ""  # of a claim
    questions: str = ""


def matrix() -> tuple[Cell, ...]:
    """Every cell."""
    return (*_cache(), *_promises(), *_theorems(), *(cell for policy in POLICIES.values() for cell in _heap(policy)), *_claims())


def _cache() -> Iterator[Cell]:
    formulas, derived = state_formulas(), theorems()
    for step in CACHE:
        for id_, formula in formulas.items():
            if id_ not in derived:
                condition = preserved(id_, formula, step, formulas | derived)
                yield Cell(condition.name, id_, condition, step.name)


def _promises() -> Iterator[Cell]:
    given = state_formulas() | theorems()
    for step in CACHE:
        for id_, formula in {**postconditions(step.name), "STEP": STEPS[step.name]}.items():
            condition = preserved(id_, formula, step, given)
            yield Cell(condition.name, id_, condition, step.name)


def _theorems() -> Iterator[Cell]:
    for policy in POLICIES.values():
        formulas, derived = state_formulas(policy), theorems(policy)
        inductive = {id_: formula for id_, formula in formulas.items() if id_ not in derived}
        for id_, formula in derived.items():
            if id_ == "NO_TIES":  # the one that reads the policy's key
                yield Cell(f"{policy.name}:{id_}", id_, follows(id_, formula, inductive), policy=policy.name)
            elif policy.name == "lru":
                yield Cell(id_, id_, follows(id_, formula, inductive))


def _heap(policy: Policy) -> Iterator[Cell]:
    given = state_formulas(policy, heap=True) | theorems(policy)
    for step in heap_machine(policy):
        for id_ in HEAP_FORMULAS:
            condition = preserved(id_, given[id_], step, given)
            name = f"{policy.name}:{condition.name}"
            yield Cell(name, id_, replace(condition, name=name), step.name, policy.name)
        if step.name in heap_steps(policy):
            condition = preserved("HEAP_STEP", heap_steps(policy)[step.name], step, given)
            name = f"{policy.name}:{condition.name}"
            yield Cell(name, "HEAP_STEP", replace(condition, name=name), step.name, policy.name)


def _claims() -> Iterator[Cell]:
    for claim in (*claims(), *trust()):
        c = claim.condition
        policy = claim.id.partition("-")[2] if claim.id.partition("-")[2] in POLICIES else ""
        step = c.step.name if c.step else ""
        yield Cell(claim.id, claim.id, c, step, policy, claim.expected, claim.sentence, claim.questions)
