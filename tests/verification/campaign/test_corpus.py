"""The corpus: the marks of coverage, the traces that reach them, and the tests that they are exported as."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from radixcheck.spec.values import Key
from radixcheck.verification.campaign.corpus import Corpus, newly_reached, of_findings
from radixcheck.verification.campaign.perform import perform
from radixcheck.verification.campaign.shard import Campaign, Kind, Shard
from radixcheck.verification.campaign.shard_result import ShardResult
from radixcheck.verification.checker.coverage import Coverage, CoverageRecorder, Origin
from radixcheck.verification.core.found import Config, Found, Violation
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.operations import Op
from radixcheck.verification.search.run import new_checker, retraced
from radixcheck.verification.search.search_results import Bounds
from radixcheck.verification.subjects.registry import resolve

CAMPAIGN = Campaign.of("model-host", Bounds(("lru",), (1, 2), operations=1_000, modes=("write_back",)))
CONFIG = Config("lru", 1, 6)
ENOUGH = 60  # marks that one slice reaches at least


def marks_of(config: Config, trace: tuple[Op, ...]) -> set[str]:
    """The marks that a trace reaches."""
    checker = new_checker(resolve("model-host"), config, 8)
    coverage = checker.coverage = CoverageRecorder()
    for op in trace:
        coverage.begin()
        checker.step(op)
    return {mark for mark, _ in coverage.reached(checker.envelope)}


@pytest.fixture(scope="module")
def result() -> ShardResult:
    """One slice of random runs, with and without a host tier."""
    return perform(CAMPAIGN, Shard(0, 0, Kind.SEARCH, 0, 1))


def test_marks_are_pairs_of_transitions_and_powers_of_two() -> None:
    config, keys = CONFIG, (Key((1, 2)), Key((1, 3)))

    actual = marks_of(config, tuple(Op("insert", key) for key in keys))
    assert {"begin, extend", "extend, grow", "release, begin", "depth 1", "depth 2", "root_children 1", "inner_children 2"} <= actual
    assert not {"depth 4", "begin, evict", "grow, split"} & actual


def test_each_mark_of_a_shard_is_reached_by_the_run_that_it_names(result: ShardResult) -> None:
    marks = result.result.coverage.reached
    pairs, tiered = ([mark for mark in marks if word in mark] for word in (", ", "demote"))

    assert len(marks) > ENOUGH
    assert pairs
    assert tiered
    for mark in [*marks][:: len(marks) // 20]:
        origin = marks[mark]
        assert mark in marks_of(origin.config, retraced(resolve("model-host"), origin)), mark
        assert mark not in pairs or mark not in marks_of(origin.config, retraced(resolve("model-host"), origin)[:-1]), mark


def test_of_runs_that_reach_a_mark_the_shortest_is_kept_and_of_equals_the_first() -> None:
    longer, first, second = (Origin(CONFIG, seed, operations, 8, 6) for seed, operations in ((1, 9), (2, 5), (3, 5)))
    coverage = Coverage()
    for origin in (longer, first, second):
        coverage.add({"depth 8": origin})

    assert coverage.reached == {"depth 8": first}


def test_one_run_is_kept_once_to_the_last_of_its_marks_and_known_marks_not_at_all() -> None:
    early, late, known = Origin(CONFIG, 1, 3, 8, 6), Origin(CONFIG, 1, 7, 8, 6), Origin(CONFIG, 2, 1, 8, 6)

    actual = newly_reached(Coverage({"a, b": early, "depth 4": late, "depth 1": known}), ["depth 1"])
    assert actual == {late: ["a, b", "depth 4"]}


def test_what_is_kept_is_read_again_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    corpus, recorded = Corpus(tmp_path), Recorded(CONFIG, (Op("insert", Key((1,))),), "model")
    corpus.check()
    found = Found(Violation("ORDER", "wrong"), (Op("evict", amount=1),), CONFIG)
    kept = [(recorded, ["depth 1"]), *of_findings("model", [found], 10)]

    corpus.add(kept)
    before = {file: file.read_text() for file in tmp_path.iterdir()}
    corpus.add(kept)

    assert {file: file.read_text() for file in tmp_path.iterdir()} == before
    assert {(each.property, each.trace) for each in corpus.traces()} == {("", recorded.trace), ("ORDER", found.trace)}
    assert corpus.known == {"depth 1"}
    assert of_findings("model", [found], 0) == []
    assert of_findings("model", [replace(found, violation=Violation("EVICT_COST", "a replay does not show it"))], 10) == []


def test_a_folder_that_holds_no_corpus_is_refused(tmp_path: Path) -> None:
    (tmp_path / "marks.json").write_text("[]")

    with pytest.raises(UsageError, match="no index of marks"):
        Corpus(tmp_path).check()


def run_exported(folder: Path) -> "subprocess.CompletedProcess[str]":
    """Run the exported tests."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    arguments = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(arguments, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("subject", "status"), [("base", 1), pytest.param("reference", 0, marks=pytest.mark.slow)])
def test_exported_traces_are_a_test_of_the_cache_that_they_name(subject: str, status: int, tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "corpus")
    corpus.check()
    trace = (Op("insert", Key((0, 1))), Op("insert", Key((0,))))
    corpus.add([(Recorded(CONFIG, trace, subject, "RECENCY"), ())])

    corpus.export(tmp_path / "tests")
    ran = run_exported(tmp_path / "tests")
    assert ran.returncode == status, ran.stdout
    assert ("RECENCY" in ran.stdout) == (status == 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("subject", "property_", "words"),
    [("hostile:exits_in_match", "REFINEMENT", "WorkerLost"), ("faulty:by_replica", "DETERMINISM", "DETERMINISM")],
)
def test_an_exported_trace_that_ends_its_process_or_varies_fails_its_test(subject: str, property_: str, words: str, tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "corpus")
    corpus.check()
    trace = (*(Op("insert", Key((k,))) for k in range(3)), Op("match", Key((1, 2, 3))), Op("evict", amount=3))
    corpus.add([(Recorded(CONFIG, trace, subject, property_), ())])

    corpus.export(tmp_path / "tests")
    ran = run_exported(tmp_path / "tests")
    assert (ran.returncode, words in ran.stdout) == (1, True), ran.stdout


def test_exported_tests_without_traces_do_not_pass(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "corpus")
    corpus.check()
    corpus.export(tmp_path / "tests")

    assert run_exported(tmp_path / "tests").returncode != 0


def test_a_corpus_is_replayed_and_its_findings_are_found_again() -> None:
    trace = (Op("insert", Key((0, 1))), Op("insert", Key((0,))))
    shard = Shard(0, 0, Kind.REPLAY, traces=(Recorded(CONFIG, trace, "base", "RECENCY"),))

    result = perform(Campaign.of("base", Bounds(("lru",), (1,))), shard)
    assert result.result.found.keys() == {"RECENCY"}
    assert json.loads(result.to_text())["kind"] == "replay"
