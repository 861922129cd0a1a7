"""The command `radixcheck campaign`: what it prints and stores, that it goes on after it was killed, and its row of a report."""

import subprocess
import sys
from pathlib import Path
from time import sleep
from typing import Any

import pytest
from commands import Command

from radixcheck.verification.core.status import Status
from radixcheck.verification.report.blocks import Table
from radixcheck.verification.report.sections import campaigns_section
from radixcheck.verification.runs.answer_results import AnswersOutcome
from radixcheck.verification.runs.campaign_job import stored_campaigns
from radixcheck.verification.runs.findings_job import recorded_findings
from radixcheck.verification.runs.report_data import ReportData
from radixcheck.verification.runs.stored_results import Results


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
    assert (checked["status"], checked["faults"]) == (Status.HOLDS, [])
    assert 2 <= checked["shards"] < checked["planned"]
    ended = command(*arguments, "--json").json
    assert (ended["status"], ended["shards"]["done"]) == (Status.HOLDS, checked["planned"])
    assert ended["shards"]["resumed"] >= checked["shards"]
