"""Every step has a postcondition that is proved, and mutants of the specification are caught or proved equivalent."""

from collections import Counter

import pytest
from click.testing import CliRunner

from radixcheck.spec.heap_machine import heap_machine
from radixcheck.spec.logic import conj, lift
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.signature import node
from radixcheck.spec.transitions import BEGIN, CACHE, SPLIT, TOUCH, n
from radixcheck.spec.updates import Transition
from radixcheck.verification.cli.app import cli
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.proofs.conditions import preserved, state_formulas, theorems
from radixcheck.verification.proofs.decide import decide
from radixcheck.verification.proofs.proof_results import CAUGHT, EQUIVALENT, PROVED, SURVIVED, Judged, Mutant
from radixcheck.verification.proofs.spec_mutants.bounded_states import caught
from radixcheck.verification.proofs.spec_mutants.generate_mutants import HEAPS, conjuncts, mutants
from radixcheck.verification.proofs.spec_mutants.judge_mutants import judge
from radixcheck.verification.proofs.step_postconditions import STEPS, heap_steps, postconditions
from radixcheck.verification.report import spec_mutants_view as report

BY_NAME = {mutant.name: mutant for mutant in mutants()}
HEAP_STEPS = [(policy, step) for policy in HEAPS for step in heap_machine(POLICIES[policy]) if step.name in heap_steps(POLICIES[policy])]


@pytest.mark.parametrize("step", CACHE, ids=lambda step: step.name)
def test_a_step_keeps_its_postconditions(step: Transition) -> None:
    given = state_formulas() | theorems()
    promised = {**postconditions(step.name), "STEP": STEPS[step.name]}

    verdicts = {id_: decide(preserved(id_, formula, step, given)).verdict for id_, formula in promised.items()}

    assert verdicts == dict.fromkeys(promised, PROVED)


@pytest.mark.parametrize(("policy", "step"), HEAP_STEPS, ids=[f"{policy}-{step.name}" for policy, step in HEAP_STEPS])
def test_a_step_of_the_heap_keeps_its_postcondition(policy: str, step: Transition) -> None:
    given = state_formulas(POLICIES[policy], heap=True) | theorems(POLICIES[policy])
    formula = heap_steps(POLICIES[policy])[step.name]

    assert decide(preserved("HEAP_STEP", formula, step, given)).verdict == PROVED


def test_there_are_many_mutants_of_every_step() -> None:
    steps = Counter(mutant.original.name for mutant in mutants())

    assert len(BY_NAME) == len(mutants()) >= 250
    # `tidy` has no guard, so that all of its mutants change its one update.
    assert min(steps.values()) == steps["tidy"] == 3
    assert steps.keys() == {step.name for step in heap_machine(POLICIES["lru"])}


@pytest.mark.parametrize(
    ("name", "verdict", "by"),
    [
        ("begin, guard without not held(h)", CAUGHT, "begin/"),
        ("grow, guard without whole(x)", CAUGHT, "grow/PAGE_ALIGN"),
        ("evict, guard without leaf(n)", CAUGHT, "evict/"),
        ("reset, guard without for all g: not held(g)", CAUGHT, "reset/"),
        ("split, lock(m): no update", CAUGHT, "split/"),
        ("touch, now: no update", CAUGHT, "touch/"),
        ("extend, owner(s): no update", CAUGHT, "extend/"),
        ("release, lock(q) where node(q) and q <= at(h): becomes one more", CAUGHT, "release/"),
        ("grow, protected: becomes one less", CAUGHT, "grow/COUNT"),
        ("evict, cached(q) where up(n) < q and q <= n: reaches beyond up(n) < q", CAUGHT, "evict/"),
        ("split, end(q) where cached(q) and end(q) = c and q <= m: reaches beyond q <= m", CAUGHT, "split/"),
        ("lru pop_dead, queued(e): no update", CAUGHT, "pop_dead/HEAP_STEP"),
        ("lru repair, entry(n): no update", CAUGHT, "repair/HEAP_FULL"),
        ("split, guard without node(c)", EQUIVALENT, "proved: node(c) holds anyway"),
        (
            *("touch, guard without 0 <= new_priority", EQUIVALENT),
            "proved: with the larger of 0 and new_priority, 0 <= (if 0 < new_priority then new_priority else 0) holds anyway",
        ),
        ("touch, time(q) where node(q) and q <= n: reaches beyond node(q)", EQUIVALENT, "proved: time is the same"),
        ("reset, protected: no update", EQUIVALENT, "proved: protected is the same"),
    ],
)
def test_a_mutant_is_caught_or_proved_equivalent(name: str, verdict: str, by: str) -> None:
    found = judge(BY_NAME[name])

    assert found.verdict == verdict
    assert found.by.startswith(by)


@pytest.mark.parametrize("step", [SPLIT, TOUCH], ids=lambda step: step.name)
def test_the_original_is_equivalent_to_itself(step: Transition) -> None:
    assert judge(Mutant("itself", step, step)).verdict == EQUIVALENT


@pytest.mark.parametrize(
    ("step", "machine"), [*((step, ()) for step in CACHE), *((step, ("mru",)) for step in heap_machine(POLICIES["mru"]))]
)
def test_no_small_state_refutes_an_original(step: Transition, machine: tuple[str, ...]) -> None:
    assert caught(Mutant("itself", step, step, *machine), 0, 0) == ""


def test_a_mutant_that_can_never_be_taken_is_not_called_equivalent() -> None:
    never = Transition("begin", BEGIN.parameters, conj(BEGIN.guard, node(n) & ~node(n)), BEGIN.updates)

    assert judge(Mutant("never", never, BEGIN)).verdict == SURVIVED


def test_the_parts_of_a_guard_are_those_that_it_is_made_of() -> None:
    assert len(list(conjuncts(BEGIN.guard))) == 3
    assert list(conjuncts(lift(True))) == []


def test_the_report_counts_by_machine_and_names_what_survived() -> None:
    first, other = mutants()[:2]
    lines = "".join(str(part) for part in report.mutate([Judged(first, CAUGHT, "split/COVER (run)", 0.1)], 1.0))
    survived = [Judged(first, CAUGHT, "split/COVER (run)", 0.1), Judged(other, SURVIVED, "", 0.1)]

    assert "COVER 1" in lines
    assert any(other.name in str(part) for part in report.mutate(survived, 1.0))
    assert (report.status(survived[:1]), report.status(survived)) == (0, 3)


def test_mutate_cannot_be_combined_with_other_options() -> None:
    invoked = CliRunner().invoke(cli, ["prove", "--mutate", "--property", "COUNT"], standalone_mode=False)

    assert isinstance(invoked.exception, UsageError)
