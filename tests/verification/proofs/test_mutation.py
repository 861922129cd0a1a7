"""Every step has a postcondition that is proved, and mutants of the specification are caught or proved equivalent."""

from collections import Counter
from dataclasses import replace

import pytest
from commands import Command

from radixcheck.spec.events.event_machine import EMITS, EVENT_MACHINE, HOST_EMITS, HOST_EVENT_MACHINE
from radixcheck.spec.heap_machine import heap_machine
from radixcheck.spec.host.loads import TIERED
from radixcheck.spec.logic import conj, lift
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.signature import node
from radixcheck.spec.transitions import BEGIN, CACHE, SPLIT, TOUCH, n
from radixcheck.spec.updates import Transition
from radixcheck.verification.proofs.conditions import preserved, state_formulas, theorems
from radixcheck.verification.proofs.decide import decide
from radixcheck.verification.proofs.proof_results import (
    CAUGHT,
    EQUIVALENT,
    EVENTS,
    HOST_EVENTS,
    HOST_MACHINE,
    PROVED,
    SURVIVED,
    Judged,
    Mutant,
)
from radixcheck.verification.proofs.spec_mutants.bounded_states import caught
from radixcheck.verification.proofs.spec_mutants.generate_mutants import HEAPS, conjuncts, mutants
from radixcheck.verification.proofs.spec_mutants.judge_mutants import judge
from radixcheck.verification.proofs.step_postconditions import STEPS, heap_steps, postconditions
from radixcheck.verification.report.spec_mutants_view import spec_mutants
from radixcheck.verification.runs.evidence_results import SpecMutantsOutcome

LARGER = "(if 0 < new_priority then new_priority else 0)"
ORIGINALS = [Mutant("itself", step, step) for step in CACHE] + [Mutant("itself", s, s, "mru") for s in heap_machine(POLICIES["mru"])]
ORIGINALS += [Mutant("itself", step, step, HOST_MACHINE) for step in TIERED]
ORIGINALS += [Mutant("itself", step, step, EVENTS) for step in EVENT_MACHINE if step.name in EMITS]
ORIGINALS += [Mutant("itself", step, step, HOST_EVENTS) for step in HOST_EVENT_MACHINE if step.name in HOST_EMITS]
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

    assert len(BY_NAME) == len(mutants()) >= 1000
    # `tidy` has no guard, so that all of its mutants change its one update.
    assert min(steps.values()) == steps["tidy"] == 3
    # `touch` is the same step in the host machine.
    assert steps.keys() == {step.name for step in (*heap_machine(POLICIES["lru"]), *TIERED)}


@pytest.mark.parametrize(
    ("name", "by"),
    [
        *(("begin, guard without not held(h)", "begin/"), ("grow, guard without whole(x)", "grow/PAGE_ALIGN")),
        *(("evict, guard without leaf(n)", "evict/"), ("reset, guard without for all g: not held(g)", "reset/")),
        *(("split, lock(m): no update", "split/"), ("touch, now: no update", "touch/"), ("extend, owner(s): no update", "extend/")),
        ("release, lock(q) where node(q) and q <= at(h): becomes one more", "release/"),
        ("grow, protected: becomes one less", "grow/COUNT"),
        ("evict, cached(q) where up(n) < q and q <= n: reaches beyond up(n) < q", "evict/"),
        ("split, end(q) where cached(q) and end(q) = c and q <= m: reaches beyond q <= m", "split/"),
        *(("lru pop_dead, queued(e): no update", "pop_dead/HEAP_STEP"), ("lru repair, entry(n): no update", "repair/HEAP_FULL")),
        *(("host run, guard without held(h)", "run/STEP"), ("host save, guard without held(h)", "save/STEP")),
        *(("host demote, guard without lock(n) = 0", "demote/"), ("host pin, guard without node(x)", "pin/")),
        *(("host load, stage(h): no update", "load/"), ("host relock, guard without node(x) or x = eps", "relock/LOCK_SPAN")),
    ],
)
def test_a_mutant_is_caught(name: str, by: str) -> None:
    found = judge(BY_NAME[name])
    assert (found.verdict, found.by[: len(by)]) == (CAUGHT, by)


@pytest.mark.parametrize(
    ("name", "proved"),
    [
        ("split, guard without node(c)", "proved: node(c) holds anyway"),
        ("touch, guard without 0 <= new_priority", f"proved: with the larger of 0 and new_priority, 0 <= {LARGER} holds anyway"),
        ("touch, time(q) where node(q) and q <= n: reaches beyond node(q)", "proved: time is the same"),
        ("reset, protected: no update", "proved: protected is the same"),
        ("host delete, guard without resident(n)", "proved: resident(n) holds anyway"),
    ],
)
def test_a_mutant_that_does_the_same_is_proved_equivalent(name: str, proved: str) -> None:
    found = judge(BY_NAME[name])
    assert (found.verdict, found.by[: len(proved)]) == (EQUIVALENT, proved)


@pytest.mark.parametrize("step", [SPLIT, TOUCH], ids=lambda step: step.name)
def test_the_original_is_equivalent_to_itself(step: Transition) -> None:
    assert judge(Mutant("itself", step, step)).verdict == EQUIVALENT


@pytest.mark.slow
@pytest.mark.parametrize("mutant", ORIGINALS, ids=lambda mutant: f"{mutant.machine} {mutant.original.name}")
def test_no_small_state_refutes_an_original(mutant: Mutant) -> None:
    assert caught(mutant, 0, 0) == ""


def test_a_mutant_that_can_never_be_taken_is_not_called_equivalent() -> None:
    never = Transition("begin", BEGIN.parameters, conj(BEGIN.guard, node(n) & ~node(n)), BEGIN.updates)
    assert judge(Mutant("never", never, BEGIN)).verdict == SURVIVED


def test_the_parts_of_a_guard_are_those_that_it_is_made_of() -> None:
    assert len(list(conjuncts(BEGIN.guard))) == 3
    assert list(conjuncts(lift(True))) == []


def test_the_report_counts_by_machine_and_names_what_survived() -> None:
    first, other = mutants()[:2]
    caught = SpecMutantsOutcome((Judged(first, CAUGHT, "split/COVER (run)", 0.1),), 1.0)
    survived = replace(caught, judged=(*caught.judged, Judged(other, SURVIVED, "", 0.1)))

    assert any("COVER 1" in str(part) for part in spec_mutants(caught))
    assert any(other.name in str(part) for part in spec_mutants(survived))
    assert (caught.status, survived.status) == (0, 3)


def test_mutate_cannot_be_combined_with_other_options(command: Command) -> None:
    assert "--mutate" in command("prove", "--mutate", "--property", "COUNT").complaint
