"""Reasons to trust the proofs: every step can be taken, and every formula can fail and is needed."""

from dataclasses import replace

import pytest

from radixcheck.spec.events.event_machine import EMITS, HOST_EMITS
from radixcheck.spec.heap_machine import heap_machine
from radixcheck.spec.host.copy_invariants import HOST_STATE_FORMULAS, OF_COPIES
from radixcheck.spec.host.host_invariants import OF_TIERS
from radixcheck.spec.host.loads import TIERED
from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.property import Property
from radixcheck.spec.run.reader import check
from radixcheck.spec.signature import node
from radixcheck.spec.transitions import CACHE, EVICT, n
from radixcheck.verification.proofs import trust
from radixcheck.verification.proofs.claim import given
from radixcheck.verification.proofs.conditions import DERIVED, preserved, state_formulas
from radixcheck.verification.proofs.decide import decide, refute_each
from radixcheck.verification.proofs.event_conditions import event_formulas, event_given
from radixcheck.verification.proofs.host_conditions import host_given
from radixcheck.verification.proofs.proof_results import PREFIXES, REFUTED
from radixcheck.verification.review_6907.claims import claims

CLAIMS = {claim.id: claim for claim in trust.trust(claims())}


def test_every_step_and_every_state_formula_has_its_claims() -> None:
    steps = [step.name for step in CACHE]
    steps += [f"{policy}-{step.name}" for policy in trust.HEAPS for step in heap_machine(POLICIES[policy]) if step not in CACHE]

    steps += [f"host:{step.name}" for step in TIERED]
    steps += [*(f"events-{name}" for name in EMITS), *(f"host:events-{name}" for name in HOST_EMITS)]

    needed = {p.id for p in STATE_FORMULAS} - {*DERIVED, "ATTRIBUTE_MONO", "CREATION_CHAIN"} | {"LOCK_NONNEG"}
    resting_on_none = {"ISOLATION", "COUNT", "HOST_COUNT", "ARRIVED_BEFORE_READ", "SLOT_PARTITION", "HOST_PARTITION"}
    needed |= {f"host:{p.id}" for p in (*OF_TIERS, *OF_COPIES) if p.id not in {*resting_on_none, "HOST_CLOSED"}} | {"HOST_CLOSED"}
    always = {f"ALWAYS-{p.id}" for p in STATE_FORMULAS} | {f"ALWAYS-host:{p.id}" for p in HOST_STATE_FORMULAS}
    always |= {f"ALWAYS-{prefix}{id_}" for prefix in ("", "host:") for id_ in event_formulas()}
    needed |= {"EVENT_REPLAY", "host:EVENT_REPLAY"}  # on the others nothing rests
    assert CLAIMS.keys() == {f"NEVER-{name}" for name in steps} | always | {f"WITHOUT-{id_}" for id_ in needed}
    assert all(id_.startswith(PREFIXES) for id_ in CLAIMS)


@pytest.mark.parametrize("id_", CLAIMS)
def test_a_step_can_be_taken_and_a_formula_can_fail_and_is_needed(id_: str) -> None:
    (verdict,) = refute_each(CLAIMS[id_].condition, (0,))
    assert verdict.verdict == REFUTED
    assert verdict.counterexample is not None
    assert len(verdict.counterexample.before.node) <= 3


@pytest.mark.parametrize("property_", [p for p in STATE_FORMULAS if p.id not in trust.TOGETHER], ids=lambda p: p.id)
def test_a_formula_fails_where_all_others_hold(property_: Property) -> None:
    (verdict,) = refute_each(CLAIMS[f"ALWAYS-{property_.id}"].condition, (0,))
    assert verdict.counterexample is not None
    formulas = state_formulas(heap=property_.heap)
    assert [id_ for id_, formula in formulas.items() if check(formula)(verdict.counterexample.before) is not None] == [property_.id]


@pytest.mark.slow
@pytest.mark.parametrize("property_", [p for p in HOST_STATE_FORMULAS if p.id not in trust.TOGETHER], ids=lambda p: p.id)
def test_a_formula_of_the_host_machine_fails_where_all_others_hold(property_: Property) -> None:
    (verdict,) = refute_each(CLAIMS[f"ALWAYS-host:{property_.id}"].condition, (0,))
    assert verdict.counterexample is not None
    formulas = host_given()
    broken = [p.id for p in HOST_STATE_FORMULAS if check(formulas[p.id])(verdict.counterexample.before) is not None]
    assert broken == [property_.id]


@pytest.mark.parametrize("host", [False, True])
@pytest.mark.parametrize("id_", ["EVENT_REPLAY", "EVENT_ORDER"])
def test_a_formula_of_events_fails_where_all_others_hold(id_: str, host: bool) -> None:
    (verdict,) = refute_each(CLAIMS[f"ALWAYS-{'host:' * host}{id_}"].condition, (0,))
    assert verdict.counterexample is not None
    assert [name for name, term in event_given(host).items() if check(term)(verdict.counterexample.before) is not None] == [id_]


def test_a_step_that_can_never_be_taken_is_not_refuted() -> None:
    never = replace(EVICT, guard=EVICT.guard & ~node(n))
    assert decide(trust._never("evict", never, given()).condition).verdict != REFUTED


def test_a_formula_that_a_proof_does_not_need_is_not_missed() -> None:
    condition = CLAIMS["WITHOUT-PAGE_ALIGN"].condition
    idle = trust._missing("CLOCK", "evict/NO_ORPHAN", preserved("NO_ORPHAN", state_formulas()["NO_ORPHAN"], EVICT, condition.hypotheses))
    assert decide(idle.condition).verdict != REFUTED


def test_a_formula_that_follows_from_the_others_is_not_refuted() -> None:
    condition = CLAIMS["ALWAYS-ISOLATION"].condition
    others = {**condition.hypotheses, "MATCH_SOUND": state_formulas()["MATCH_SOUND"]}
    assert decide(replace(condition, hypotheses=others)).verdict != REFUTED
