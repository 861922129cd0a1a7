"""What a claim is, and the words that claims are made of."""

from dataclasses import dataclass

from radixcheck.spec.heap import heap_machine
from radixcheck.spec.logic import Sort, Term, conj
from radixcheck.spec.policies import Policy, less, stored
from radixcheck.spec.signature import POS, every, lock, node, queued
from radixcheck.spec.transitions import Transition
from radixcheck.verification.proofs.conditions import LRU, Condition, state_formulas, theorems
from radixcheck.verification.proofs.decide import PROVED


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence that is proved, or refuted by a model."""

    id: str
    sentence: str
    questions: str
    condition: Condition
    expected: str = PROVED


def given(policy: Policy = LRU, heap: bool = False) -> dict[str, Term]:
    """The state formulas and what follows from them."""
    return state_formulas(policy, heap) | theorems(policy)


def step_of(policy: Policy, name: str) -> Transition:
    """A transition of the heap machine."""
    return next(step for step in heap_machine(policy) if step.name == name)


def goal(name: str, sort: Sort = POS) -> Term:
    """The variable of a formula's outer quantifier, as its goal has it."""
    return Term("var", (name + "_goal",), sort)


def unlocked(node_: Term) -> Term:
    """A node that nobody has locked."""
    return node(node_) & (lock(node_) == 0)


def true(policy: Policy, entry_: Term, node_: Term) -> Term:
    """The entry says the live key of the node."""
    return conj(*(a == b for a, b in zip(stored(entry_), policy.key(node_), strict=True)))


def least(entry_: Term) -> Term:
    """No entry in the heap has a smaller key."""
    return every(lambda d: queued(d) >> ~less(stored(d), stored(entry_)))
