"""The host machine is proved: canaries, planted faults that are refuted and shown, and laws that are true of its steps."""

from collections import Counter
from copy import deepcopy
from dataclasses import replace

import pytest
from host_walk import Walk

from radixcheck.spec.host.backups import ACK_SAVE, SEND
from radixcheck.spec.host.host_heap import host_heap_machine
from radixcheck.spec.host.host_transitions import DELETE, DEMOTE, DROP_HOST, EVICT_HOST
from radixcheck.spec.host.loads import ACK_LOAD, FAIL_LOAD, LOAD, PIN, TIERED
from radixcheck.spec.logic import Term, conj, old, var
from radixcheck.spec.policies import POLICIES, Policy
from radixcheck.spec.run.positions import EPS
from radixcheck.spec.run.reader import check, holds
from radixcheck.spec.signature import POS, leaf, node
from radixcheck.spec.transitions import CACHE, n
from radixcheck.spec.updates import Transition
from radixcheck.verification.proofs import conditions
from radixcheck.verification.proofs.conditions import ANY, Condition, state_formulas, theorems, unordered
from radixcheck.verification.proofs.decide import decide, prove, refute_each, slices
from radixcheck.verification.proofs.host_conditions import HOST_LAWS, changes, host_formulas, host_given, host_preserved, host_theorems
from radixcheck.verification.proofs.host_step_postconditions import HOST_STEPS, host_postconditions
from radixcheck.verification.proofs.models import moment
from radixcheck.verification.proofs.proof_results import CONFIRMED, PROVED, REFUTED
from radixcheck.verification.proofs.refute import HOST_SIZES, witness
from radixcheck.verification.proofs.second_solver import confirm

FORMULAS, GIVEN = host_formulas(), host_given()
COUNTED = tuple(FORMULAS[id_] for id_ in ("COUNT", "HOST_COUNT", "LOCK_COUNT", "PIN_COUNT"))
STEPS = {step.name: step for step in TIERED}
OF_HEAP = {"queued", "on", "first", "second", "entry"}

HARD = [
    *("evict_host/HOST_COUNT", "drop_host/HOST_COUNT", "fail_load/NO_UAF", "evict_host/SOURCE", "demote/TARGET"),
    *("relock/COUNT", "revive/ARRIVAL", "load/PIN_COUNT", "ack_load/ARRIVED_BEFORE_READ", "release/COUNT"),
]


def kept(name: str) -> Condition:
    step, _, id_ = name.partition("/")
    return host_preserved(id_, FORMULAS[id_], STEPS[step], GIVEN)


@pytest.mark.parametrize("name", HARD)
def test_a_step_keeps_a_formula(name: str) -> None:
    assert decide(kept(name)).verdict == PROVED


@pytest.mark.parametrize("name", ["demote/TARGET", "load/PIN_COUNT"])
def test_a_second_solver_confirms_a_proof_on_two_tiers(name: str) -> None:
    assert confirm(kept(name)) == CONFIRMED


@pytest.mark.parametrize("step", TIERED, ids=lambda step: step.name)
def test_a_step_keeps_its_postconditions_on_two_tiers(step: Transition) -> None:
    promised = {**host_postconditions(step.name), "STEP": HOST_STEPS[step.name]}
    verdicts = {id_: decide(host_preserved(id_, formula, step, GIVEN)).verdict for id_, formula in promised.items()}
    assert verdicts == dict.fromkeys(promised, PROVED)


@pytest.mark.slow
@pytest.mark.parametrize("step", TIERED, ids=lambda step: step.name)
def test_the_order_in_which_updates_are_written_does_not_matter_on_two_tiers(step: Transition) -> None:
    assert decide(unordered(step, GIVEN)).verdict == PROVED


def test_a_formula_of_which_a_step_changes_nothing_is_the_same_afterwards() -> None:
    left_out = [(step, id_) for step in TIERED for id_, formula in FORMULAS.items() if not changes(step, formula)]
    assert len(left_out) > 300
    for step, id_ in left_out[::40]:
        alone = host_preserved(id_, FORMULAS[id_], step, {id_: FORMULAS[id_]})
        assert decide(alone.with_laws()).verdict == PROVED


@pytest.mark.parametrize("policy", [ANY, POLICIES["mru"]], ids=lambda policy: policy.name)
def test_the_machine_with_the_heap_changes_what_the_host_machine_changes(policy: Policy) -> None:
    for step, with_heap in zip(TIERED, host_heap_machine(policy), strict=True):
        assert tuple(update for update in with_heap.updates if update.function.name not in OF_HEAP) == step.updates
        assert with_heap.forgets == step.forgets
        assert with_heap.guard is step.guard or with_heap.guard.args[0] is step.guard


def test_conditions_about_a_cache_without_a_host_tier_have_the_slices_they_had() -> None:
    given = state_formulas() | theorems()
    found = conditions.preserved("NO_ORPHAN", given["NO_ORPHAN"], CACHE[0], given)
    assert len(slices(found)) == 2
    assert len(slices(kept("split/NO_ORPHAN"))) == 5


def but_guard(step: Transition, guard: Term) -> Transition:
    return replace(step, guard=guard)


def without(step: Transition, function: str) -> Transition:
    return replace(step, updates=tuple(update for update in step.updates if update.function.name != function))


FAULTS = {
    "eviction from the host of an inner node": (but_guard(EVICT_HOST, node(n) & ~leaf(n)), "NO_ORPHAN"),
    "demotion that is not counted": (without(DEMOTE, "evictable"), "COUNT"),
    "host pages that are not given back": (without(DROP_HOST, "host_owner"), "HOST_PARTITION"),
    "load without pins": (without(PIN, "pins"), "PIN_COUNT"),
    "load that locks nothing": (without(LOAD, "lock"), "LOCK_COUNT"),
    "acknowledgement that fills nothing": (without(ACK_SAVE, "host_filled"), "HOST_ARRIVAL"),
    "backup that is not visible": (without(SEND, "hosted"), "HOST_PARTITION"),
    "acknowledgement that leaves the pins": (without(ACK_LOAD, "pins"), "PIN_COUNT"),
    "failed load that gives nothing back": (without(FAIL_LOAD, "owner"), "SLOT_PARTITION"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_refuted_by_a_state_on_which_it_is_run_on_two_tiers(fault: str) -> None:
    step, id_ = FAULTS[fault]
    (found,) = refute_each(host_preserved(id_, FORMULAS[id_], step, GIVEN), (0,))

    assert found.verdict == REFUTED
    assert found.counterexample is not None
    assert all(check(formula)(found.counterexample.before) is None for formula in FORMULAS.values())


def test_a_counterexample_shows_both_tiers_and_the_copies_in_flight() -> None:
    step, id_ = FAULTS["acknowledgement that leaves the pins"]
    (verdict,) = refute_each(host_preserved(id_, FORMULAS[id_], step, GIVEN), (0,))
    assert verdict.counterexample is not None
    before, after = (moment(state).seen for state in (verdict.counterexample.before, verdict.counterexample.after))

    (copy,) = before.copies
    aim = next(each for each in before.nodes if each.name == copy.aim)
    assert (copy.up, tuple(copy.sources), tuple(copy.targets)) == (True, tuple(aim.host_slots), tuple(aim.slots))
    assert aim.pins == 1
    assert after.copies == []


@pytest.mark.parametrize("step", [DELETE, LOAD, FAIL_LOAD], ids=lambda step: step.name)
def test_the_assumptions_are_satisfiable_and_do_not_prove_false_on_two_tiers(step: Transition) -> None:
    counted = [host_preserved("", formula, step, {}) for formula in COUNTED]
    laws = [law for condition in counted for goal in condition.goals for law in condition.laws_for(goal)]
    given = {**GIVEN, "guard": step.guard}
    absurd = Condition("absurd", conj(), step, given, (~conj(),), tuple(laws))

    assert witness([*given.values(), *laws], HOST_SIZES[-1], seed=0, seconds=10) is not None
    assert not prove(absurd, list(given), seed=0, seconds=0.3)


def laws(step: Transition) -> list[tuple[bool, Term]]:
    """Every law of sums that a proof about this transition uses, and whether it is about a node."""
    found = []
    for formula in COUNTED:
        for claim in conditions.goals(formula):
            for law in (*HOST_LAWS.of_step(claim, step), *HOST_LAWS.here(claim)):
                found.append((bool(conditions.variables(law, POS)), law))
    return found


def test_the_laws_of_sums_are_true_of_every_step_on_two_tiers() -> None:
    goal, framed = var("n_goal", POS), Counter[str]()
    compiled = {}
    for step in TIERED:
        parameters = (*step.parameters, goal)
        compiled[step.name] = [
            (of_node, holds(law, parameters), holds(old(law.args[0].args[0]) if law.op == "old" else law.args[0], parameters))
            for of_node, law in laws(step)
        ]
    for seed in range(2):
        walk = Walk(seed, 1, gaps=bool(seed % 2))
        for _ in range(60):
            before = deepcopy(walk.state, {id(walk.positions): walk.positions})
            taken = walk.step()
            assert taken is not None
            for of_node, law, frame in compiled[taken.name]:
                for node_ in walk.state.node if of_node else {EPS}:
                    assert law(walk.state, before, *walk.arguments, node_)
                    framed[taken.name] += frame(walk.state, before, *walk.arguments, node_)

    assert len(framed) > 12


def test_the_theorems_are_not_among_the_formulas() -> None:
    assert not FORMULAS.keys() & host_theorems().keys()
