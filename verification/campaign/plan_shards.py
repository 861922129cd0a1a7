"""The plan of a campaign: its shards, in generations. It follows from the campaign and the kept traces, never from who performs it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from random import Random

from radixcheck.verification.campaign.shard import PARTS, Campaign, Kind, Shard
from radixcheck.verification.checker.coverage import Coverage
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.search.search_plan import EXAMPLES, STEPS, machine_tasks, probe_tasks, slices
from radixcheck.verification.stretch.dimensions import DIMENSIONS, FURTHER

SHARDS_AIM = 64  # of random runs: a small campaign has about so many, so that many workers share it
SLICES_MAX = 24  # of one shard: some seconds of work, which is what is lost with a worker
MACHINE_MAX = 8  # tasks of the state machine, of one shard
TRACES_MAX = 20  # of one shard
ORIGINS_MAX = 48  # runs from which one shard goes on
FORKED_MAX = 4 * STEPS  # operations of a run from which another goes on
CELLS_MAX = 16  # conditions of one shard
EXPLORED_SIZES = (1, 2)  # tokens of a page; longer pages differ from these in their last token only
GENERATIONS = 4  # of the random runs; the first one has a part of FIRST: a cache that ends its process does it there, mostly
FIRST = 1 / 16


def generations(subject: Subject, campaign: Campaign, kept: Sequence[Recorded] = (), plan: str = "") -> list[list[Shard]]:
    """Return the shards of each generation, numbered through. `kept`: traces that are replayed before all else. `plan`: its digest."""
    kinds = {part for kind in campaign.kinds for part in PARTS.get(Kind(kind), (Kind(kind),))}
    parts = [list[Shard]() for _ in range(GENERATIONS)]
    parts[0] += _replays(kept)
    if Kind.STRETCH in kinds:
        parts[1] += _stretches()
    if Kind.PROBE in kinds:
        parts[1] += (Shard(0, 1, Kind.PROBE, number) for number in range(len(probe_tasks(subject, campaign.bounds))))
    if Kind.SEARCH in kinds:
        for shard in (*_searches(subject, campaign), *_machines(subject, campaign)):
            parts[shard.generation].append(shard)
    for kind, some in ((Kind.EXPLORE, _explorations), (Kind.MUTANTS, _mutants), (Kind.PROVE, _proofs)):
        if kind in kinds:
            parts[1] += some(subject, campaign)
    number, numbered = 0, list[list[Shard]]()
    for generation, shards in enumerate(part for part in parts if part):
        numbered.append([replace(shard, number=number + k, generation=generation, plan=plan) for k, shard in enumerate(shards)])
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
        generation = _generation(k, len(starts))
        kind = Kind.GUIDED if campaign.guided and generation and k % 2 else Kind.SEARCH
        yield Shard(0, generation, kind, first, len(part), operations=operations)


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


def _explorations(subject: Subject, campaign: Campaign) -> Iterator[Shard]:
    """Yield one shard for each scope that the subject serves, policy and page size."""
    from radixcheck.verification.explore.scopes import SCOPES

    if not subject.supports.here:
        raise UsageError(f"{subject.name} runs in another process, where explore cannot go back: leave --kind explore out")
    sizes = [size for size in EXPLORED_SIZES if size in campaign.bounds.page_sizes] or campaign.bounds.page_sizes[:1]
    for name, policy, size in product(SCOPES, campaign.bounds.policies, sizes):
        if SCOPES[name].served_by(subject.supports):
            yield Shard(0, 1, Kind.EXPLORE, name=name, policy=policy, page_size=size)


def _mutants(subject: Subject, campaign: Campaign) -> Iterator[Shard]:
    """Yield one shard for each mutant."""
    from radixcheck.verification.mutants.all_mutants import MUTANTS

    return (Shard(0, 1, Kind.MUTANTS, name=name) for name in MUTANTS)


def _proofs(subject: Subject, campaign: Campaign) -> Iterator[Shard]:
    """Yield the conditions of the proofs, some at a time."""
    from radixcheck.verification.proofs.prove import cells
    from radixcheck.verification.review_6907.proof_suite import PROOFS

    names = list(cells(PROOFS))
    return (Shard(0, 1, Kind.PROVE, name="\n".join(names[i : i + CELLS_MAX])) for i in range(0, len(names), CELLS_MAX))


def guided(shard: Shard, reached: Coverage) -> Shard:
    """Return a shard with the runs from which it goes on, drawn from those that first reached each mark; another shard as it is."""
    if shard.kind != Kind.GUIDED:
        return shard
    origins = list(dict.fromkeys(origin for origin in reached.reached.values() if origin.operations <= FORKED_MAX))
    drawn = Random(f"guided {shard.number}").sample(origins, min(len(origins), ORIGINS_MAX))
    return replace(shard, origins=tuple(drawn))
