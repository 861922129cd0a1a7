"""Campaigns: the same result however the shards are performed, a store that outlives what is killed, and losses as findings."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from shuffled_shards import BOUNDS, TINY, Shuffled, driven, header, lose, random_shards, texts

from radixcheck.spec.values import Key
from radixcheck.verification.campaign.campaign_store import Store
from radixcheck.verification.campaign.drive import LOSSES, Drive, Merged
from radixcheck.verification.campaign.executors import LocalExecutor, NodeLost
from radixcheck.verification.campaign.packed import packed_found, unpacked_found
from radixcheck.verification.campaign.perform import perform
from radixcheck.verification.campaign.plan_shards import generations
from radixcheck.verification.campaign.shard import Campaign, Kind, Shard
from radixcheck.verification.campaign.shard_result import ShardResult
from radixcheck.verification.core.deadline import NEVER, Deadline
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.status import Status
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.workers import WorkerLost
from radixcheck.verification.operations import Op
from radixcheck.verification.search.run import retraced
from radixcheck.verification.search.search_results import Bounds
from radixcheck.verification.subjects.registry import resolve


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Merged:
    """What the campaign finds."""
    return driven(tmp_path_factory.mktemp("expected"), Shuffled(0))[1]


@pytest.mark.parametrize("operations", [1, 20_000, 3_000_000])
def test_a_plan_has_every_slice_and_every_example_once(operations: int) -> None:
    campaign = replace(TINY, bounds=replace(BOUNDS, operations=operations))
    shards = [shard for part in generations(resolve("model"), campaign) for shard in part]
    slices = [n for s in shards if s.kind == Kind.SEARCH for n in range(s.first, s.first + s.count)]
    examples = [s.first + k * 20 for s in shards if s.kind == Kind.MACHINE for k in range(s.count)]

    assert [shard.number for shard in shards] == [*range(len(shards))]
    assert sorted(slices) == [*range(len(slices))]
    assert sorted(examples) == [*range(0, 20 * len(examples), 20)]
    assert operations <= sum(shard.operations for shard in shards) < operations + 6_000


def test_a_shard_and_its_result_are_the_same_after_they_were_written_and_read(expected: Merged) -> None:
    shard = Shard(3, 1, Kind.SEARCH, 2, 1, operations=960)
    result = perform(TINY, shard)

    assert Shard.from_json(json.loads(json.dumps(shard.to_json()))) == shard
    assert Campaign.from_json(json.loads(json.dumps(TINY.to_json()))) == TINY
    assert ShardResult.from_text(result.to_text()) == result
    assert result.result.steps > 0


def test_any_order_of_completion_gives_the_same_result(tmp_path: Path, expected: Merged) -> None:
    actual = [driven(tmp_path / f"{seed}", Shuffled(seed))[1] for seed in (1, 2)]

    assert expected.result.steps > 3_000
    assert actual == [expected, expected]


def test_processes_give_the_same_result_as_this_one(tmp_path: Path, expected: Merged) -> None:
    executor = LocalExecutor(2)
    try:
        drive, actual = driven(tmp_path, executor)
    finally:
        executor.close()

    assert actual == expected
    assert (drive.missing, drive.ended) == ([], "")


def test_a_campaign_that_was_stopped_goes_on_where_it_was(tmp_path: Path, expected: Merged) -> None:
    first, _ = driven(tmp_path, Shuffled(1, before=lose((2,), 1, KeyboardInterrupt())))
    stored = len(texts(first.store))
    second, actual = driven(tmp_path, Shuffled(2))

    assert first.ended == "it was interrupted"
    assert 0 < stored < first.shards
    assert second.resumed == stored
    assert actual == expected


def test_the_end_of_the_time_says_how_many_shards_are_missing(tmp_path: Path) -> None:
    drive, merged = driven(tmp_path, Shuffled(1), deadline=Deadline.after(-1))

    assert (drive.ended, len(drive.missing), merged.result.steps) == ("the time was over", drive.shards, 0)


def test_a_shard_whose_machine_is_lost_is_performed_again(tmp_path: Path, expected: Merged) -> None:
    drive, actual = driven(tmp_path, Shuffled(1, before=lose((0, 1), 2 * LOSSES, NodeLost("a machine"))))

    assert drive.nodes_lost == 4 * LOSSES
    assert actual == expected


def test_a_shard_whose_process_is_lost_is_tried_again(tmp_path: Path, expected: Merged) -> None:
    _, actual = driven(tmp_path, Shuffled(1, before=lose((0, 2), LOSSES - 1, WorkerLost("it was ended", None))))

    assert actual == expected


def test_the_third_loss_of_a_shard_is_a_finding_and_ends_the_campaign(tmp_path: Path) -> None:
    trace = Recorded(Config("lru", 1, 6), (Op("insert", Key((1,))), Op("match", Key((1, 2, 3)))), "hostile:exits_in_match")
    campaign = replace(TINY, subject=trace.subject)
    drive, merged = driven(tmp_path, Shuffled(1, before=lose(range(9), LOSSES, WorkerLost("it was ended by SIGSEGV", trace))), campaign)

    (found,) = merged.result.found.values()
    assert (found.trace, found.config, found.ends_process) == (trace.trace, trace.config, True)
    assert "SIGSEGV" in merged.lost[0]
    assert drive.missing == [*drive.plan[1]]
    assert "no further generation was begun" in drive.ended


def test_guided_runs_go_on_from_what_was_reached_and_depend_on_nothing_else(tmp_path: Path) -> None:
    campaign = replace(TINY, guided=True)
    drives = [driven(tmp_path / f"{seed}", Shuffled(seed), campaign) for seed in (1, 2)]
    guided = [result for result in drives[0][0].store.results() if result.kind == Kind.GUIDED]

    assert drives[0][1] == drives[1][1]
    assert guided[-1].result.steps > 0
    origins = [origin for origin in guided[-1].result.coverage.reached.values() if origin.forks]
    assert origins
    for origin in (origins[0], origins[-1]):
        ((at, _),) = origin.forks
        assert retraced(resolve("model"), replace(origin, forks=()))[:at] == retraced(resolve("model"), origin)[:at]


def test_guided_runs_that_were_stopped_go_on_from_the_generations_before_alone(tmp_path: Path) -> None:
    campaign = replace(TINY, guided=True)
    *first, last = [shard for part in random_shards(campaign) for shard in part]
    plan = [first[:1], [replace(shard, kind=Kind.GUIDED) for shard in (*first[1:], last)]]

    def drive(name: str, executor: Shuffled) -> tuple[Drive, Merged]:
        made = Drive(Store.begin(tmp_path / name, header(campaign)), plan, executor, NEVER, tell=lambda _: executor.perform())
        return made, made.run()

    performed_ = list[str]()

    def before(text: str) -> None:
        performed_.append(text)
        if len(performed_) == 3:
            raise KeyboardInterrupt

    _, whole = drive("whole", Shuffled(1))
    stopped, _ = drive("stopped", Shuffled(1, before))
    _, resumed = drive("stopped", Shuffled(2))

    assert 1 < len(stopped.done) < stopped.shards
    assert resumed == whole


@pytest.mark.parametrize(
    ("shard", "name", "verdict"),
    [
        (Shard(0, 1, Kind.EXPLORE, name="empty requests", policy="lru", page_size=1), "empty requests, lru, pages of 1", "EXHAUSTED"),
        (Shard(0, 1, Kind.PROVE, name="LOCK-STOP"), "LOCK-STOP", "PROVED"),
    ],
)
def test_other_kinds_of_shards_give_a_verdict(shard: Shard, name: str, verdict: str) -> None:
    result = perform(replace(TINY, subject="reference"), shard)

    assert ShardResult.from_text(result.to_text()) == result
    assert [(row.name, row.verdict, row.status) for row in result.rows] == [(name, verdict, Status.HOLDS)]


def test_every_kind_has_shards_in_a_plan() -> None:
    campaign = Campaign.of("reference", BOUNDS, [*Kind], guided=True)
    shards = [shard for part in generations(resolve("reference"), campaign, [Recorded(Config("lru", 1, 6), ())]) for shard in part]

    assert {shard.kind for shard in shards} == {*Kind}
    assert all(shard.title for shard in shards)


@pytest.mark.slow
def test_a_cache_that_ends_its_process_is_found_with_its_trace(tmp_path: Path) -> None:
    executor, campaign = LocalExecutor(1), Campaign.of("hostile:exits_in_match", BOUNDS, (Kind.SEARCH,))
    try:
        drive, merged = driven(tmp_path, executor, campaign)
    finally:
        executor.close()

    (found,) = merged.result.found.values()
    assert found.trace[-1].name in ("match", "peek", "start", "lock")
    assert [result.lost != "" for result in drive.store.results()] == [True] * 3
    assert len(drive.missing) == 1


def test_a_finding_is_the_same_after_it_was_written_and_read() -> None:
    campaign = Campaign.of("base", Bounds(("lru",), (4,), operations=1_000), (Kind.SEARCH,))
    found = perform(campaign, Shard(0, 0, Kind.SEARCH, 0, 1)).result.found

    assert "RECENCY" in found
    assert [unpacked_found(json.loads(json.dumps(packed_found(each)))) for each in found.values()] == [*found.values()]


@pytest.mark.parametrize("error", [MemoryError("no room"), UsageError("no cache for lfu"), ZeroDivisionError("of the checker")])
def test_a_shard_that_cannot_be_performed_hides_nothing_that_was_found(error: Exception, tmp_path: Path) -> None:
    base = Campaign.of("base", replace(BOUNDS, policies=("lru",)), (Kind.SEARCH,))
    drive, merged = driven(tmp_path, Shuffled(1, before=lose((len(random_shards(base)[0]),), 1, error)), base)

    assert "RECENCY" in merged.result.found
    assert drive.ended.endswith(f"could not be performed: {error}" if isinstance(error, UsageError) else f"{type(error).__name__}: {error}")
    assert len(drive.missing) == 1


def test_a_cache_that_cannot_be_made_is_wrong_use_while_nothing_was_found(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no cache for lfu"):
        driven(tmp_path, Shuffled(1, before=lose((0,), 1, UsageError("no cache for lfu"))))


@pytest.mark.parametrize("subject", ["model", "another"])
def test_a_loss_that_the_operations_do_not_explain_is_no_finding(subject: str, tmp_path: Path) -> None:
    trace = Recorded(Config("lru", 1, 6), (Op("insert", Key((1,))), Op("match", Key((1,)))), subject)
    drive, merged = driven(tmp_path, Shuffled(1, before=lose((0,), LOSSES, WorkerLost("it was ended by SIGKILL", trace))))

    assert (merged.result.found, [*merged.lost]) == ({}, [0])
    assert "no further generation was begun" in drive.ended
