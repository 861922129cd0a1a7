"""`radixcheck live --calls`: what is said of costs, and that caches which did not do the same are refuted."""

import os
from dataclasses import replace

import pytest
from commands import Command

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.live.calls_results import CallsOutcome, Cost
from radixcheck.verification.runs.calls_job import CACHES, CallsRequest, measure_calls, same

COSTS = {name: Cost(name, 16, micros, (0, 32, 48), 0, 0) for name, micros in zip(CACHES, (100.0, 200.0, 40.0, 44.0), strict=True)}


def refuted(**changed: Cost) -> list[tuple[str, str]]:
    costs = list((COSTS | {cost.cache: cost for cost in changed.values()}).values())
    return [(check.backend, check.check) for check in same(costs) if check.verdict != Verdict.TESTED]


def test_caches_that_did_the_same_hold() -> None:
    assert refuted() == []
    assert len(list(same(list(COSTS.values())))) == 6


def test_a_lost_slot_a_lock_and_other_hits_are_refuted() -> None:
    assert refuted(ours=replace(COSTS["radixcheck"], lost=1)) == [("radixcheck", "slots")]
    assert refuted(ours=replace(COSTS["radixcheck"], protected=16)) == [("radixcheck", "slots")]
    assert refuted(default=replace(COSTS["default"], hits=(0, 32, 32))) == [("default", "equal hits")]
    assert refuted(imitation=replace(COSTS["radixcheck-l5"], hits=(0, 32, 32))) == [("radixcheck-l5", "equal hits")]


def test_costs_are_medians_and_shares_of_the_default() -> None:
    again = [replace(cost, micros=cost.micros * factor) for factor in (1, 3, 1.5) for cost in COSTS.values()]
    outcome = CallsOutcome("SGLang 0", "python", {}, tuple(again), ())

    row = next(row for row in outcome.rows() if row["cache"] == "radixcheck")
    assert (row["us_per_request"], row["least"], row["greatest"], row["of_default"]) == (60.0, 40.0, 120.0, 0.4)
    assert row["cached_tokens"] == 80


def test_an_interpreter_without_sglang_gets_one_sentence(command: Command) -> None:
    assert "cannot run the caches" in command("live", "--calls", "--python", "python3").err


@pytest.mark.live
def test_the_caches_of_sglang_and_ours_are_measured() -> None:
    outcome = measure_calls(CallsRequest(os.environ["RADIXCHECK_LIVE"], requests=100, repeat=1, pool=6_400))

    assert outcome.holds, outcome.to_json()["checks"]
    assert {(row["page_size"], row["cache"]) for row in outcome.rows()} == {(page, name) for page in (1, 16) for name in CACHES}
    assert all(row["us_per_request"] > 0 for row in outcome.rows())
