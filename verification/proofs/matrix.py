"""The matrix: every condition that is decided, with the verdict that is expected of it.

    a state formula, by a transition       the transition keeps it
    a promise, by a transition             it carries what operations promise, or does what it is for and nothing else
    a theorem                              it follows from the state formulas
    the early machine's own formulas       locks that stop early refine those of the whole path
    all of these about the host machine    with `host:` before the name, and no cell where a step changes nothing that a formula reads
    a formula of events                    a transition keeps it, with the fold of what it emits
    a claim                                one sentence of a review, proved or refuted
    a reason for trust                     a step can be taken, a formula can fail: that it cannot is refuted

The heap machine's transitions are the cache's with updates of entries added (`tests/verification/proofs/test_matrix.py` compares
them), so that formulas that read no entry need be shown of the cache's transitions alone. The heap's formulas are shown of the heap's
transitions for any policy at all, its key an unknown function of what a node carries.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

from radixcheck.spec.events.event_machine import EVENT_MACHINE, HOST_EVENT_MACHINE
from radixcheck.spec.heap_machine import heap_machine
from radixcheck.spec.host.host_heap import HOST_HEAP_FORMULAS, host_heap_machine
from radixcheck.spec.host.loads import TIERED
from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.logic import Term
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.transitions import CACHE
from radixcheck.spec.updates import Transition
from radixcheck.verification.proofs.claim import Claim
from radixcheck.verification.proofs.conditions import ANY, Condition, follows, preserved, state_formulas, theorems
from radixcheck.verification.proofs.decide import HOST_STATED
from radixcheck.verification.proofs.early_refinement import early_cells
from radixcheck.verification.proofs.event_conditions import UNIQUE, event_claims, event_formulas, event_preserved, unique_ids
from radixcheck.verification.proofs.host_conditions import changes, host_follows, host_formulas, host_given, host_preserved, host_theorems
from radixcheck.verification.proofs.host_promises import HOST_PROMISES
from radixcheck.verification.proofs.host_step_postconditions import HOST_STEPS
from radixcheck.verification.proofs.promises import CACHE_PROMISES
from radixcheck.verification.proofs.proof_results import HOST, Cell
from radixcheck.verification.proofs.step_postconditions import STEPS, heap_steps
from radixcheck.verification.proofs.trust import trust

HEAP_FORMULAS = tuple(p.id for p in STATE_FORMULAS if p.heap)


def matrix(claims: Iterable[Claim] = ()) -> tuple[Cell, ...]:
    """Return every cell, with one for each of the claims."""
    return (*_cache(), *_promises(), *_steps(), *_theorems(), *_heap(), *_early(), *_host(), *_events(), *_claims(tuple(claims)))


def _kept(id_: str, formula: Term, step: Transition, given: Mapping[str, Term], policy: str = "") -> Cell:
    return Cell(f"{step.name}/{id_}", id_, partial(preserved, id_, formula, step, given), step.name, policy)


def _made(condition: Condition) -> Callable[[], Condition]:
    return lambda: condition


def _cache() -> Iterator[Cell]:
    formulas, derived = state_formulas(), theorems()
    for step in CACHE:
        for id_, formula in formulas.items():
            if id_ not in derived:
                yield _kept(id_, formula, step, formulas | derived)


def _promises() -> Iterator[Cell]:
    for name, make in CACHE_PROMISES.cells().items():
        where, _, id_ = name.partition("/")
        yield Cell(name, id_, make, where)


def _steps() -> Iterator[Cell]:
    for step in CACHE:
        yield _kept("STEP", STEPS[step.name], step, state_formulas() | theorems())


def _theorems() -> Iterator[Cell]:
    formulas, derived = state_formulas(ANY), theorems(ANY)
    inductive = {id_: formula for id_, formula in formulas.items() if id_ not in derived}
    for id_, formula in derived.items():
        yield Cell(id_, id_, partial(follows, id_, formula, inductive), policy=ANY.name if id_ == "NO_TIES" else "")


def _heap() -> Iterator[Cell]:
    given = state_formulas(ANY, heap=True) | theorems(ANY)
    done = heap_steps(ANY)
    for step in heap_machine(ANY):
        for id_ in HEAP_FORMULAS:
            yield _kept(id_, given[id_], step, given, ANY.name)
        if step.name in done:
            yield _kept("HEAP_STEP", done[step.name], step, given, ANY.name)


def _early() -> Iterator[Cell]:
    for cell in early_cells():
        c = cell.condition
        name = f"early:{c.name}" if c.step and not cell.sentence else c.name
        step = c.step.name if c.step else ""
        yield Cell(name, cell.formula, _made(c), step, "", cell.expected, cell.sentence, cell.questions)


def _host() -> Iterator[Cell]:
    """Yield the cells of the host machine. All their names begin with HOST."""
    formulas, given = host_formulas(), host_given()
    for step in TIERED:
        yield from _host_kept(step, formulas, given)
        yield _of_host(f"{step.name}/STEP", "STEP", partial(host_preserved, "STEP", HOST_STEPS[step.name], step, given), step.name)
    for name, make in HOST_PROMISES.cells().items():
        where, _, id_ = name.partition("/")
        yield _of_host(name, id_, make, where)
    for id_, formula in host_theorems().items():
        yield _of_host(id_, id_, partial(host_follows, id_, formula, formulas))
    heap = {p.id: p.formula(ANY) for p in HOST_HEAP_FORMULAS if p.formula is not None}
    for step in host_heap_machine(ANY):
        yield from _host_kept(step, heap, given | heap)


def _host_kept(step: Transition, formulas: Mapping[str, Term], given: Mapping[str, Term]) -> Iterator[Cell]:
    """Yield a cell for each formula of which the step changes anything."""
    for id_, formula in formulas.items():
        if changes(step, formula):
            yield _of_host(f"{step.name}/{id_}", id_, partial(host_preserved, id_, formula, step, given), step.name)


def _of_host(name: str, id_: str, make: Callable[[], Condition], step: str = "") -> Cell:
    """Return a cell of the host machine. A formula that only a cache with a host tier has keeps its name."""
    return Cell(HOST + name, id_ if id_ in HOST_STATED else HOST + id_, make, step and HOST + step)


def _events() -> Iterator[Cell]:
    """Yield the cells of the event machine, on one tier and on two."""
    for step in EVENT_MACHINE:
        for id_ in event_formulas():
            yield Cell(f"{step.name}/{id_}", id_, partial(event_preserved, id_, step), step.name)
    for step in HOST_EVENT_MACHINE:
        for id_, formula in event_formulas(host=True).items():
            if changes(step, formula):
                yield _of_host(f"{step.name}/{id_}", id_, partial(event_preserved, id_, step, host=True), step.name)
    words = "No two cached positions have the same id, if the digest gives different inputs different ids."
    yield Cell(UNIQUE, UNIQUE, unique_ids, sentence=words)


def _claims(claims: tuple[Claim, ...]) -> Iterator[Cell]:
    for claim in (*claims, *event_claims(), *trust(claims)):
        c = claim.condition
        policy = claim.id.partition("-")[2] if claim.id.partition("-")[2] in POLICIES else ""
        step = c.step.name if c.step else ""
        yield Cell(claim.id, claim.id, _made(c), step, policy, claim.expected, claim.sentence, claim.questions)
