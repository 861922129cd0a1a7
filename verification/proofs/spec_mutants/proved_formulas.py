"""The formulas that are proved of the original transitions, in the form that a mutant is tested with."""

from functools import cache

from radixcheck.spec.logic import Function, Term
from radixcheck.spec.policies import POLICIES, Policy
from radixcheck.spec.postconditions import POSTCONDITIONS
from radixcheck.verification.proofs.conditions import state_formulas, theorems
from radixcheck.verification.proofs.event_conditions import event_formulas
from radixcheck.verification.proofs.host_conditions import host_formulas, host_theorems
from radixcheck.verification.proofs.host_step_postconditions import HOST_FUNCTIONS, HOST_STEPS, host_postconditions
from radixcheck.verification.proofs.model_run import EVENT_FUNCTIONS
from radixcheck.verification.proofs.proof_results import CACHE_ONLY, EVENTS, HOST_EVENTS, HOST_MACHINE, TIERED_MACHINES
from radixcheck.verification.proofs.step_postconditions import STATE_FUNCTIONS, STEPS, heap_steps, postconditions


def policy_of(machine: str) -> Policy:
    """Return the policy of a machine. Only a heap machine has one: for the formulas of the others any policy will do."""
    return POLICIES.get(machine, POLICIES["lru"])


@cache
def hypotheses(machine: str) -> dict[str, Term]:
    """Return the state formulas of a machine that are not theorems."""
    if machine in (EVENTS, HOST_EVENTS):
        return hypotheses(CACHE_ONLY if machine == EVENTS else HOST_MACHINE) | event_formulas(machine == HOST_EVENTS)
    if machine == HOST_MACHINE:
        return host_formulas()
    policy = policy_of(machine)
    derived = theorems(policy)
    return {id_: formula for id_, formula in state_formulas(policy, machine != CACHE_ONLY).items() if id_ not in derived}


@cache
def derived(machine: str) -> dict[str, Term]:
    """Return the theorems of a machine."""
    return host_theorems() if machine in TIERED_MACHINES else theorems(policy_of(machine))


def state_functions(machine: str) -> tuple[Function, ...]:
    """Return the functions that are the state of a machine."""
    of_host = HOST_FUNCTIONS if machine in TIERED_MACHINES else ()
    return *STATE_FUNCTIONS, *of_host, *(EVENT_FUNCTIONS if machine in (EVENTS, HOST_EVENTS) else ())


@cache
def proved_formulas(machine: str, name: str) -> tuple[dict[str, Term], ...]:
    """Return what is proved of a transition: the state formulas, the promises of operations, and its own postconditions."""
    if machine in (EVENTS, HOST_EVENTS):
        return (hypotheses(machine),)  # what a step emits changes nothing else
    if machine == HOST_MACHINE:
        return hypotheses(machine), host_postconditions(name), {"STEP": HOST_STEPS[name]}
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
