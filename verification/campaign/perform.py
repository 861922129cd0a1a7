"""Performs one shard: a pure function of the sources, the campaign and the shard. It runs in a process that the shard may end."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import product
from random import Random
from time import process_time
from typing import Any

from radixcheck.verification.campaign.shard import Campaign, Kind, Shard
from radixcheck.verification.campaign.shard_result import Row, ShardResult, result_of
from radixcheck.verification.checker.hang_timer import HANG_TIMER
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.sources import digest, digest_now
from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.search.run import random_run, replay
from radixcheck.verification.search.search_plan import EXAMPLES, RUNS, STEPS, STRIDE, Task, machine_task, probe_tasks, slice_task
from radixcheck.verification.search.shrink import replicas_for
from radixcheck.verification.stretch.stretch import stretched
from radixcheck.verification.subjects.own_sources import subject_digest
from radixcheck.verification.subjects.registry import resolve

STRETCH_TIMES = 50.0  # of the usual time of a dimension: what is reached must not depend on how fast a machine is


def message(campaign: Campaign, cache_digest: str, shard: Shard) -> str:
    """Return the text that `perform_text` takes. `cache_digest`: that of the subject, as the driver has it."""
    return json.dumps({"sources": digest(), "cache": cache_digest, "campaign": campaign.to_json(), "shard": shard.to_json()})


def perform_text(text: str) -> str:
    """Perform a shard that came as text, and return the result as text. Raise UsageError if the sources here are others, or the subject."""
    data: Mapping[str, Any] = json.loads(text)
    _check_sources(data["sources"], digest())
    campaign = Campaign.from_json(data["campaign"])
    if data["cache"] != cache_digest(campaign.subject, campaign.bounds.device):
        raise UsageError(f"a worker has another {campaign.subject} than the campaign: install the same, and begin the campaign again")
    result = perform(campaign, Shard.from_json(data["shard"])).to_text()
    _check_sources(data["sources"], digest_now())  # what it has just imported may have been changed meanwhile
    return result


def _check_sources(wanted: str, found: str) -> None:
    if found != wanted:
        what = f"other sources of radixcheck, or other versions of what it draws and decides with ({found})"
        raise UsageError(f"a worker has {what} than the campaign ({wanted}): install the same, and begin the campaign again")


def perform(campaign: Campaign, shard: Shard) -> ShardResult:
    """Perform a shard. What its process did before does not matter, unless the caches of its subject share state: each run has its own."""
    start = process_time()
    HANG_TIMER.forget()
    subject = _subject(campaign.subject, campaign.bounds.device)
    result, rows = RunResult(), list[Row]()
    for part in _PERFORM[Kind(shard.kind)](subject, campaign, shard):
        if isinstance(part, Row):
            rows.append(part)
        else:
            result.merge(part)
    return result_of(shard, result, process_time() - start, rows=rows)


@cache
def _subject(name: str, device: str) -> Subject:
    return resolve(name, device)


@cache
def cache_digest(name: str, device: str) -> str:
    """Return the digest of a subject, as this process has imported it."""
    return subject_digest(_subject(name, device))


def _of_tasks(tasks: Iterator[Task]) -> Iterator[RunResult]:
    return (task() for task in tasks)


def _search(subject: Subject, campaign: Campaign, shard: Shard) -> Iterator[RunResult]:
    numbers = range(shard.first, shard.first + shard.count)
    return _of_tasks(slice_task(subject, campaign.bounds, number, covered=True) for number in numbers)


def guided_runs(subject: Subject, campaign: Campaign, shard: Shard) -> Iterator[RunResult]:
    """Yield runs that do what a kept run did up to a random operation, and go on with another seed."""
    for number, k in product(range(shard.first, shard.first + shard.count), range(RUNS if shard.origins else 0)):
        random = Random(f"{campaign.bounds.seed} {number} {k}")
        origin = random.choice(shard.origins)
        at = random.randint(1, origin.operations)
        forks = (*(fork for fork in origin.forks if fork[0] < at), (at, (campaign.bounds.seed << 32) + (number << 16) + k))
        how = (origin.config, origin.seed, at + STEPS, STRIDE, campaign.bounds.misused)
        yield random_run(subject, *how, longest=origin.longest, covered=True, forks=forks)


def _machine(subject: Subject, campaign: Campaign, shard: Shard) -> Iterator[RunResult]:
    return _of_tasks(machine_task(subject, campaign.bounds, shard.first + k * EXAMPLES) for k in range(shard.count))


def _probe(subject: Subject, campaign: Campaign, shard: Shard) -> Iterator[RunResult]:
    return _of_tasks(iter(probe_tasks(subject, campaign.bounds)[shard.first : shard.first + 1]))


def _stretch(subject: Subject, campaign: Campaign, shard: Shard) -> Iterator[RunResult]:
    yield stretched(subject, shard.name, campaign.bounds, campaign.bounds.seed, STRETCH_TIMES)


def _replay(subject: Subject, campaign: Campaign, shard: Shard) -> Iterator[RunResult]:
    return (replay(subject, recorded.config, recorded.trace, replicas_for(recorded.property)) for recorded in shard.traces)


def _explore(subject: Subject, campaign: Campaign, shard: Shard) -> Iterator[RunResult | Row]:
    from radixcheck.verification.explore.explore import explore
    from radixcheck.verification.explore.scopes import SCOPES

    explored = explore(subject, SCOPES[shard.name], shard.policy, shard.page_size)
    yield RunResult(found={found.violation.property: found for found in explored.found})
    counts = f"{explored.states:,} states, {explored.transitions:,} transitions, depth {explored.depth}"
    yield Row(f"{shard.name}, {shard.policy}, pages of {shard.page_size}", explored.verdict, counts, explored.status)


def _mutants(subject: Subject, campaign: Campaign, shard: Shard) -> Iterator[Row]:
    from radixcheck.verification.mutants.kill_matrix import PLAN, judge

    judged = judge(shard.name, replace(PLAN, seed=campaign.bounds.seed))
    by = ", ".join(cell.detector for cell in judged.cells if cell.verdict == Verdict.KILLED)
    status = {Verdict.KILLED: Status.HOLDS, Verdict.UNDECIDED: Status.UNDECIDED}
    yield Row(shard.name, judged.verdict, f"{judged.wanted}: {by or 'no detector'}", status.get(judged.verdict, Status.REFUTED))


def _prove(subject: Subject, campaign: Campaign, shard: Shard) -> Iterator[Row]:
    from radixcheck.verification.proofs.prove import decide_here
    from radixcheck.verification.review_6907.proof_suite import PROOFS

    for result in decide_here(PROOFS, shard.name.splitlines(), (campaign.bounds.seed,)):
        refuted = Status.REFUTED if result.verdict in (Verdict.PROVED, Verdict.REFUTED) else Status.UNDECIDED
        status = Status.HOLDS if result.verdict == result.expected else refuted
        yield Row(result.name, result.verdict, f"expected {result.expected}", status)


_PERFORM: dict[Kind, Callable[[Subject, Campaign, Shard], Iterator[RunResult] | Iterator[Row] | Iterator[RunResult | Row]]] = {
    Kind.SEARCH: _search,
    Kind.GUIDED: guided_runs,
    Kind.MACHINE: _machine,
    Kind.PROBE: _probe,
    Kind.STRETCH: _stretch,
    Kind.REPLAY: _replay,
    Kind.EXPLORE: _explore,
    Kind.MUTANTS: _mutants,
    Kind.PROVE: _prove,
}
