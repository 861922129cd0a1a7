"""Performs the shards of a small campaign in this process, in another order than they were submitted, and loses some of them."""

import json
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random

from radixcheck.verification.campaign.campaign_store import Header, Store
from radixcheck.verification.campaign.drive import Drive, Merged
from radixcheck.verification.campaign.executors import ShardExecutor
from radixcheck.verification.campaign.perform import cache_digest, perform_text
from radixcheck.verification.campaign.plan_shards import generations
from radixcheck.verification.campaign.shard import Campaign, Kind, Shard
from radixcheck.verification.campaign.shard_result import ShardResult
from radixcheck.verification.core.deadline import NEVER, Deadline
from radixcheck.verification.core.sources import digest
from radixcheck.verification.search.search_results import Bounds
from radixcheck.verification.subjects.registry import resolve

BOUNDS = Bounds(("lru", "mru"), (1, 2), operations=1_000)
TINY = Campaign.of("model", BOUNDS, (Kind.SEARCH,))


def random_shards(campaign: Campaign, digest_: str = "") -> list[list[Shard]]:
    """The shards of random operations of a plan with this digest, which are quick, in two generations."""
    plan = generations(resolve(campaign.subject), campaign, plan=digest_)
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
            except BaseException as lost:
                future.set_exception(lost)

    def close(self) -> None:
        """Nothing was started."""


def number_of(text: str) -> int:
    """The number of the shard in a message."""
    number: int = json.loads(text)["shard"]["number"]
    return number


def header(campaign: Campaign = TINY) -> Header:
    """The header of a campaign with the present sources."""
    return Header(campaign, digest(), cache_digest(campaign.subject, "cpu"), date="now")


def driven(folder: Path, executor: ShardExecutor, campaign: Campaign = TINY, deadline: Deadline = NEVER) -> tuple[Drive, Merged]:
    """Drive the random shards of a campaign over a store in the folder."""
    store = Store.begin(folder, header(campaign))
    drive = Drive(
        *(store, random_shards(campaign, store.header.digest), executor, deadline),
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
