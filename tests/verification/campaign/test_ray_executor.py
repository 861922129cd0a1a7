"""Campaigns on Ray: the answers of its workers, and two nodes of this machine of which one is killed."""

import json
import os
import subprocess
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from commands import Command
from places import PACKAGE, TESTS

from radixcheck.spec.values import Key
from radixcheck.verification.campaign import ray_executor
from radixcheck.verification.campaign.campaign_store import Store
from radixcheck.verification.campaign.executors import LocalExecutor, NodeLost
from radixcheck.verification.campaign.packed import packed
from radixcheck.verification.campaign.perform import cache_digest, message
from radixcheck.verification.campaign.shard import Campaign, Kind, Shard
from radixcheck.verification.campaign.shard_result import ShardResult
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.short_text import counted
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.workers import WorkerLost
from radixcheck.verification.operations import Op
from radixcheck.verification.report.campaign_view import page
from radixcheck.verification.runs.campaign_job import CampaignRequest, run_campaign
from radixcheck.verification.runs.checked_bounds import bounds_for
from radixcheck.verification.search.search_results import Bounds
from radixcheck.verification.subjects.registry import resolve

LOST = Recorded(Config("lru", 1, 6), (Op("insert", Key((1,), ("a", 1))),), "a cache")
OPERATIONS, KILLED_AFTER = 3_000, 6  # of the campaign on two nodes; shards


def passed_on(answer: str | Exception) -> "Future[str]":
    """How a shard ends after this answer of a worker of Ray."""
    answered, ended = Future[str](), Future[str]()
    answered.add_done_callback(lambda each: ray_executor.pass_on(each, ended))
    if isinstance(answer, Exception):
        answered.set_exception(answer)
    else:
        answered.set_result(answer)
    return ended


def test_the_result_of_a_shard_is_passed_on() -> None:
    assert passed_on(json.dumps({"done": "a result"})).result() == "a result"


def test_a_lost_process_beside_a_worker_of_ray_is_passed_on_with_its_operations() -> None:
    last = packed(LOST)

    with pytest.raises(WorkerLost, match="ended by SIGSEGV") as lost:
        passed_on(json.dumps({"lost": "it was ended by SIGSEGV", "last": last})).result()
    assert lost.value.last == LOST


@pytest.mark.parametrize("error", [RuntimeError("the node is gone"), ValueError("what is this")])
def test_whatever_ray_raises_is_a_lost_node_and_no_finding(error: Exception) -> None:
    with pytest.raises(NodeLost, match=type(error).__name__):
        passed_on(error).result()


def test_wrong_use_on_a_node_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="other sources"):
        passed_on(json.dumps({"wrong": "a worker has other sources"})).result()


def test_the_command_says_what_is_missing_for_ray(tmp_path: Path, command: Command) -> None:
    assert "give --local or --ray, not both" in command("campaign", "model", "--local", 2, "--ray", "auto", "--store", tmp_path).complaint


@pytest.mark.slow
@pytest.mark.parametrize(("subject", "ends"), [("model", "done"), ("hostile:exits_in_match", "lost")])
def test_a_worker_of_ray_outlives_the_process_beside_it(subject: str, ends: str) -> None:
    campaign = Campaign.of(subject, Bounds(("lru",), (1,), operations=1_000))
    text = message(campaign, cache_digest(subject, "cpu"), Shard(0, 0, Kind.SEARCH, 0, 1))

    for _ in range(2):
        answer: dict[str, Any] = json.loads(ray_executor.perform_on_node(text))
        assert ends in answer
    if ends == "done":
        assert ShardResult.from_text(answer["done"]).result.steps > 0
    else:
        assert answer["last"]["trace"]


@pytest.mark.ray
def test_two_nodes_of_which_one_is_killed_find_what_this_machine_finds(tmp_path: Path) -> None:
    python, program = os.environ["RADIXCHECK_RAY"], TESTS / "cluster" / "ray_cluster_run.py"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), str(TESTS)])}
    arguments = ["base", str(tmp_path / "ray"), f"{OPERATIONS}", f"{KILLED_AFTER}"]
    ran = subprocess.run([python, program, *arguments], env=environment, cwd=TESTS, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    actual = json.loads(ran.stdout)

    base, executor = resolve("base"), LocalExecutor(1)
    bounds = bounds_for(base, ("lru",), (1, 2), operations=OPERATIONS)
    try:
        expected = run_campaign(CampaignRequest(base, bounds, tmp_path / "local", kinds=("search",)), executor).to_json()
    finally:
        executor.close()
    lost = actual["performed"]["nodes_lost"]
    assert lost > 0
    assert f"{counted(lost, 'shard')} submitted again after a node was lost" in "\n".join(map(str, page(actual)))
    for field in ("operations", "runs", "properties", "edges", "envelope", "undecided"):
        assert actual[field] == expected[field], field
    assert [each["trace"] for each in actual["refuted"]] == [each["trace"] for each in expected["refuted"]] != []
    assert [*Store.read(tmp_path / "ray").results()] == [*Store.read(tmp_path / "local").results()]
