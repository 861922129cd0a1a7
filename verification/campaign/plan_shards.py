"""The plan of a campaign: its shards, in generations. It follows from the campaign and the kept traces, never from who performs it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from radixcheck.verification.campaign.shard import PARTS, Campaign, Kind, Shard
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.search.search_plan import EXAMPLES, machine_tasks, probe_tasks, slices
from radixcheck.verification.stretch.dimensions import DIMENSIONS, FURTHER

SHARDS_AIM = 64  # of random runs: a small campaign has about so many, so that many workers share it
SLICES_MAX = 24  # of one shard: some seconds of work, which is what is lost with a worker
MACHINE_MAX = 8  # tasks of the state machine, of one shard
TRACES_MAX = 20  # of one shard
GENERATIONS = 4  # of the random runs; the first one has a part of FIRST, with all other kinds
FIRST = 1 / 16


def generations(subject: Subject, campaign: Campaign, kept: Sequence[Recorded] = ()) -> list[list[Shard]]:
    """Return the shards of each generation, numbered through. `kept`: traces that are replayed before all else."""
    kinds = {part for kind in campaign.kinds for part in PARTS.get(Kind(kind), (Kind(kind),))}
    first = [*_replays(kept), *_stretches()]
    if Kind.PROBE in kinds:
        first += [Shard(0, 0, Kind.PROBE, number) for number in range(len(probe_tasks(subject, campaign.bounds)))]
    search = [*_searches(subject, campaign), *_machines(subject, campaign)] if Kind.SEARCH in kinds else []
    first = [shard for shard in first if shard.kind in kinds]
    parts = [first + [s for s in search if s.generation == 0], *([s for s in search if s.generation == k] for k in range(1, GENERATIONS))]
    number, numbered = 0, list[list[Shard]]()
    for generation, shards in enumerate(part for part in parts if part):
        numbered.append([replace(shard, number=number + k, generation=generation) for k, shard in enumerate(shards)])
        number += len(shards)
    return numbered


def _searches(subject: Subject, campaign: Campaign) -> Iterator[Shard]:
    """Yield the shards of random runs, spread over the generations."""
    tasks = slices(subject, campaign.bounds)
    size = max(1, min(SLICES_MAX, len(tasks) // SHARDS_AIM))
    starts = range(0, len(tasks), size)
    for k, first in enumerate(starts):
        part = tasks[first : first + size]
        operations = sum(task.operations for task in part)
        yield Shard(0, _generation(k, len(starts)), Kind.SEARCH, first, len(part), operations=operations)


def _machines(subject: Subject, campaign: Campaign) -> Iterator[Shard]:
    """Yield the shards of the state machine."""
    tasks = machine_tasks(subject, campaign.bounds)
    size = max(1, min(MACHINE_MAX, len(tasks) // SHARDS_AIM))
    starts = range(0, len(tasks), size)
    for k, first in enumerate(starts):
        count = min(size, len(tasks) - first)
        yield Shard(0, _generation(k, len(starts)), Kind.MACHINE, first * EXAMPLES, count)


def _generation(place: int, of: int) -> int:
    """Return the generation of one of so many shards: a small first one, then parts that are alike."""
    first = max(1, round(of * FIRST))
    return 0 if place < first else 1 + (place - first) * (GENERATIONS - 1) // (of - first)


def _stretches() -> Iterator[Shard]:
    """Yield one shard for each dimension, the longest first."""
    names = sorted((name for name in DIMENSIONS if f"{name}{FURTHER}" not in DIMENSIONS), key=lambda name: -DIMENSIONS[name].seconds)
    return (Shard(0, 0, Kind.STRETCH, name=name) for name in names)


def _replays(kept: Sequence[Recorded]) -> Iterator[Shard]:
    starts = range(0, len(kept), TRACES_MAX)
    return (Shard(0, 0, Kind.REPLAY, first, traces=tuple(kept[first : first + TRACES_MAX])) for first in starts)
