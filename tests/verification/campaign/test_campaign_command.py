"""The command `radixcheck campaign`: what it prints and stores, that it goes on after it was killed, and its row of a report."""

import shlex
import subprocess
import sys
from pathlib import Path
from time import sleep
from types import SimpleNamespace
from typing import Any

import pytest
from commands import Command

from radixcheck.spec.values import Key
from radixcheck.verification.campaign.campaign_store import Header, Store
from radixcheck.verification.campaign.drive import Merged
from radixcheck.verification.campaign.shard import Campaign
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.envelope import Reach
from radixcheck.verification.core.found import Config, Found, Violation
from radixcheck.verification.core.status import Status
from radixcheck.verification.operations import Op
from radixcheck.verification.report.blocks import Table
from radixcheck.verification.report.sections import campaigns_section
from radixcheck.verification.runs.answer_results import AnswersOutcome
from radixcheck.verification.runs.campaign_job import _not_exercised, repeating, stored_campaigns
from radixcheck.verification.runs.findings_job import recorded_findings
from radixcheck.verification.runs.report_data import ReportData
from radixcheck.verification.runs.stored_results import Results
from radixcheck.verification.search.run import replay
from radixcheck.verification.search.search_results import Bounds
from radixcheck.verification.stretch.stretch import TOO_SLOW
from radixcheck.verification.subjects.registry import resolve

BOUNDS = Bounds(("lru",), (1,))
BARE = """
from dataclasses import replace
from radixcheck.verification.subjects.reference_subject import ReferenceSubject

class Bare(ReferenceSubject):
    supports = replace(ReferenceSubject.supports, requests=False, without=frozenset({"evict"}))

factory = Bare.of
"""


def assert_in_report(page: dict[str, Any]) -> None:
    """The report shows a campaign with its commit, date, operations, envelope and findings, and the recorded searches below it."""
    recorded = recorded_findings().to_json()
    data = ReportData((), False, Results({}), AnswersOutcome(()), (), recorded, {}, campaigns=(page,))
    (table,) = (block for block in campaigns_section.section(data).blocks if isinstance(block, Table))
    first = "".join(map(str, table.rows[0]))

    assert len(table.rows) == 1 + len(recorded["searches"])
    for word in (page["subject"], f"{page['operations']:,}", page["commit"], page["date"][:10], "RECENCY", "refuted"):
        assert word in first, word


@pytest.mark.slow
def test_the_command_checks_shows_and_goes_on(tmp_path: Path, command: Command) -> None:
    where = ("--policy", "lru", "--page-size", 1, "--operations", 1000, "--local", 1, "--kind", "search", "--store", tmp_path)
    ran = command("campaign", "base", *where)
    refuted = command("campaign", "--show", tmp_path, "--json").json["refuted"]

    assert ran.status == Status.REFUTED
    assert "RECENCY" in [each["property"] for each in refuted]
    for each in refuted:
        assert f"repeat it: {each['repeat']}" in ran.words
    again = command("campaign", "base", *where, "--json").json
    assert again["shards"]["resumed"] == again["shards"]["planned"] == again["shards"]["done"]
    assert again["refuted"] == refuted
    assert command(*refuted[0]["repeat"].split()[1:]).status == Status.REFUTED
    assert "is undamaged" in command("campaign", "--check", tmp_path).words
    corpus, tests = tmp_path / "corpus", tmp_path / "tests"
    first = command("campaign", "base", *where[:-1], tmp_path / "a", "--corpus", corpus, "--export", tests, "--json").json
    kept = [*corpus.glob("*.jsonl")]
    second = command("campaign", "base", *where[:-1], tmp_path / "b", "--corpus", corpus, "--json").json
    assert "replay" not in first["shards"]["kinds"]
    assert second["shards"]["kinds"]["replay"] > 0
    assert second["refuted"][0]["trace"] == refuted[0]["trace"]
    assert len([*tests.iterdir()]) == len(kept) + 1 > 20
    pages = stored_campaigns(tmp_path)
    assert [page["store"] for page in pages] == [str(tmp_path / "a"), str(tmp_path / "b")]
    assert_in_report(pages[0])
    next((tmp_path / "shards").iterdir()).write_text("{")
    assert command("campaign", "--check", tmp_path).status == Status.UNDECIDED


@pytest.mark.slow
def test_a_command_that_is_killed_leaves_a_store_that_goes_on(tmp_path: Path, command: Command) -> None:
    words = ("campaign", "reference", "--policy", "lru", "--page-size", "1", "--operations", "4000", "--local", "1", "--kind", "search")
    arguments = [*words, "--store", str(tmp_path)]
    running = subprocess.Popen([sys.executable, "-m", "radixcheck", *arguments], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while len(list(tmp_path.glob("shards/*.json"))) < 2:
        assert running.poll() is None
        sleep(0.05)
    running.kill()
    running.wait()

    checked = command("campaign", "--check", tmp_path, "--json").json
    assert (checked["status"], checked["faults"]) == (Status.UNDECIDED, [])
    assert 2 <= checked["shards"] < checked["planned"]
    ended = command(*arguments, "--json").json
    assert (ended["status"], ended["shards"]["done"]) == (Status.HOLDS, checked["planned"])
    assert command("campaign", "--check", tmp_path).status == Status.HOLDS
    assert ended["shards"]["resumed"] >= checked["shards"]


def test_a_folder_whose_page_has_another_form_is_wrong_use(tmp_path: Path, command: Command) -> None:
    store = Store.begin(tmp_path / "store", Header(Campaign.of("model", Bounds(("lru",), (1,))), "sources", "cache"))
    for text in ("[]", "{}", '{"version": 1}'):
        (store.folder / "summary.json").write_text(text)

        assert "is not version 2 of the page of a campaign: give its command again" in command("campaign", "--show", store.folder).complaint
        assert stored_campaigns(tmp_path) == ()


@pytest.mark.parametrize(
    ("options", "named"), [(("base", "--operations", 9), "--operations, SUBJECT make"), (("--page-size", 1), "--page-size makes")]
)
def test_options_that_make_no_sense_where_nothing_is_run_are_refused(
    options: tuple[object, ...], named: str, tmp_path: Path, command: Command
) -> None:
    assert f"{named} no sense for --check: nothing is run" in command("campaign", *options, "--check", tmp_path).complaint


@pytest.mark.parametrize(
    ("subject", "property_", "ends", "repeat"),
    [
        ("base", "RECENCY", False, "radixcheck replay store/trace.jsonl"),
        ("base", "REFINEMENT", True, f"radixcheck replay store/trace.jsonl --subject base@{sys.executable}"),
        ("sglang-rust", "REFINEMENT", True, "radixcheck replay store/trace.jsonl"),
        ("exec:node a.mjs", "REFINEMENT", True, "radixcheck replay store/trace.jsonl"),
        ("base", "EVICT_COST", False, "radixcheck verify base --policy lru --page-size 1"),
        ("exec:node a.mjs", "DEPTH", False, "radixcheck verify --exec 'node a.mjs' --policy lru --page-size 1"),
    ],
)
def test_the_command_that_repeats_a_finding_is_one_that_shows_it(subject: str, property_: str, ends: bool, repeat: str) -> None:
    found = Found(Violation(property_, "wrong"), (Op("evict", amount=1),), Config("lru", 1, 6), ends_process=ends)

    assert repeating(subject, found, "store/trace.jsonl") == repeat


@pytest.mark.slow
def test_a_finding_that_ends_its_process_is_repeated_by_its_command(tmp_path: Path, command: Command) -> None:
    where = ("--policy", "lru", "--page-size", 1, "--operations", 1000, "--local", 1, "--kind", "search", "--store", tmp_path)
    (refuted,) = command("campaign", "hostile:exits_in_match", *where, "--json").json["refuted"]

    replayed = command(*shlex.split(refuted["repeat"])[1:])
    assert (replayed.status, "REFINEMENT" in replayed.words) == (Status.REFUTED, True)


@pytest.mark.slow
def test_a_stretch_that_applies_nowhere_decides_nothing(tmp_path: Path, command: Command) -> None:
    (tmp_path / "bare.py").write_text(BARE)
    where = ("--kind", "stretch", "--store", tmp_path / "store", "--json")

    decided = command("campaign", f"{tmp_path / 'bare.py'}:factory", *where).json
    assert (decided["status"], decided["operations"]) == (Status.UNDECIDED, 0)
    assert "no dimension of the stretch phase was taken to its end" in decided["undecided"]


def test_a_dimension_that_was_cut_off_leaves_a_campaign_undecided(tmp_path: Path) -> None:
    slow = {"depth": Reach(3, 1_100, "nodes", TOO_SLOW), "resets": Reach(1_100, 1_100, "resets")}
    drive = SimpleNamespace(missing=[])

    assert _not_exercised(drive, Merged(RunResult(reaches=slow))) == [f"stretch, depth: {slow['depth'].sentence}"]  # type: ignore[arg-type]
    assert _not_exercised(drive, Merged(RunResult(reaches={"resets": slow["resets"]}))) == []  # type: ignore[arg-type]


def rarely_wrong(second: tuple[int, ...]) -> set[str]:
    """What an eviction after these keys breaks in the cache whose fault takes a coincidence."""
    trace = (Op("insert", Key((263,) * 29)), Op("insert", Key(second, ("a", "b"))), Op("evict", amount=32))
    return set(replay(resolve("rare_fault:rare"), Config("lru", 16, 160), trace).found)


def test_a_coincidence_is_wrong_where_its_keys_come_together_and_nowhere_near() -> None:
    start, end = (263,) * 15 + (2**31 + 7,), (7,) * 15
    rare = (*start, *start, *end, 65_543)

    assert rarely_wrong(rare) == {"EVICT_PROGRESS"}
    assert rarely_wrong((*start, *start, *end, 65_544)) == set()


@pytest.mark.campaign
def test_a_fault_of_a_million_operations_is_found_by_a_campaign_and_not_by_verify(tmp_path: Path, command: Command) -> None:
    verified = command("verify", "rare_fault:rare", "--seconds", 120, "--json").json
    found = command("campaign", "rare_fault:rare", "--operations", 1_000_000, "--kind", "search", "--store", tmp_path, "--json").json

    assert (verified["status"], verified["refuted"]) == (Status.HOLDS, [])
    assert [each["property"] for each in found["refuted"]] == ["EVICT_PROGRESS"]
    assert command(*shlex.split(found["refuted"][0]["repeat"])[1:]).status == Status.REFUTED
