"""Events: every step keeps their formulas, ids are unique, and wrong variants are refuted by states on which they were run."""

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest

from radixcheck.spec.events.event_invariants import EVENT_FORMULAS
from radixcheck.spec.events.event_machine import EMITS, EVENT_MACHINE, HOST_EMITS
from radixcheck.spec.events.event_signature import DIGEST, POSITIONS
from radixcheck.spec.logic import Term, conj, forall, var
from radixcheck.spec.run.positions import EPS, Positions
from radixcheck.spec.run.reader import check, holds
from radixcheck.spec.run.state import State
from radixcheck.spec.signature import POS, cached, length, page_size
from radixcheck.spec.values import Key
from radixcheck.verification.proofs.claim import Claim
from radixcheck.verification.proofs.conditions import Condition
from radixcheck.verification.proofs.decide import decide, prove, refute_each
from radixcheck.verification.proofs.event_conditions import UNIQUE, event_claims, event_formulas, event_given, unique_ids
from radixcheck.verification.proofs.laws import first_failure
from radixcheck.verification.proofs.proof_results import CAUGHT, CONFIRMED, EQUIVALENT, HOST, PROVED, REFUTED, Mutant
from radixcheck.verification.proofs.prove import cells
from radixcheck.verification.proofs.refute import SIZES, witness
from radixcheck.verification.proofs.second_solver import confirm
from radixcheck.verification.proofs.spec_mutants.emission_mutants import emission_mutants
from radixcheck.verification.proofs.spec_mutants.judge_mutants import judge
from radixcheck.verification.review_6907.proof_suite import PROOFS

CELLS = {name: cell for name, cell in cells(PROOFS).items() if name.rpartition("/")[2] in event_formulas()}
QUICK = [name for name in CELLS if not name.startswith(HOST)]
HARD = ["host:ack_load/EVENT_REPLAY", "host:drop_host/EVENT_PARENT", "host:revive/EVENT_ORDER"]
CLAIMS = {claim.id: claim for claim in event_claims()}
MUTANTS = {mutant.name: mutant for mutant in emission_mutants()}
SOME = [
    *("events split, emits Removed", "events grow, emits no event", "events reset, emits no event", "events touch, emits Cleared"),
    *("host events ack_save, emits for the other tier", "host events evict_host, emits for both tiers"),
    "host events fail_load, emits Removed",
]


@pytest.mark.parametrize("name", [*QUICK, *HARD])
def test_a_step_keeps_a_formula_of_events(name: str) -> None:
    assert decide(CELLS[name].condition).verdict == PROVED


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CELLS if name not in {*QUICK, *HARD}])
def test_a_step_on_two_tiers_keeps_a_formula_of_events(name: str) -> None:
    assert decide(CELLS[name].condition).verdict == PROVED


def test_every_step_that_emits_has_a_cell_for_each_formula() -> None:
    steps = {*(f"{name}/{id_}" for name in EMITS for id_ in event_formulas())}
    steps |= {f"{HOST}{name}/{id_}" for name in HOST_EMITS for id_ in event_formulas()} - {f"{HOST}reset/EVENT_ORDER"}

    assert steps <= CELLS.keys()
    assert {p.id for p in EVENT_FORMULAS} == {*event_formulas(), UNIQUE}


def test_ids_are_unique() -> None:
    assert decide(unique_ids()).verdict == PROVED


@pytest.mark.parametrize("name", ["grow/EVENT_REPLAY", "evict/EVENT_ORDER"])
def test_a_second_solver_confirms_a_proof_about_events(name: str) -> None:
    assert confirm(CELLS[name].condition) == CONFIRMED


def test_a_second_solver_confirms_that_ids_are_unique() -> None:
    assert confirm(unique_ids()) == CONFIRMED


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_a_wrong_variant_is_refuted_by_a_state_on_which_it_is_run(claim: Claim) -> None:
    (found,) = refute_each(claim.condition, (0,))

    assert found.verdict == REFUTED
    assert found.counterexample is not None
    assert [id_ for id_, term in claim.condition.hypotheses.items() if id_ != "guard" and check(term)(found.counterexample.before)] == []


@pytest.mark.parametrize("name", ["EVENT-AGAIN", "EVENT-BOTH"])
def test_an_event_out_of_order_leaves_the_fold_right(name: str) -> None:
    """EVENT_REPLAY alone would not notice it."""
    (found,) = refute_each(CLAIMS[name].condition, (0,))

    assert found.counterexample is not None
    formulas = event_formulas(host=name == "EVENT-BOTH")
    assert [id_ for id_, term in formulas.items() if check(term)(found.counterexample.after) is not None] == ["EVENT_ORDER"]


@pytest.mark.parametrize("name", SOME)
def test_a_mutant_of_what_a_step_emits_is_caught(name: str) -> None:
    assert judge(MUTANTS[name]).verdict == CAUGHT


@pytest.mark.slow
def test_every_mutant_of_what_a_step_emits_is_caught() -> None:
    verdicts = Counter(judge(mutant).verdict for mutant in MUTANTS.values())

    assert verdicts == {CAUGHT: len(MUTANTS)}
    assert len(MUTANTS) == 144


def test_a_step_that_emits_what_it_should_is_equivalent_to_itself() -> None:
    (grow,) = (step for step in EVENT_MACHINE if step.name == "grow")

    assert judge(Mutant("itself", grow, grow, "events")).verdict == EQUIVALENT


def test_what_is_assumed_of_ids_is_satisfiable_and_does_not_prove_false() -> None:
    shown = unique_ids()
    given = {**event_given(), **shown.hypotheses}
    absurd = Condition("absurd", conj(), None, given, (~conj(),), shown.laws)
    two = (length(var("a", POS)) == page_size) & (length(var("b", POS)) == page_size + page_size) & cached(var("b", POS))

    assert witness([*given.values(), *shown.laws, two], SIZES[-1], seed=0, seconds=10) is not None
    assert not prove(absurd, list(given), seed=0, seconds=0.3)


CLAIMED: dict[str, Callable[[Term], Term]] = {
    "short": lambda p: length(p) <= 2,
    "alone": lambda p: forall(POS, lambda q: (cached(q) & (length(q) == length(p))) >> (p == q)),
}


@pytest.mark.parametrize("claim", CLAIMED.values(), ids=CLAIMED)
def test_the_law_of_the_first_failure_is_true_of_every_set_of_prefixes(claim: Callable[[Term], Term]) -> None:
    positions, rng, framed = Positions(1), Random(3), 0
    ends = [positions.of(Key(tuple(rng.randrange(2) for _ in range(4)))) for _ in range(8)]
    p = var("p", POS)
    law = first_failure(claim, p)
    true, frame = holds(law, (p,)), holds(law.args[0], (p,))
    for _ in range(40):
        state = State(positions, 4)
        for end in rng.sample(ends, 2):
            state.cached |= {*positions.path(end)}
        state.cached -= {*rng.sample(sorted(state.cached), rng.randrange(2))}
        for q in state.cached | {EPS}:
            assert true(state, None, q)
            framed += frame(state, None, q)

    assert framed > 20


def test_what_a_position_is_holds_of_the_positions() -> None:
    positions = Positions(1)
    for tokens in ((1, 1, 1), (1, 2, 1), (2, 1)):
        for namespace in ((), ("a",), ("b",)):
            positions.of(Key(tokens, namespace))
    state = State(positions, 4)
    state.cached = {*range(1, len(positions.prev))}

    assert len(state.cached) > 20
    assert check(POSITIONS)(state) is check(DIGEST)(state) is None
