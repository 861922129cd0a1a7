"""The store of a campaign: what is killed, damaged, or belongs to another campaign."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from shuffled_shards import BOUNDS, TINY, Shuffled, driven, header, random_shards

from radixcheck.verification.campaign.campaign_store import Header, Store
from radixcheck.verification.campaign.drive import Merged
from radixcheck.verification.campaign.perform import cache_digest, message, perform_text
from radixcheck.verification.campaign.shard import Campaign, Kind, Shard
from radixcheck.verification.campaign.shard_result import ShardResult
from radixcheck.verification.core.sources import digest
from radixcheck.verification.core.usage import UsageError


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Merged:
    """What the campaign finds."""
    return driven(tmp_path_factory.mktemp("expected"), Shuffled(0))[1]


def test_stores_of_one_plan_are_merged_by_copying_their_files(tmp_path: Path, expected: Merged) -> None:
    drive, _ = driven(tmp_path / "whole", Shuffled(1))
    other = Store.begin(tmp_path / "half", header())
    for file in sorted((drive.store.folder / "shards").iterdir())[::2]:
        other.add(int(file.stem), file.read_text())
    merged, actual = driven(tmp_path / "half", Shuffled(2))

    assert 0 < merged.resumed < merged.shards
    assert actual == expected


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
    drive.store.file(2).unlink()
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
        (replace(header(), cache="another"), "holds a campaign of model with other sources, or of another version"),
    ],
)
def test_a_store_of_another_campaign_is_refused(wanted: Header, sentence: str, tmp_path: Path) -> None:
    Store.begin(tmp_path, header())

    with pytest.raises(UsageError, match=sentence):
        Store.begin(tmp_path, wanted)


def test_a_worker_with_other_sources_performs_nothing() -> None:
    text = message(TINY, cache_digest("model", "cpu"), random_shards(TINY)[0][0])

    with pytest.raises(UsageError, match="a worker has other sources"):
        perform_text(text.replace(digest(), "others"))


def test_a_worker_with_another_state_of_the_cache_performs_nothing() -> None:
    text = message(TINY, "another", random_shards(TINY)[0][0])

    with pytest.raises(UsageError, match="a worker has another model than the campaign"):
        perform_text(text)


def test_results_of_another_campaign_are_not_those_of_this_one(tmp_path: Path) -> None:
    other, _ = driven(tmp_path / "other", Shuffled(1), replace(TINY, bounds=replace(BOUNDS, seed=1)))
    store = Store.begin(tmp_path / "here", header())
    for file in (other.store.folder / "shards").iterdir():
        store.add(int(file.stem), file.read_text())

    assert set(store.faults(random_shards(TINY, store.header.digest))) == {
        f"{number:06}.json: is not of a shard of this plan" for number in range(other.shards)
    }
    with pytest.raises(UsageError, match="is not of a shard of this plan; delete it"):
        driven(tmp_path / "here", Shuffled(1))
