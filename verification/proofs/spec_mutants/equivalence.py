"""Proves that a mutant is equivalent to the original transition."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from radixcheck.spec.logic import Function, Term, conj, expand, lift, substitute, var
from radixcheck.spec.run.text import text
from radixcheck.spec.signature import ENTRY, queued
from radixcheck.spec.transitions import larger, new_priority
from radixcheck.spec.updates import Transition, after
from radixcheck.verification.proofs.conditions import CACHE_LAWS, Condition, forgetting, goals, has_sum, unordered
from radixcheck.verification.proofs.decide import prove
from radixcheck.verification.proofs.host_conditions import HOST_LAWS
from radixcheck.verification.proofs.host_step_postconditions import means as host_means
from radixcheck.verification.proofs.proof_results import TIERED_MACHINES, Mutant
from radixcheck.verification.proofs.spec_mutants.generate_mutants import conjuncts, update_text
from radixcheck.verification.proofs.spec_mutants.proved_formulas import derived, hypotheses
from radixcheck.verification.proofs.step_postconditions import arguments, means


def _with(step: Transition, values: Mapping[str, Term]) -> Transition:
    """Return the step with other terms for its parameters."""
    updates = tuple(replace(u, where=substitute(u.where, values), value=substitute(u.value, values)) for u in step.updates)
    return replace(step, guard=substitute(step.guard, values), updates=updates)


def _same_value(function: Function, mutant: Transition, original: Transition, machine: str) -> Term:
    """Return the formula that after both steps the function has the same values, wherever it is defined."""
    names = tuple(var(f"{v.args[0]}_goal", v.sort) for v in arguments(function))
    defined = after((host_means if machine in TIERED_MACHINES else means)(function, *names), mutant)
    return defined >> (after(function(*names), mutant) == after(function(*names), original))


def _missing_conjuncts(mutant: Transition, original: Transition) -> list[Term]:
    """Return the conjuncts that only the guard of the original has."""
    present = {text(part) for part in conjuncts(mutant.guard)}
    return [part for part in conjuncts(original.guard) if text(part) not in present]


def differences(mutant: Transition, original: Transition) -> tuple[list[Term], list[Function]]:
    """Return the conjuncts that only the original has, and the functions with different updates (all, if nothing differs)."""
    missing = _missing_conjuncts(mutant, original)
    updated = [{update_text(u): u.function for u in step.updates} for step in (mutant, original)]
    different = set(updated[0]) ^ set(updated[1]) or (set() if missing else set(updated[0]))
    return missing, list({f.name: f for functions in updated for words, f in functions.items() if words in different}.values())


def equivalence(mutant: Mutant, values: Mapping[str, Term], given: Mapping[str, Term]) -> tuple[str, Condition]:
    """Return the condition that the original with these parameters can be taken wherever the mutant can, with the same result.

    The first item is the condition as text.
    """
    known = hypotheses(mutant.machine) | derived(mutant.machine) | {"guard": mutant.transition.guard, **given}
    ours, original = forgetting(mutant.transition), forgetting(_with(mutant.original, values))
    missing, functions = differences(ours, original)
    # If two updates of the mutant conflicted, its result would depend on the reader.
    claims = [
        *missing,
        *(_same_value(f, ours, original, mutant.machine) for f in functions),
        *(unordered(ours, {}).goals if functions else ()),
    ]
    found = tuple(goal for claim in claims for goal in goals(expand(claim)))
    laws = HOST_LAWS if mutant.machine in TIERED_MACHINES else CACHE_LAWS
    counts = goals(hypotheses(mutant.machine)["COUNT"])
    given_laws = tuple(law for goal in (*found, *counts) for law in laws.here(goal))
    words = [*(f"{text(part)} holds anyway" for part in missing), *(f"{f.name} is the same" for f in functions)]
    return " and ".join(words), Condition(f"{mutant.name}/equivalent", conj(*claims), None, known, found, given_laws)


def _choices(mutant: Mutant) -> Iterator[tuple[str, dict[str, Term], dict[str, Term]]]:
    """Yield parameters with which the original may do the same as the mutant, with their description and hypotheses."""
    yield "", {}, {}
    missing = {text(part) for part in _missing_conjuncts(mutant.transition, mutant.original)}
    if text(lift(0) <= new_priority) in missing:
        yield "with the larger of 0 and new_priority, ", {"new_priority": larger(lift(0), new_priority)}, {}
    for p in mutant.original.parameters:
        if p.sort == ENTRY and text(~queued(p)) in missing:
            spare = var("spare", ENTRY)
            yield f"with an entry {p.args[0]} that is not queued, ", {p.args[0]: spare}, {"spare": ~queued(spare)}


def equivalent(mutant: Mutant, seed: int, seconds: float) -> str:
    """Return what was proved if the mutant is equivalent to the original, or "" if no proof was found in time."""
    for how, values, given in _choices(mutant):
        words, condition = equivalence(mutant, values, given)
        plain = [name for name, term in condition.hypotheses.items() if not has_sum(term)]
        few = replace(condition, laws=())
        if prove(few, plain, seed, seconds) or prove(condition, list(condition.hypotheses), seed, seconds):
            return f"proved: {how}{words}"
    return ""
