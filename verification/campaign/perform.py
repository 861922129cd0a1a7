"""Performs one shard: a pure function of the sources, the campaign and the shard. It runs in a process that the shard may end."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from time import process_time
from typing import Any

from radixcheck.verification.campaign.shard import Campaign, Kind, Shard
from radixcheck.verification.campaign.shard_result import ShardResult, result_of
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.sources import digest
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.search.run import replay
from radixcheck.verification.search.search_plan import EXAMPLES, Task, machine_task, probe_tasks, slice_task
from radixcheck.verification.stretch.stretch import stretched
from radixcheck.verification.subjects.registry import resolve

STRETCH_TIMES = 50.0  # of the usual time of a dimension: what is reached must not depend on how fast a machine is


def message(campaign: Campaign, shard: Shard) -> str:
    """Return the text that `perform_text` takes."""
    return json.dumps({"sources": digest(), "campaign": campaign.to_json(), "shard": shard.to_json()})


def perform_text(text: str) -> str:
    """Perform a shard that came as text, and return the result as text. Raise UsageError if the sources here are others."""
    data: Mapping[str, Any] = json.loads(text)
    if data["sources"] != digest():
        raise UsageError(f"a worker has other sources of radixcheck ({digest()}) than the campaign ({data['sources']}): install the same")
    return perform(Campaign.from_json(data["campaign"]), Shard.from_json(data["shard"])).to_text()


def perform(campaign: Campaign, shard: Shard) -> ShardResult:
    """Perform a shard. Whatever its subject keeps of earlier shards does not matter: each run begins with a fresh cache."""
    start = process_time()
    subject = _subject(campaign.subject, campaign.bounds.device)
    result = RunResult.of(_PERFORM[Kind(shard.kind)](subject, campaign, shard))
    return result_of(shard, result, process_time() - start)


@cache
def _subject(name: str, device: str) -> Subject:
    return resolve(name, device)


def _of_tasks(tasks: Iterator[Task]) -> Iterator[RunResult]:
    return (task() for task in tasks)


def _search(subject: Subject, campaign: Campaign, shard: Shard) -> Iterator[RunResult]:
    numbers = range(shard.first, shard.first + shard.count)
    return _of_tasks(slice_task(subject, campaign.bounds, number) for number in numbers)


def _machine(subject: Subject, campaign: Campaign, shard: Shard) -> Iterator[RunResult]:
    return _of_tasks(machine_task(subject, campaign.bounds, shard.first + k * EXAMPLES) for k in range(shard.count))


def _probe(subject: Subject, campaign: Campaign, shard: Shard) -> Iterator[RunResult]:
    return _of_tasks(iter(probe_tasks(subject, campaign.bounds)[shard.first : shard.first + 1]))


def _stretch(subject: Subject, campaign: Campaign, shard: Shard) -> Iterator[RunResult]:
    yield stretched(subject, shard.name, campaign.bounds, campaign.bounds.seed, STRETCH_TIMES)


def _replay(subject: Subject, campaign: Campaign, shard: Shard) -> Iterator[RunResult]:
    return (replay(subject, recorded.config, recorded.trace) for recorded in shard.traces)


_PERFORM: dict[Kind, Callable[[Subject, Campaign, Shard], Iterator[RunResult]]] = {
    Kind.SEARCH: _search,
    Kind.MACHINE: _machine,
    Kind.PROBE: _probe,
    Kind.STRETCH: _stretch,
    Kind.REPLAY: _replay,
}
