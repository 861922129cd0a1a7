"""Makes the mutants of every transition."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from radixcheck.spec.heap_machine import heap_machine
from radixcheck.spec.host.loads import TIERED
from radixcheck.spec.logic import INT, Term, conj, unfold
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.text import text
from radixcheck.spec.transitions import CACHE
from radixcheck.spec.updates import Transition, Update
from radixcheck.verification.proofs.proof_results import CACHE_ONLY, HOST_MACHINE, Mutant
from radixcheck.verification.proofs.spec_mutants.emission_mutants import emission_mutants

HEAPS = ("lru", "mru")  # under mru a touch makes a key smaller, so that it pushes at once


def conjuncts(term: Term) -> Iterator[Term]:
    """Yield the conjuncts of a formula, also those inside defined functions."""
    if term.op == "and":
        for arg in term.args:
            yield from conjuncts(arg)
    elif term.op == "app" and term.args[0].kind == "defined" and unfold(term).op == "and":
        yield from conjuncts(unfold(term))
    elif text(term) != "True":
        yield term


def _without_each(term: Term) -> Iterator[tuple[str, Term]]:
    """Yield the text of each conjunct, with the formula without it."""
    parts = list(conjuncts(term))
    for i, part in enumerate(parts):
        yield text(part), conj(*parts[:i], *parts[i + 1 :])


def update_text(update: Update) -> str:
    """Return an update as text. Two updates with the same text do the same."""
    return f"{text(update.function(*update.parameters))} := {text(update.value)} where {text(update.where)}"


def _title(update: Update) -> str:
    """Return the point at which a function is updated, or the set of points."""
    names = {p.args[0]: p for p in update.parameters}
    points = {text(part.args[0]): part.args[1] for part in conjuncts(update.where) if part.op == "eq"}
    if names.keys() <= points.keys():
        return text(update.function(*(points[name] for name in names)))
    return f"{text(update.function(*update.parameters))} where {text(update.where)}"


def _changed(update: Update) -> Iterator[tuple[str, Update]]:
    """Yield the update with one change. An update that leaves the old value is left out: it equals no update."""
    for part, where in _without_each(update.where):
        yield f"reaches beyond {part}", replace(update, where=where)
    if update.function.sort == INT:
        before = update.function(*update.parameters)
        yield "becomes one more", replace(update, value=before + 1)
        yield "becomes one less", replace(update, value=before - 1)


def mutations(step: Transition) -> Iterator[tuple[str, str, Transition]]:
    """Yield, for each change of a transition, a short name, the full text of the change, and the changed transition."""
    for part, guard in _without_each(step.guard):
        yield f"guard without {part}", " ".join([text(step.guard), *map(update_text, step.updates)]), replace(step, guard=guard)
    for i, update in enumerate(step.updates):
        before, after = step.updates[:i], step.updates[i + 1 :]
        yield f"{_title(update)}: no update", update_text(update), replace(step, updates=before + after)
        for part, new in _changed(update):
            if update_text(new) != update_text(update):
                change = f"{update_text(update)} / {update_text(new)}"
                yield f"{_title(update)}: {part}", change, replace(step, updates=(*before, new, *after))
    for i, gone in enumerate(step.forgets):
        for part, where in _without_each(gone.where):
            forgets = (*step.forgets[:i], replace(gone, where=where), *step.forgets[i + 1 :])
            yield f"forgets {_title(gone)}: reaches beyond {part}", text(gone.where), replace(step, forgets=forgets)


@cache
def mutants() -> tuple[Mutant, ...]:
    """Return every mutant of the cache machine, of the heap machines, of the host machine and of what they emit.

    Mutants with the same text occur once.
    """
    found: dict[tuple[str, str, str], Mutant] = {}
    heaps = ((name, heap_machine(POLICIES[name])) for name in HEAPS)
    for machine, steps in ((CACHE_ONLY, CACHE), *heaps, (HOST_MACHINE, TIERED)):
        for step in steps:
            for name, change, transition in mutations(step):
                label = step.name if machine == CACHE_ONLY else f"{machine} {step.name}"
                found.setdefault((step.name, name, change), Mutant(f"{label}, {name}", transition, step, machine))
    return *found.values(), *emission_mutants()
