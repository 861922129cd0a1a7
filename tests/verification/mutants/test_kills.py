"""The kill matrix: what it says of mutants that are killed, that are not, and that are killed by another property."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from commands import Command
from rich.console import Console

from radixcheck.verification.cli.app import run
from radixcheck.verification.core.catalogue import PROBED
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.mutants import kill_matrix as matrix
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.mutants.detectors import DETECTORS, STATED, Effort, Statement, refutation
from radixcheck.verification.mutants.false_positives import clear_stretch
from radixcheck.verification.mutants.kill_matrix import Plan
from radixcheck.verification.mutants.mutant_results import (
    ELSEWHERE,
    KILLED,
    NOT_RUN,
    OPERATIONS_MAX,
    OTHER,
    SURVIVED,
    UNDECIDED,
    Cell,
    Judged,
    Reliability,
)
from radixcheck.verification.protocol import MODES
from radixcheck.verification.report.mutants_view import matrix as matrix_view
from radixcheck.verification.runs.evidence_results import KillMatrix
from radixcheck.verification.runs.mutants_job import MatrixRequest, kill_matrix
from radixcheck.verification.subjects.registry import resolve

KILLABLE = ("split_forgets_hits", "evict_decrements_twice", "match_returns_root", "evict_accepts_negative")


def judged(*verdicts: Verdict, wanted: str = "COUNT", own: str = "") -> Judged:
    cells = tuple(Cell(f"detector {i}", verdict, (), 0, 0.0, "") for i, verdict in enumerate(verdicts))
    return Judged("some", wanted, "Does something.", (), cells, None, 0.0, own)


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
    machine = matrix.judge("coarse_clock", Plan(detectors=("machine",))).cells[0]
    assert (machine.verdict, machine.properties[:2]) == (KILLED, ("CLOCK", "RECENCY"))
    assert machine.text.endswith("(wherever RECENCY fails too)")


def test_only_the_detector_that_must_find_a_mutant_kills_it() -> None:
    assert judged(SURVIVED, KILLED, own="detector 0").verdict == ELSEWHERE
    assert judged(OTHER, KILLED, own="detector 0").verdict == ELSEWHERE
    assert judged(NOT_RUN, KILLED, own="detector 0").verdict == judged(SURVIVED, KILLED, own="absent").verdict == KILLED
    assert judged(SURVIVED, KILLED, own="detector 1").verdict == judged(UNDECIDED, KILLED, own="detector 1").verdict == KILLED


def test_a_search_that_was_cut_off_makes_undecided_what_it_might_have_killed() -> None:
    assert judged(UNDECIDED, SURVIVED).verdict == judged(UNDECIDED, OTHER).verdict == UNDECIDED
    assert judged(UNDECIDED, KILLED).verdict == KILLED
    assert judged(UNDECIDED, KILLED, own="detector 0").verdict == UNDECIDED
    statuses = [KillMatrix((judged(KILLED), judged(*words)), 1.0).status for words in ((KILLED,), (UNDECIDED,), (SURVIVED,), (OTHER,))]
    assert statuses == [0, 3, 1, 1]
    assert KillMatrix((judged(KILLED), judged(SURVIVED), judged(UNDECIDED)), 1.0).status == 1
    assert KillMatrix((judged(SURVIVED, KILLED, own="detector 0"),), 1.0).status == 1


def words_of(found: KillMatrix) -> str:
    out = StringIO()
    Console(file=out, width=400).print(*matrix_view(found))
    return out.getvalue()


def test_a_survivor_and_a_mutant_killed_by_another_property_fail_the_run() -> None:
    found = kill_matrix(MatrixRequest(("faulty:harmless", "faulty:misnamed"), Plan(effort=Effort(examples=10, runs=8, states=60))))
    words = words_of(found)

    assert found.status == 1
    assert "SURVIVED faulty:harmless: Behaves like the reference" in words
    assert "ANOTHER PROPERTY faulty:misnamed" in words
    assert "driver: ANOTHER PROPERTY by COUNT" in words
    assert "0 of 2 mutants killed by the property that must catch them, 1 ANOTHER PROPERTY, 1 SURVIVED" in words


def test_a_mutant_that_another_detector_alone_kills_fails_the_run() -> None:
    """The state machine cannot find what shows only between two runs; the driver can."""
    wrong = "faulty:undirected"
    found = kill_matrix(MatrixRequest((wrong,), Plan(effort=Effort(examples=10, runs=20), detectors=("machine", "driver"))))

    assert [cell.verdict for cell in found.judged[0].cells] == [SURVIVED, KILLED]
    assert (found.judged[0].verdict, found.status) == (ELSEWHERE, 1)
    assert f"ANOTHER DETECTOR {wrong}" in words_of(found)
    assert "(must be killed by DETERMINISM in the detector machine)" in words_of(found)


def test_a_search_that_is_cut_off_is_undecided_and_never_survived(command: Command) -> None:
    ran = command("mutants", "faulty:harmless", "faulty:misnamed", "--seconds", 0.1, "--json")

    assert ran.status == ran.json["status"] == 3
    assert [each["verdict"] for each in ran.json["mutants"]] == ["UNDECIDED", "UNDECIDED"]
    assert ran.json["unfinished"] == ["faulty:harmless", "faulty:misnamed"]
    assert {each["detectors"]["machine"]["verdict"] for each in ran.json["mutants"]} == {"UNDECIDED"}


SAMPLE = (
    "unlock_twice",
    "chunk_keeps_stale_row",
    "lock_skips_ancestors",
    "evict_decrements_twice",
    "evict_scans_per_victim",
    "match_counts_hit",
)


def table_of(names: Sequence[str]) -> list[Any]:
    """What must not depend on time: all verdicts, the number of operations, and the traces."""
    found = [matrix.judge(name, Plan(effort=Effort(examples=60, runs=10))) for name in names]
    return [(f.name, f.verdict, f.smallest, [(c.detector, c.verdict, c.properties, c.operations) for c in f.cells]) for f in found]


@pytest.mark.slow
def test_the_table_of_a_busy_machine_is_the_same() -> None:
    quiet = table_of(SAMPLE)
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(6)]
    try:
        loaded = table_of(SAMPLE)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert loaded == quiet
    assert {verdict for _, verdict, *_ in quiet} == {KILLED}


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
    judged = (matrix.judge("victims_by_address", Plan(seed, detectors=("driver",))) for seed in range(3))
    assert any(each.verdict == KILLED and each.smallest and len(each.smallest.trace) <= OPERATIONS_MAX for each in judged)


# Right caches.


def test_right_caches_raise_no_alarm(command: Command) -> None:
    ran = command("mutants", "--clean", "--seeds", 2, "--json")

    rows = ran.json["rows"]
    assert ran.status == 0
    assert {row["subject"] for row in rows} == {"reference", "optimized", "model", "reference-host", "optimized-host", "model-host"}
    assert all(row["operations"] > 50 and row["alarms"] == [] for row in rows)
    assert {row.get("mode", "") for row in rows if row["subject"].endswith("-host")} == {"", *MODES}
    assert len([row for row in rows if "mode" not in row]) == 60
    assert len(rows) == 87


def test_a_wrong_cache_raises_alarms(command: Command) -> None:
    ran = command("mutants", "--clean", "faulty:double_free", "--seeds", 1, "--json")
    assert ran.status == 1
    assert "SLOT_PARTITION" in {alarm["property"] for row in ran.json["rows"] for alarm in row["alarms"]}


def test_the_stretch_phase_of_a_cache_with_a_short_counter_raises_an_alarm() -> None:
    _, place, result = clear_stretch(resolve("threshold_faults:victims_128"), "victims", 0)
    _, _, clean = clear_stretch(resolve("reference"), "victims", 0)

    assert (str(place).startswith("stretch"), bool(result.found), clean.found) == (True, True, {})
    assert clean.steps > 300


@pytest.mark.campaign
def test_right_caches_raise_no_alarm_with_200_seeds() -> None:
    assert run(["mutants", "--clean"]) == 0
