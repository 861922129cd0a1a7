"""Campaigns: the same result however the shards are performed, a store that outlives what is killed, and losses as findings."""

import json
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

import pytest

from radixcheck.spec.values import Key
from radixcheck.verification.campaign.campaign_store import Header, Store
from radixcheck.verification.campaign.drive import LOSSES, Drive, Merged
from radixcheck.verification.campaign.executors import LocalExecutor, NodeLost, ShardExecutor
from radixcheck.verification.campaign.packed import packed_found, unpacked_found
from radixcheck.verification.campaign.perform import message, perform, perform_text
from radixcheck.verification.campaign.plan_shards import generations
from radixcheck.verification.campaign.shard import Campaign, Kind, Shard
from radixcheck.verification.campaign.shard_result import ShardResult
from radixcheck.verification.core.deadline import NEVER, Deadline
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.sources import digest
from radixcheck.verification.core.status import Status
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.workers import WorkerLost
from radixcheck.verification.operations import Op
from radixcheck.verification.search.run import retraced
from radixcheck.verification.search.search_results import Bounds
from radixcheck.verification.subjects.registry import resolve

BOUNDS = Bounds(("lru", "mru"), (1, 2), operations=1_000)
TINY = Campaign.of("model", BOUNDS, (Kind.SEARCH,))


def random_shards(campaign: Campaign) -> list[list[Shard]]:
    """The shards of random operations of a plan, which are quick, in two generations."""
    plan = generations(resolve(campaign.subject), campaign)
    shards = [shard for part in plan for shard in part if shard.kind in (Kind.SEARCH, Kind.GUIDED)]
    *first, last = (replace(shard, number=number) for number, shard in enumerate(shards))
    return [first, [last]]


performed = cache(perform_text)  # in this process: the same text gives the same


KEPT = 2  # shards that wait until another is submitted


class Shuffled:
    """Performs shards in this process, in another order than they were submitted."""

    workers, sentence = 3, "this process"

    def __init__(self, seed: int, before: Callable[[str], None] = lambda text: None) -> None:
        self._random, self._before = Random(seed), before
        self._waiting: list[tuple[str, Future[str]]] = []

    def submit(self, text: str) -> "Future[str]":
        """Keep a shard; perform one, if more than KEPT wait."""
        self._waiting.append((text, Future()))
        future = self._waiting[-1][1]
        self.perform(KEPT)
        return future

    def perform(self, kept: int = 0) -> None:
        """Perform shards until so many wait."""
        while len(self._waiting) > kept:
            text, future = self._waiting.pop(self._random.randrange(len(self._waiting)))
            try:
                self._before(text)
                future.set_result(performed(text))
            except (WorkerLost, NodeLost, KeyboardInterrupt) as lost:
                future.set_exception(lost)

    def close(self) -> None:
        """Nothing was started."""


def number_of(text: str) -> int:
    """The number of the shard in a message."""
    number: int = json.loads(text)["shard"]["number"]
    return number


def header(campaign: Campaign = TINY) -> Header:
    """The header of a campaign with the present sources."""
    return Header(campaign, digest(), date="now")


def driven(folder: Path, executor: ShardExecutor, campaign: Campaign = TINY, deadline: Deadline = NEVER) -> tuple[Drive, Merged]:
    """Drive the random shards of a campaign over a store in the folder."""
    drive = Drive(
        *(Store.begin(folder, header(campaign)), random_shards(campaign), executor, deadline),
        tell=lambda _: executor.perform() if isinstance(executor, Shuffled) else None,
    )
    return drive, drive.run()


def texts(store: Store) -> list[ShardResult]:
    """The results in a store."""
    return list(store.results())


def lose(numbers: Iterable[int], times: int, lost: BaseException) -> Callable[[str], None]:
    """What loses these shards so many times."""
    left = dict.fromkeys(numbers, times)

    def before(text: str) -> None:
        if left.get(number_of(text), 0) > 0:
            left[number_of(text)] -= 1
            raise lost

    return before


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


def test_stores_of_one_plan_are_merged_by_copying_their_files(tmp_path: Path, expected: Merged) -> None:
    drive, _ = driven(tmp_path / "whole", Shuffled(1))
    other = Store.begin(tmp_path / "half", header())
    for file in sorted((drive.store.folder / "shards").iterdir())[::2]:
        other.add(int(file.stem), file.read_text())
    merged, actual = driven(tmp_path / "half", Shuffled(2))

    assert 0 < merged.resumed < merged.shards
    assert actual == expected


def test_a_shard_whose_machine_is_lost_is_performed_again(tmp_path: Path, expected: Merged) -> None:
    drive, actual = driven(tmp_path, Shuffled(1, before=lose((0, 1), 2 * LOSSES, NodeLost("a machine"))))

    assert drive.nodes_lost == 4 * LOSSES
    assert actual == expected


def test_a_shard_whose_process_is_lost_is_tried_again(tmp_path: Path, expected: Merged) -> None:
    _, actual = driven(tmp_path, Shuffled(1, before=lose((0, 2), LOSSES - 1, WorkerLost("it was ended", None))))

    assert actual == expected


def test_the_third_loss_of_a_shard_is_a_finding_and_ends_the_campaign(tmp_path: Path) -> None:
    trace = Recorded(Config("lru", 1, 6), (Op("insert", Key((1,))), Op("match", Key((1,)))))
    drive, merged = driven(tmp_path, Shuffled(1, before=lose((0,), LOSSES, WorkerLost("it was ended by SIGSEGV", trace))))

    (found,) = merged.result.found.values()
    assert (found.trace, found.config, found.ends_process) == (trace.trace, trace.config, True)
    assert "SIGSEGV" in merged.lost[0]
    assert drive.missing == [shard for shards in random_shards(TINY)[1:] for shard in shards]
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


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda text: text[: len(text) // 2], "is damaged"),
        (lambda text: text.replace('"runs": ', '"runs": 1'), "is damaged: its content is not what its digest says"),
        (lambda text: "[]", "is damaged: it is not the result of a shard"),
    ],
)
def test_a_damaged_file_is_seen_and_named(damage: Callable[[str], str], fault: str, tmp_path: Path) -> None:
    drive, _ = driven(tmp_path, Shuffled(1))
    file = drive.store.file(1)
    file.write_text(damage(file.read_text()))

    assert fault in "".join(drive.store.faults(drive.plan))
    with pytest.raises(UsageError, match=f"{file.name}: {fault}.*delete it"):
        driven(tmp_path, Shuffled(1))


def test_a_file_of_another_shard_or_of_another_plan_is_seen(tmp_path: Path) -> None:
    drive, _ = driven(tmp_path, Shuffled(1))
    text = drive.store.file(1).read_text()
    drive.store.file(2).write_text(text)
    other = Shard(3, 0, Kind.SEARCH, 900, 1)
    drive.store.file(3).write_text(replace(ShardResult.from_text(text), number=3, task=other.digest).to_text())

    faults = drive.store.faults(drive.plan)
    assert faults == ["000002.json: holds the result of shard 1", "000003.json: is not of a shard of this plan"]
    with pytest.raises(UsageError, match="is not of a shard of this plan"):
        driven(tmp_path, Shuffled(1))


def test_what_is_left_of_a_killed_driver_does_no_harm(tmp_path: Path, expected: Merged) -> None:
    store = Store.begin(tmp_path, header())
    store.file(2).with_suffix(".json.part").write_text("{")

    drive, actual = driven(tmp_path, Shuffled(1))
    assert drive.store.faults(drive.plan) == []
    assert actual == expected


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (header(Campaign.of("reference", BOUNDS)), "holds a campaign of model, not of reference"),
        (header(replace(TINY, bounds=replace(BOUNDS, seed=1))), r"holds another plan \(it differs in seed\)"),
        (replace(header(), sources="others"), r"holds a campaign of other sources \(\w+, now others\)"),
    ],
)
def test_a_store_of_another_campaign_is_refused(wanted: Header, sentence: str, tmp_path: Path) -> None:
    Store.begin(tmp_path, header())

    with pytest.raises(UsageError, match=sentence):
        Store.begin(tmp_path, wanted)


def test_a_worker_with_other_sources_performs_nothing() -> None:
    text = message(TINY, random_shards(TINY)[0][0])

    with pytest.raises(UsageError, match="a worker has other sources"):
        perform_text(text.replace(digest(), "others"))
