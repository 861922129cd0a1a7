"""The kill matrix: what it says of mutants that are killed, that are not, and that are killed by another property."""

import json
from dataclasses import replace
from typing import Any

import pytest
from commands import Command

from radixcheck.verification.cli.app import run
from radixcheck.verification.core.catalogue import PROBED
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.mutants import kill_matrix as matrix
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.mutants.detectors import DETECTORS, STATED, Statement, refutation
from radixcheck.verification.mutants.mutant_results import KILLED, NOT_RUN, OPERATIONS_MAX, OTHER, SURVIVED, Cell, Judged, Reliability

KILLABLE = ("split_forgets_hits", "evict_decrements_twice", "match_returns_root", "evict_accepts_negative")


def judged(*verdicts: Verdict, wanted: str = "COUNT") -> Judged:
    cells = tuple(Cell(f"detector {i}", verdict, (), 0, 0.0, "") for i, verdict in enumerate(verdicts))
    return Judged("some", wanted, "Does something.", (), cells, None, 0.0)


def test_faults_that_the_specification_states_are_mutants_and_are_refuted() -> None:
    assert STATED.keys() - MUTANTS.keys() == set()
    expected = {"split_forgets_lock": "LOCK_COUNT", "evict_decrements_twice": "COUNT", "evict_forgets_parent": "HEAP_FULL"}
    assert {name: found.property for name in expected if (found := refutation(STATED[name], 0))} == expected


def test_a_right_claim_refutes_nothing() -> None:
    assert refutation(Statement("Q4-AT-FREE", "COUNT"), 0) is None


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The result of the command about mutants that are killed, from JSON."""
    stored = tmp_path_factory.mktemp("kills") / "kills.json"
    assert run(("mutants", *KILLABLE, "--store", str(stored))) == 0
    mutants: list[Any] = json.loads(stored.read_text())["mutants"]
    return mutants


def test_mutants_are_killed_by_the_property_that_must_catch_them_with_a_short_trace(killed: list[Any]) -> None:
    assert {m["mutant"]: m["property"] for m in killed} == {name: MUTANTS[name].property for name in KILLABLE}
    assert {m["verdict"] for m in killed} == {KILLED}
    assert all(m["detectors"]["machine"]["verdict"] == m["detectors"]["driver"]["verdict"] == KILLED for m in killed)
    assert all(m["detectors"].keys() == DETECTORS.keys() for m in killed)
    assert all(1 <= len(m["smallest"]["trace"]) <= 3 for m in killed)


def test_what_was_not_run_says_why_and_has_killed_nothing(killed: list[Any]) -> None:
    skipped = [d for m in killed for d in m["detectors"].values() if d["verdict"] == NOT_RUN]
    assert all(d["text"] and not d["properties"] for d in skipped)
    assert (judged(NOT_RUN, NOT_RUN).verdict, judged(NOT_RUN, SURVIVED).verdict) == (NOT_RUN, SURVIVED)
    assert (judged(SURVIVED, OTHER, NOT_RUN).verdict, judged(NOT_RUN, OTHER, KILLED).verdict) == (OTHER, KILLED)


def test_a_property_that_fails_only_with_another_says_with_which() -> None:
    machine = matrix.judge("coarse_clock", seconds=0.5).cells[0]
    assert (machine.verdict, machine.properties[:2]) == (KILLED, ("CLOCK", "RECENCY"))
    assert machine.text.endswith("(wherever RECENCY fails too)")


def test_a_survivor_and_a_mutant_killed_by_another_property_fail_the_run(command: Command) -> None:
    ran = command("mutants", "faulty:harmless", "faulty:misnamed", "--seconds", 0.3)

    assert ran.status == 1
    assert "SURVIVED faulty:harmless: Behaves like the reference" in ran.words
    assert "ANOTHER PROPERTY faulty:misnamed" in ran.words
    assert "driver: ANOTHER PROPERTY by COUNT" in ran.words
    assert "0 of 2 mutants killed by the property that must catch them, 1 ANOTHER PROPERTY, 1 SURVIVED" in ran.words


def test_with_seeds_the_state_machine_alone_is_counted(command: Command) -> None:
    ran = command("mutants", "split_forgets_hits", "--seeds", 3, "--json")
    (measured,) = ran.json["mutants"]
    assert (ran.status, measured["found"]) == (0, 3)
    assert all(0 < operations <= 5000 for operations in measured["operations"])


def test_nineteen_of_twenty_seeds_are_enough_and_eighteen_are_not() -> None:
    enough = Reliability("some", "COUNT", "", (5,) * 19 + (None,), 1.0)
    rare = replace(enough, operations=(5,) * 18 + (None, None))

    assert enough.reliable
    assert not rare.reliable
    assert replace(rare, directed="the probes").reliable


def test_what_chance_cannot_find_says_what_finds_it() -> None:
    beyond = {m.name for m in MUTANTS.values() if m.property in (*PROBED, "DETERMINISM")}
    assert beyond <= {m.name for m in MUTANTS.values() if m.directed}
    assert [m.name for m in MUTANTS.values() if m.directed and m.directed.partition(":")[0] not in DETECTORS] == []


def test_a_trace_whose_answers_depend_on_addresses_is_shrunk() -> None:
    """Addresses differ from run to run, and a shorter trace may be missed by chance: one of three searches must find it."""
    judged = (matrix.judge("victims_by_address", seed, seconds=3) for seed in range(3))
    assert any(each.verdict == KILLED and each.smallest and len(each.smallest.trace) <= OPERATIONS_MAX for each in judged)


# Right caches.


def test_right_caches_raise_no_alarm(command: Command) -> None:
    ran = command("mutants", "--clean", "--seeds", 2, "--json")

    rows = ran.json["rows"]
    assert ran.status == 0
    assert {row["subject"] for row in rows} == {"reference", "optimized", "model"}
    assert all(row["operations"] > 50 and row["alarms"] == [] for row in rows)
    assert len(rows) == 30


def test_a_wrong_cache_raises_alarms(command: Command) -> None:
    ran = command("mutants", "--clean", "faulty:double_free", "--seeds", 1, "--json")
    assert ran.status == 1
    assert "SLOT_PARTITION" in {alarm["property"] for row in ran.json["rows"] for alarm in row["alarms"]}


@pytest.mark.campaign
def test_right_caches_raise_no_alarm_with_200_seeds() -> None:
    assert run(["mutants", "--clean"]) == 0
