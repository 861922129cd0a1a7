"""Formulas of the specification are proved, planted faults are refuted, and the assumptions of the proofs are run on states."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import cache

import pytest

from radixcheck.spec.heap_machine import entries_and_leaves, heap_machine
from radixcheck.spec.logic import BOOL, INT, Term, conj, expand, old, var
from radixcheck.spec.policies import POLICIES, Policy
from radixcheck.spec.postconditions import POSTCONDITIONS
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.reader import Refused, check, holds, run
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import PAGE, POS, REQUEST, hits, leaf, lock, node, on, time
from radixcheck.spec.transitions import BEGIN, CACHE, EVICT, GROW, RELEASE, SPLIT, TOUCH, m, n
from radixcheck.spec.updates import Transition, at_point
from radixcheck.verification.proofs import conditions
from radixcheck.verification.proofs.conditions import LRU, Condition, follows, preserved, state_formulas, theorems
from radixcheck.verification.proofs.decide import decide, prove
from radixcheck.verification.proofs.laws import AXIOMS, inherits, leaf_below, next_page, no_more
from radixcheck.verification.proofs.proof_results import PROVED, REFUTED, UNKNOWN
from radixcheck.verification.proofs.refute import SIZES, witness
from radixcheck.verification.proofs.sequence import then
from radixcheck.verification.proofs.variants import BY_KEY, BY_SLOTS, delete, free

FORMULAS = state_formulas()
POSTS = {p.id: p.formula(LRU) for p in POSTCONDITIONS if p.formula is not None}
HYPOTHESES = FORMULAS | theorems()
COUNTED = (FORMULAS["COUNT"], FORMULAS["LOCK_COUNT"])  # those with sums

FORGETS_LOCK = replace(SPLIT, updates=(*(u for u in SPLIT.updates if u.function is not lock), at_point(lock, m, 0)))
EVICTS_INTERNAL = replace(EVICT, guard=node(n) & (lock(n) == 0))
EVICTS_LOCKED = replace(EVICT, guard=node(n) & leaf(n))


def condition(step: Transition, id_: str) -> Condition:
    """One formula kept by one transition."""
    return preserved(id_, (FORMULAS | POSTS)[id_], step, HYPOTHESES)


CANARIES = [
    *((GROW, "COUNT"), (GROW, "MATCH_SOUND"), (SPLIT, "LOCK_COUNT"), (RELEASE, "SLOT_PARTITION"), (RELEASE, "COUNT")),
    *((EVICT, "NO_ORPHAN"), (EVICT, "EVICT_UNLOCKED"), (EVICT, "SLOT_PARTITION")),
]


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("step", "id_"), CANARIES, ids=[f"{step.name}-{id_}" for step, id_ in CANARIES])
def test_a_transition_keeps_a_formula(step: Transition, id_: str, seed: int) -> None:
    assert decide(condition(step, id_), seed).verdict == PROVED


@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_the_heap_evicts_the_least_leaf_under_every_policy(policy: Policy) -> None:
    (evict,) = (step for step in heap_machine(policy) if step.name == "evict")
    (order,) = (p.formula(policy) for p in POSTCONDITIONS if p.id == "ORDER" and p.formula is not None)
    given = state_formulas(policy, heap=True) | theorems(policy)
    assert decide(preserved("ORDER", order, evict, given)).verdict == PROVED


@pytest.mark.parametrize("step", heap_machine(LRU), ids=lambda step: step.name)
def test_the_order_in_which_updates_are_written_does_not_matter(step: Transition) -> None:
    assert decide(conditions.unordered(step, HYPOTHESES)).verdict == PROVED


@pytest.mark.parametrize("id_", theorems())
def test_a_theorem_follows_from_the_state_formulas(id_: str) -> None:
    given = {name: formula for name, formula in FORMULAS.items() if name not in theorems()}
    assert decide(follows(id_, theorems()[id_], given)).verdict == PROVED


@pytest.mark.parametrize(("step", "id_"), [(FORGETS_LOCK, "LOCK_COUNT"), (EVICTS_INTERNAL, "NO_ORPHAN"), (EVICTS_LOCKED, "EVICT_UNLOCKED")])
def test_a_planted_fault_is_refuted_by_a_state_on_which_it_is_run(step: Transition, id_: str) -> None:
    found = decide(condition(step, id_))

    assert found.verdict == REFUTED
    assert found.counterexample is not None
    before, after = found.counterexample.before, found.counterexample.after
    assert {name for name, formula in FORMULAS.items() if check(formula)(before) is not None} == set()
    assert check((FORMULAS | POSTS)[id_])(after, before) is not None


def test_a_formula_that_reads_an_undefined_value_is_not_refuted() -> None:
    # The evicted parent has no time afterwards, which Python cannot compare with that of the child.
    assert decide(condition(EVICTS_INTERNAL, "TIME_MONO"), seconds=1).verdict == UNKNOWN


@pytest.mark.parametrize("step", CACHE, ids=lambda step: step.name)
def test_the_assumptions_are_satisfiable_and_do_not_prove_false(step: Transition) -> None:
    counted = [preserved("", formula, step, {}) for formula in COUNTED]
    laws = [law for condition in counted for goal in condition.goals for law in condition.laws_for(goal)]
    given = {**HYPOTHESES, "guard": step.guard}
    absurd = Condition("absurd", conj(), step, given, (~conj(),), tuple(laws))

    assert witness([*given.values(), *laws], SIZES[-1], seed=0, seconds=10) is not None
    assert not prove(absurd, list(given), seed=0, seconds=0.3)


def table() -> Positions:
    """Every prefix over two pages of two tokens, with unfinished pages, under two namespaces."""
    positions = Positions(2)
    level = [0]
    for _ in range(2):
        whole = [above for above in level if positions.whole[above]]
        level = [positions.link(above, page, space) for above in whole for page in ((0, 0), (1, 1), (1,)) for space in ((), ("b",))]
    return positions


def within_nodes(term: Term) -> Term:
    """The formula with quantifiers over nodes only, so that a finite state can check it."""
    if term.op != "forall":
        return term
    return Term("forall", (term.args[0], conj(*(node(v) for v in term.args[0])) >> term.args[1]), BOOL)


@pytest.mark.parametrize("id_", AXIOMS)
def test_an_axiom_of_prefixes_is_true_of_the_positions(id_: str) -> None:
    state = State(table(), 4)
    state.node = set(range(len(state.positions.prev)))
    assert len(state.node) == 19
    assert check(within_nodes(AXIOMS[id_]))(state) is None


def walk(steps: int) -> Iterator[tuple[Transition, tuple[int, ...], State, State]]:
    """Random transitions, with the states before and after each."""
    rng, positions, taken = random.Random(7), table(), 0
    state = State(positions, 6)
    before = deepcopy(state, {id(positions): positions})
    things = {POS: range(len(positions.prev)), PAGE: range(6), REQUEST: range(3), INT: range(2)}
    often = [{"reset": 1, "touch": 20, "begin": 40, "release": 40, "split": 9000}.get(step.name, 1000) for step in CACHE]
    while taken < steps:
        (step,) = rng.choices(CACHE, often)
        arguments = tuple(rng.choice(things[p.sort]) for p in step.parameters)
        try:
            run(step, state, *arguments)
        except Refused:
            continue
        yield step, arguments, before, state
        before = deepcopy(state, {id(positions): positions})
        taken += 1


TWO_STEPS = [(free(), delete(BY_KEY)), (free(BY_SLOTS), delete()), (TOUCH, EVICT), (BEGIN, RELEASE)]


@pytest.mark.parametrize(("first", "second"), TWO_STEPS, ids=lambda step: step.name)
def test_two_steps_as_one_do_what_they_do_one_after_the_other(first: Transition, second: Transition) -> None:
    both, done = then(first, second), 0
    for _, _, _, state in walk(120):
        positions, rng = {id(state.positions): state.positions}, random.Random(done)
        for node_ in state.node:
            given = {"n": node_, "h": 2, "hit": rng.randrange(2), "new_priority": rng.randrange(2)}
            one, other = deepcopy(state, dict(positions)), deepcopy(state, dict(positions))
            try:
                run(first, one, *(given[p.args[0]] for p in first.parameters))
                run(second, one, *(given[p.args[0]] for p in second.parameters))
            except Refused:
                continue
            run(both, other, *(given[p.args[0]] for p in both.parameters))
            assert {name: getattr(other, name) for name in State.__slots__} == {name: getattr(one, name) for name in State.__slots__}
            done += 1

    assert done >= 10


def test_an_eviction_is_a_free_and_a_delete() -> None:
    for step, arguments, before, after_ in walk(250):
        if step is EVICT:
            run(then(free(), delete(BY_KEY)), before, *arguments)
            assert all(getattr(before, name) == getattr(after_, name) for name in State.__slots__)


@cache
def laws(step: Transition) -> list[tuple[bool, Callable[..., bool], Callable[..., bool]]]:
    """Every law that a proof about this transition uses: whether it is about a node, the law, and its frame."""
    goal, found = var("n_goal", POS), []
    for formula in COUNTED:
        for claim in conditions.goals(formula):
            for law in (*conditions.laws_of_step(claim, step), *conditions.laws_here(claim)):
                frame = old(law.args[0].args[0]) if law.op == "old" else law.args[0]
                of_law, of_frame = (holds(f, (*step.parameters, goal)) for f in (law, frame))
                found.append((bool(conditions.variables(law, POS)), of_law, of_frame))
    return found


def test_the_laws_of_sums_are_true_of_every_step() -> None:
    taken, framed = Counter[str](), Counter[str]()
    for step, arguments, before, after in walk(250):
        taken[step.name] += 1
        for of_node, law, frame in laws(step):
            for node_ in after.node if of_node else {EPS}:
                assert law(after, before, *arguments, node_)
                framed[step.name] += frame(after, before, *arguments, node_)

    assert taken.keys() == {step.name for step in CACHE}
    assert min(taken.values()) >= 5
    assert framed.keys() == taken.keys()


def test_the_law_of_the_next_page_is_true_of_the_positions() -> None:
    positions, p, q = table(), var("p", POS), var("q", POS)
    law = next_page(p, q)
    true, frame, found = (holds(term, (p, q)) for term in (law, law.args[0], law.args[1]))
    state, places = State(positions, 4), range(len(positions.prev))
    pairs = [(a, b) for a in places for b in places]

    assert all(true(state, None, *pair) for pair in pairs)
    assert sum(frame(state, None, *pair) for pair in pairs) > 20
    assert all(frame(state, None, *pair) for pair in pairs if found(state, None, *pair))  # the law is vacuous elsewhere


@pytest.mark.parametrize("law", [inherits(time), inherits(hits), leaf_below()], ids=["time", "hits", "leaf"])
def test_the_laws_of_finite_trees_are_true_of_every_state(law: Term) -> None:
    true, frame, chained = holds(law), holds(law.args[0]), 0
    for _, _, _, state in walk(250):
        assert true(state)
        chained += frame(state) and any(state.up[n] != EPS for n in state.node)

    assert chained > 20


def test_the_law_of_injections_is_true_of_every_heap() -> None:
    entries, leaves = entries_and_leaves()
    law = no_more(expand(entries), expand(leaves), on)
    true, frame, rng, framed, more = holds(law), holds(law.args[0]), random.Random(5), 0, 0
    positions = table()
    for _ in range(300):
        state = State(positions, 4)
        state.node = set(rng.sample(range(1, 6), rng.randrange(1, 5)))
        state.lock, state.up = {n: rng.randrange(4) // 3 for n in state.node}, dict.fromkeys(state.node, EPS)
        state.queued = set(range(rng.randrange(4)))
        state.on = {e: rng.choice(sorted(state.node)) for e in state.queued}
        assert true(state)
        framed += frame(state) and len(state.queued) > 1
        more += len(state.queued) > sum(lock == 0 for lock in state.lock.values())

    assert framed > 10  # the frame holds
    assert more > 10  # the frame must not hold
