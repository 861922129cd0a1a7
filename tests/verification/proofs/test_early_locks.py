"""Locks that stop at the first protected ancestor: the refinement is proved, wrong variants are refuted, and both machines are run."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace

import pytest

from radixcheck.spec.logic import BOOL, INT, Term, conj
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.reader import Refused, check, holds, run
from radixcheck.spec.run.state import COUNTERS, MAPS, REQUEST_MAPS, SETS, State
from radixcheck.spec.run.terms import functions
from radixcheck.spec.signature import PAGE, POS, REQUEST, lock
from radixcheck.spec.transitions import CACHE
from radixcheck.spec.updates import Transition, Update
from radixcheck.verification.proofs.conditions import Condition, follows, preserved, state_formulas, theorems, unordered
from radixcheck.verification.proofs.decide import decide, decide_each, prove, refute_each
from radixcheck.verification.proofs.early_locks import EARLY
from radixcheck.verification.proofs.early_refinement import COUPLING, STARTS, EarlyCell, counts, early_cells
from radixcheck.verification.proofs.laws import ascends, towards
from radixcheck.verification.proofs.proof_results import CONFIRMED, PROVED, REFUTED
from radixcheck.verification.proofs.refute import SIZES, witness
from radixcheck.verification.proofs.second_solver import confirm

CELLS = {cell.condition.name: cell for cell in early_cells()}
PROOFS = {name: cell for name, cell in CELLS.items() if cell.expected == PROVED}
WRONG = {name: cell for name, cell in CELLS.items() if cell.expected == REFUTED}
GIVEN = state_formulas() | theorems() | COUPLING


@pytest.mark.parametrize("cell", PROOFS.values(), ids=PROOFS)
def test_locks_that_stop_early_refine_those_of_the_whole_path(cell: EarlyCell) -> None:
    step = cell.condition.step
    seeds = (0, 1) if step is None or step.name in STARTS else (0,)
    assert [v.verdict for v in decide_each(cell.condition, seeds)] == [PROVED] * len(seeds)


@pytest.mark.parametrize("name", ["LOCK-STOP", "relock/RELOCK_WALKS", "release/SAME_SIZES"])
def test_a_second_solver_confirms_the_refinement(name: str) -> None:
    assert confirm(PROOFS[name].condition) == CONFIRMED


@pytest.mark.parametrize("cell", WRONG.values(), ids=WRONG)
def test_a_wrong_way_of_stopping_is_refuted_by_a_state_of_two_nodes(cell: EarlyCell) -> None:
    (found,) = refute_each(cell.condition, (0,))

    assert found.verdict == REFUTED
    assert found.counterexample is not None
    assert len(found.counterexample.after.node) == 2
    assert found.counterexample.before.local_lock_ref.keys() == found.counterexample.before.node


@pytest.mark.parametrize("cell", PROOFS.values(), ids=PROOFS)
def test_the_cases_of_a_proof_leave_nothing_out(cell: EarlyCell) -> None:
    """The goals for all nodes and holders imply the formula."""
    shown, step = cell.condition, cell.condition.step
    whole = follows("", shown.formula, {}) if step is None else preserved("", shown.formula, step, {})
    variables = tuple(Term("var", (f"{name}_goal",), sort) for name, sort in (("q", POS), ("m", POS), ("k", POS), ("h", REQUEST)))
    cases = {f"case {i}": Term("forall", (variables, goal), BOOL) for i, goal in enumerate(shown.goals)}

    assert prove(replace(whole.with_laws(), hypotheses=cases), list(cases), seed=0, seconds=5)


# The early machine is the cache machine with other counts.


def _others(updates: tuple[Update, ...], *names: str) -> tuple[Update, ...]:
    return tuple(update for update in updates if update.function.name not in names)


@pytest.mark.parametrize(("early", "cache"), list(zip(EARLY, CACHE, strict=True)), ids=[step.name for step in CACHE])
def test_the_early_machine_changes_what_the_cache_machine_changes(early: Transition, cache: Transition) -> None:
    counted = ("local_lock_ref", "evictable", "protected") if early.name in STARTS else ("local_lock_ref",)

    assert (early.name, early.parameters, early.touched) == (cache.name, cache.parameters, cache.touched)
    assert _others(early.updates, *counted) == _others(cache.updates, *counted)
    assert _others(early.forgets, "local_lock_ref") == cache.forgets
    assert early.guard is cache.guard or early.name == "evict"


@pytest.mark.parametrize("early", EARLY, ids=lambda step: step.name)
def test_the_early_machine_does_not_read_the_locks_of_the_whole_path(early: Transition) -> None:
    read = (early.guard, *(term for u in (*early.updates, *early.forgets) if u.function is not lock for term in (u.where, u.value)))
    assert all("lock" not in functions(term) for term in read)


def test_the_order_in_which_the_two_updates_of_relock_are_written_does_not_matter() -> None:
    (relock,) = (step for step in EARLY if step.name == "relock")
    assert len(relock.updates) - len({update.function for update in relock.updates}) == 1
    assert decide(unordered(relock, GIVEN)).verdict == PROVED


@pytest.mark.parametrize("early", EARLY, ids=lambda step: step.name)
def test_the_assumptions_of_the_refinement_are_satisfiable_and_do_not_prove_false(early: Transition) -> None:
    laws, given = counts(early).laws, {**GIVEN, "guard": early.guard}
    absurd = Condition("absurd", conj(), early, given, (~conj(),), laws)
    assert witness([*given.values(), *laws], SIZES[-1], seed=0, seconds=10) is not None
    assert not prove(absurd, list(given), seed=0, seconds=0.3)


# Both machines, run side by side.

BLIND = tuple(replace(step, updates=_others(step.updates, "lock"), forgets=_others(step.forgets, "lock")) for step in EARLY)


def table() -> Positions:
    """Every prefix over three pages of one token out of two."""
    positions, level = Positions(1), [EPS]
    for _ in range(3):
        level = [positions.link(above, (token,), ()) for above in level for token in (0, 1)]
    return positions


def walk(steps: int) -> Iterator[tuple[Transition, State, State, State]]:
    """Random transitions of both machines, the early one without `lock`: its state before (a walk) and after, and that of the cache."""
    rng, positions, taken = random.Random(3), table(), 0
    early, cache = State(positions, 12), State(positions, 12)
    things = {POS: range(len(positions.prev)), PAGE: range(12), REQUEST: range(4), INT: range(2)}
    rare = {"reset": 2, "touch": 10, "begin": 60, "release": 40, "evict": 60, "relock": 500, "fill": 0, "split": 9000}
    often = [rare.get(step.name, 1500) for step in CACHE]  # higher for steps whose guards seldom hold
    while taken < steps:
        ((ours, theirs),) = rng.choices(list(zip(BLIND, CACHE, strict=True)), often)
        arguments = tuple(rng.choice(things[p.sort]) for p in ours.parameters)
        before = deepcopy(early, {id(positions): positions}) if ours.name in STARTS else early
        try:
            run(theirs, cache, *arguments)
        except Refused:
            if ours.name == "evict":  # the only guard that differs
                with pytest.raises(Refused):
                    run(ours, early, *arguments)
            continue
        run(ours, early, *arguments)
        yield ours, before, early, cache
        taken += 1


def test_both_ways_protect_the_same_nodes_and_have_the_same_sizes_at_every_step_of_a_run() -> None:
    taken, stopped, coupled = Counter[str](), Counter[str](), check(COUPLING["MARKS_COUNT"])
    same = {*SETS, *MAPS, *REQUEST_MAPS, *COUNTERS, "owner"} - {"lock"}
    for step, before, early, cache in walk(600):
        assert {name for name in same if getattr(early, name) != getattr(cache, name)} == set()
        assert {n for n in early.node if early.local_lock_ref[n] > 0} == {n for n in cache.node if cache.lock[n] > 0}
        assert coupled(early) is None
        assert not early.lock
        taken[step.name] += 1
        changed = {n for n in early.node if step.name in STARTS and early.local_lock_ref[n] != before.local_lock_ref[n]}
        # A walk that stopped early: it reached a node above which others were protected too.
        stopped[step.name] += any(early.up[n] != EPS and early.up[n] not in changed for n in changed)

    assert taken.keys() == {step.name for step in CACHE} - {"fill"}  # no page of one token is unfinished
    assert min(taken.values()) >= 3
    assert min(stopped[name] for name in STARTS) >= 5


def test_the_laws_of_finite_trees_that_these_proofs_add_are_true_of_every_state() -> None:
    a, b = (Term("var", (name,), POS) for name in ("a", "b"))
    between = towards(a, b)
    on_the_way, above = (holds(term, (a, b)) for term in (between, between.args[0]))
    claims: list[Callable[[Term], Term]] = [lambda q: lock(q) <= 1, lambda q: lock(q) <= 2]
    risen = [(holds(law), holds(law.args[0])) for law in map(ascends, claims)]
    framed, unframed = Counter[int](), Counter[int]()
    for _, _, _, cache in walk(300):
        for n in cache.node:
            for m in cache.node:
                assert on_the_way(cache, None, n, m)
                framed[-1] += above(cache, None, n, m)
                unframed[-1] += not above(cache, None, n, m)
        for i, (law, frame) in enumerate(risen):
            assert law(cache)
            framed[i] += bool(cache.node) and frame(cache)
            unframed[i] += not frame(cache)

    assert min(framed[i] for i in (-1, 0, 1)) >= 40
    assert min(unframed[i] for i in (-1, 0, 1)) >= 40
