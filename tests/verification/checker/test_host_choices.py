"""Choices of a cache with a host tier: one that declares what it does otherwise holds; undeclared, or wrongly declared, it is refuted."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from choosing import CHOOSERS, WRONG, Chooser, NeverFails, RefreshesSplit
from fast_tier import slow_unless
from hiding import BLACK_BOX, Hiding
from host_draw import Run, configs

from radixcheck.spec.policies import POLICIES
from radixcheck.spec.run.host_choices import DROPS, SPLIT_TIMES
from radixcheck.spec.values import Key
from radixcheck.verification import verify
from radixcheck.verification.core.choices import CHOICES, POLL_ORDER, reason
from radixcheck.verification.core.edges import HOST_EDGES, excluded
from radixcheck.verification.core.found import Config, Violation
from radixcheck.verification.core.status import Status
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Setup
from radixcheck.verification.report.verify_view import last_lines
from radixcheck.verification.runs.run_results import VerifyOutcome
from radixcheck.verification.search.diff import along, compare
from radixcheck.verification.search.run import random_run, replay
from radixcheck.verification.search.search_results import Bounds, Report
from radixcheck.verification.subjects.reference_host_subject import ReferenceHostSubject, reference_host_subject

WRITE_THROUGH = Config("lru", 1, 6, host_pool=8, mode="write_through")
OUT_OF_ORDER = (Op("insert", Key((1,))), Op("insert", Key((2,))), Op("complete", holder=1), Op("poll"))
BOXES = pytest.mark.parametrize("hidden", [pytest.param((), id="white"), pytest.param(BLACK_BOX, id="black", marks=pytest.mark.slow)])


class SaysNothing(NeverFails):
    """A cache that knows no failure, and does not say so."""

    supports = ReferenceHostSubject.supports


def searched(make: Callable[[Setup], Any], hidden: tuple[str, ...], runs: int, each: int = 120) -> tuple[int, list[Violation]]:
    """How many operations were made in random runs, up to the first that finds something, and what that is."""
    steps = 0
    for seed, config in enumerate(islice(list(configs((1, 2))) * 4, runs)):
        run = Run(lambda setup: Hiding(make(setup), hidden), config, seed, stride=4).steps(each)
        steps += len(run.trace)
        if run.found:
            return steps, run.found
    return steps, []


EACH_KIND = ("Drops", "HeadBatches", "EvictsInVain", "CopiesAtMatch", "RefreshesSplit")


@BOXES
@pytest.mark.parametrize("chooser", slow_unless(lambda chooser: chooser.name in EACH_KIND, CHOOSERS), ids=lambda chooser: chooser.name)
def test_a_declared_choice_is_followed(chooser: Chooser, hidden: tuple[str, ...]) -> None:
    assert searched(chooser.declaring(*chooser.choices), hidden, 42, each=60) == (42 * 60, [])


@BOXES
@pytest.mark.parametrize("chooser", CHOOSERS, ids=lambda chooser: chooser.name)
def test_a_choice_that_is_not_declared_is_refuted(chooser: Chooser, hidden: tuple[str, ...]) -> None:
    _, found = searched(chooser.make.of, hidden, 168)

    assert {violation.property for violation in found} & chooser.properties, found


@BOXES
@pytest.mark.parametrize("chooser", WRONG, ids=lambda chooser: f"{chooser.name}, {' and '.join(chooser.choices)}")
def test_a_declared_choice_explains_nothing_else(chooser: Chooser, hidden: tuple[str, ...]) -> None:
    _, found = searched(chooser.declaring(*chooser.choices), hidden, 168)

    assert {violation.property for violation in found} & chooser.properties, found


def test_every_choice_has_a_cache_that_makes_it() -> None:
    assert {name for chooser in CHOOSERS for name in chooser.choices} == set(CHOICES)


def test_a_copy_is_acknowledged_once_though_it_was_left_at_first() -> None:
    heads = CHOOSERS[0].declaring(POLL_ORDER)
    run = Run(heads, WRITE_THROUGH, 0)
    assert run.checker.host is not None
    handled = []
    for op in (*OUT_OF_ORDER, Op("complete"), Op("poll"), Op("poll")):
        assert run.checker.step(op) == []
        handled += [run.checker.host.oracle.handled] if op.name == "poll" else []
    assert handled == [[], [0, 1], []]


def test_a_split_that_is_an_access_is_compared_with_the_specification() -> None:
    """[1 2] is split, and [2] of it outlives [3], which was inserted before the split: under the choice that is right."""
    trace = (Op("insert", Key((1, 2))), Op("insert", Key((3,))), Op("match", Key((1,))), Op("evict", amount=1))
    for config in (Config("lru", 1, 6), Config("lru", 1, 6, host_pool=1, mode="write_back")):
        assert replay(CHOOSERS[-1].declaring(SPLIT_TIMES), config, trace).found == {}
        assert set(replay(RefreshesSplit.of, config, trace).found) == {"RECENCY"}


def test_a_split_that_is_an_access_is_followed_without_a_host_tier() -> None:
    make = CHOOSERS[-1].declaring(SPLIT_TIMES)
    runs = [random_run(make, Config(policy, size, 12 * size), seed) for seed in range(4) for policy in POLICIES for size in (1, 2)]

    assert {id_ for run in runs for id_ in run.found} == set()
    assert sum(run.tally.exercised["RECENCY"] for run in runs) > 100


# Where a choice is shown.


def test_the_kinds_of_difference_that_a_choice_explains_are_declared() -> None:
    declaring = CHOOSERS[0].declaring(POLL_ORDER)
    (declared,), (undeclared,) = (
        along(reference_host_subject, make, WRITE_THROUGH, OUT_OF_ORDER, lambda share, text: None).differences
        for make in (declaring, CHOOSERS[0].make.of)
    )

    assert (declared.kind.what, declared.is_declared, undeclared.is_declared) == ("sizes in poll", True, False)
    assert declared.declared == {"right": "it is how it was built"}
    assert reason({DROPS: "why"}, "tickets of poll") == ""
    assert reason({"tickets of poll": "why"}, "tickets of poll") == "why"


@pytest.mark.slow
@pytest.mark.parametrize("chooser", CHOOSERS, ids=lambda chooser: chooser.name)
def test_a_comparison_finds_only_what_is_declared(chooser: Chooser) -> None:
    make = chooser.declaring(*chooser.choices)
    kinds = [
        d
        for seed, config in enumerate(islice(configs((1, 2)), 21))
        for d in compare(reference_host_subject, make, config, seed).differences
    ]

    assert kinds
    assert {d.kind.what for d in kinds if not d.is_declared} == set()


def test_the_verdict_names_what_was_declared() -> None:
    report = Report("mine", Bounds(("lru",), (1,), modes=("write_through",)), (), (), 1, 1, 1.0, (), choices={POLL_ORDER: "it is built so"})
    outcome = VerifyOutcome(report, ())
    text = " ".join(str(line) for line in last_lines(outcome))

    assert outcome.to_json()["choices"] == {POLL_ORDER: "it is built so"}
    assert f"it declares '{POLL_ORDER}', which was followed: {CHOICES[POLL_ORDER].sentence}. Its reason: it is built so" in text
    assert "but for 1 declared choice" in text
    assert "choices" not in replace(outcome, report=replace(report, choices={})).to_json()


@pytest.mark.slow
def test_a_search_says_which_choices_it_has_followed() -> None:
    heads = CHOOSERS[0].declaring(POLL_ORDER, "colour")
    outcome = verify(heads, policies=["lru"], page_sizes=[1], modes=["write_through"], operations=200, seconds=60, stretch=False)

    assert outcome.report.found == ()
    assert set(outcome.report.choices) == {POLL_ORDER}
    assert outcome.agreement is not None
    assert outcome.agreement.status != Status.REFUTED


# Copies that never fail.


def test_no_copy_fails_of_a_cache_that_knows_no_failure() -> None:
    steps, found = searched(NeverFails.of, (), 42)
    assert (steps, found) == (42 * 120, [])
    result = random_run(NeverFails.of, replace(WRITE_THROUGH, mode="write_back"), 1, 300)
    assert (result.found, result.edges["copy fails"], result.edges["write-back fails"]) == ({}, 0, 0)
    reasons = excluded(NeverFails.supports, (1,))
    assert {id_ for id_, why in reasons.items() if why == "no copy of it fails"} == {"copy fails", "write-back fails"}
    assert set(excluded(ReferenceHostSubject.supports, (1,))) & set(HOST_EDGES) == set()


def test_a_cache_that_knows_no_failure_and_does_not_say_so_is_refuted() -> None:
    _, found = searched(SaysNothing.of, (), 42)

    assert any("a copy has failed" in violation.text for violation in found)
