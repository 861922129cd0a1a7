"""The formulas that are proved of the original transitions, in the form that a mutant is tested with."""

from functools import cache

from radixcheck.spec.logic import Term
from radixcheck.spec.policies import POLICIES, Policy
from radixcheck.spec.postconditions import POSTCONDITIONS
from radixcheck.verification.proofs.conditions import state_formulas, theorems
from radixcheck.verification.proofs.proof_results import CACHE_ONLY
from radixcheck.verification.proofs.step_postconditions import STEPS, heap_steps, postconditions


def policy_of(machine: str) -> Policy:
    """Return the policy of a machine. The cache machine has none: for its formulas any policy will do."""
    return POLICIES["lru" if machine == CACHE_ONLY else machine]


@cache
def hypotheses(machine: str) -> dict[str, Term]:
    """Return the state formulas of a machine that are not theorems."""
    policy = policy_of(machine)
    derived = theorems(policy)
    return {id_: formula for id_, formula in state_formulas(policy, machine != CACHE_ONLY).items() if id_ not in derived}


@cache
def proved_formulas(machine: str, name: str) -> tuple[dict[str, Term], ...]:
    """Return what is proved of a transition: the state formulas, the promises of operations, and its own postconditions."""
    promised, own = {}, {}
    if name in STEPS:
        promised, own = postconditions(name), {"STEP": STEPS[name]}
    if machine != CACHE_ONLY:
        policy = policy_of(machine)
        heap = heap_steps(policy)
        if name == "evict":
            promised |= {p.id: p.formula(policy) for p in POSTCONDITIONS if p.id == "ORDER" and p.formula is not None}
        if name in heap:  # the other transitions do not change the heap
            own["HEAP_STEP"] = heap[name]
    return hypotheses(machine), promised, own
