"""The state machine: what it draws, what it finds, and that a rule which never fired is not passed over."""

import sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from unittest import TestCase

import pytest
from faulty import TreeOnly
from hypothesis import Phase, settings

from radixcheck.spec.policies import POLICIES
from radixcheck.spec.values import Key, NoRoom, Row
from radixcheck.verification.checker.misuse import misuses_for, wrong_calls_for
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.protocol import Setup, Supports
from radixcheck.verification.search.machine import BATCH, hypothesis_batches, never_fired, state_machine_test
from radixcheck.verification.search.rules import rule_names
from radixcheck.verification.search.run import replay
from radixcheck.verification.subjects.historical import base_subject, pairs_subject
from radixcheck.verification.subjects.reference_subject import ReferenceSubject, reference_subject


class Full(ReferenceSubject):
    def start(self, request: int, key: Key, priority: int = 0) -> Row[list[int]]:
        raise NoRoom("no requests, please")


class Forgiving(ReferenceSubject):
    def evict(self, tokens: int) -> int:
        return super().evict(max(0, tokens))


def fails_with(case: type[TestCase], phases: tuple[Phase, ...] = (Phase.generate, Phase.shrink)) -> str:
    """What the one test of a case says when it fails; it draws the same each time."""
    case.settings = settings(case.settings, database=None, derandomize=True, phases=phases, stateful_step_count=20)  # type: ignore[attr-defined]
    with pytest.raises(AssertionError) as caught:
        case("runTest").debug()
    return str(caught.value)


def test_the_reference_passes_and_every_rule_fires() -> None:
    result = RunResult.of(hypothesis_batches(reference_subject, tuple(POLICIES), (1, 2, 16), seed=1, examples=50))

    assert (result.found, never_fired(result)) == ({}, ())
    assert set(result.fired) == set(rule_names(Supports(), misused=False))
    assert result.runs >= 50
    assert result.steps > 1_500


def test_what_is_drawn_varies_from_example_to_example() -> None:
    drawn: dict[str, set[object]] = defaultdict(set)

    class Recording(ReferenceSubject):
        def insert(self, key: Key, slots: object, priority: int = 0) -> int:
            drawn["namespace"].add(key.namespace)
            drawn["priority"].add(priority)
            return super().insert(key, slots, priority)  # type: ignore[arg-type]

    def recording(setup: Setup) -> Recording:
        drawn["policy"].add(setup.policy)
        drawn["page size"].add(setup.page_size)
        drawn["pool in pages"].add(setup.pool.capacity // setup.page_size)
        return Recording(setup.page_size, setup.policy, setup.pool)

    RunResult.of(hypothesis_batches(recording, ("lru", "lfu", "priority"), (1, 2, 16), seed=1, examples=100))

    assert drawn["policy"] == {"lru", "lfu", "priority"}
    assert drawn["page size"] == {1, 2, 16}
    assert len(drawn["pool in pages"]) >= 4
    assert drawn["namespace"] == {(), ("a", "b"), ("a", "c"), ("d", "b")}
    assert drawn["priority"] == {0, 1, 2, 100, 300, 2**31 - 1}


def test_the_cache_before_the_change_is_refuted_by_recency_alone() -> None:
    result = RunResult.of(hypothesis_batches(base_subject, ("lru",), (1, 2), seed=1, examples=50))
    assert set(result.found) == {"RECENCY"}
    assert set(result.followed.values()) <= {"RECENCY"}


def test_the_change_with_pairs_evicts_more_than_leaves() -> None:
    result = RunResult.of(hypothesis_batches(pairs_subject, ("lru",), (1, 2), seed=1, examples=90))
    found = result.found["EVICT_LEAF"]
    assert "EVICT_LEAF" in replay(pairs_subject, found.config, found.trace).found


def test_a_rule_that_cannot_fire_is_reported() -> None:
    result = RunResult.of(hypothesis_batches(Full.of, ("lru",), (1, 2), seed=1, examples=150))
    assert never_fired(result) == ("abort", "chunk", "decode", "finish")
    assert never_fired(RunResult()) == tuple(sorted(rule_names(Supports(), misused=False)))
    assert "ADMISSION" in result.found


def test_rules_for_verbs_that_a_cache_does_not_offer_are_not_missed() -> None:
    result = RunResult.of(hypothesis_batches(TreeOnly, ("lru",), (1, 2), seed=1, examples=60))
    assert never_fired(result) == ()
    assert "start" not in result.fired


def test_a_seed_repeats_its_run_and_another_does_not() -> None:
    first, again, other = (RunResult.of(hypothesis_batches(reference_subject, ("lru",), (2,), seed, BATCH + 1)) for seed in (1, 1, 2))
    assert first.fired == again.fired
    assert first.fired != other.fired


def test_every_misuse_is_tried_and_the_reference_refuses_it() -> None:
    result = RunResult.of(hypothesis_batches(reference_subject, ("lru",), (1, 2), seed=1, examples=50, misused=True))
    assert (result.found, never_fired(result)) == ({}, ())
    assert {*misuses_for(Supports()), *wrong_calls_for(Supports(), 2, tensors=False)} < set(result.fired)


def test_an_accepted_misuse_is_found() -> None:
    result = RunResult.of(hypothesis_batches(Forgiving.of, ("lru",), (1, 2), seed=1, examples=60, misused=True))
    assert set(result.found) == {"MISUSE"}
    assert result.found["MISUSE"].violation.text == "evict a negative number: expected a typed error, the call was accepted"


def test_a_correct_cache_passes_as_a_test_case() -> None:
    case = state_machine_test(reference_subject, ("slru",), (2,))
    case.settings = settings(case.settings, max_examples=20, database=None)  # type: ignore[attr-defined]
    case("runTest").debug()


def test_a_wrong_cache_fails_as_a_test_case_with_a_short_example() -> None:
    said = fails_with(state_machine_test(base_subject, page_sizes=(1,)))
    assert said.startswith("RECENCY: ")
    assert "under lru, pages of 1" in said
    assert len(said.splitlines()) <= 3 + 6  # what, the property, the configuration; and at most six operations


def test_a_misuse_fails_as_a_test_case() -> None:
    case = state_machine_test(Forgiving.of, misused=True)
    assert fails_with(case, phases=(Phase.generate,)).startswith("MISUSE: evict a negative number: expected a typed error")


def test_what_is_drawn_does_not_depend_on_which_modules_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def drawn() -> RunResult:
        return RunResult.of(hypothesis_batches(reference_subject, ("lru",), (1, 2, 16), seed=3, examples=30))

    before = drawn()
    (tmp_path / "constants.py").write_text(f"NUMBERS = {[*range(2, 400)]}")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, import_module("constants").__name__)
    monkeypatch.setitem(sys.modules, "constants_of_a_cache", import_module("constants"))

    assert drawn() == before
