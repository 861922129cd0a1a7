"""Not a test: measures how many random operations find a mutant, with and without guidance by coverage.

    python tests/guidance.py [--seeds N] [--most OPERATIONS] [MUTANT ...]

Without names it takes the mutants that random runs find last, of those that they find at all within so many operations; that takes long.
Both searches make the same first generation. Then the guided one goes on from what was reached in every second slice, as a campaign does.
"""

import argparse
from collections.abc import Iterator
from statistics import mean, median

from radixcheck.verification.campaign.perform import guided_runs
from radixcheck.verification.campaign.plan_shards import GENERATIONS, guided
from radixcheck.verification.campaign.shard import Campaign, Kind, Shard
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.declared import declared
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.mutants.mutant import Mutant
from radixcheck.verification.protocol import Setup
from radixcheck.verification.search.search_plan import slice_task
from radixcheck.verification.search.search_results import Bounds

SLOWEST = 20
FIRST = 2  # slices of the first generation


def subject_of(mutant: Mutant) -> Subject:
    """The cache of a mutant."""
    made = mutant.factory(Setup(1, "lru", WatchedPool(64, 1), "cpu"))
    return Subject(mutant.name, mutant.factory, declared(made), hasattr(made, "observe"), portable=False)


def parts(subject: Subject, campaign: Campaign, slices: int, guide: bool) -> Iterator[RunResult]:
    """Yield the results of each slice, in generations of a growing number of slices."""
    so_far, number = RunResult(), 0
    per_generation = max(1, (slices - FIRST) // (GENERATIONS - 1))
    while number < slices:
        reached = so_far.coverage
        generation = range(number, min(slices, number + (per_generation if number else FIRST)))
        results = []
        for k in generation:
            if guide and number and k % 2:
                results.append(RunResult.of(guided_runs(subject, campaign, guided(Shard(k, 1, Kind.GUIDED, k), reached))))
            else:
                results.append(slice_task(subject, campaign.bounds, k, covered=True)())
            yield results[-1]
        so_far.merge(RunResult.of(results))
        number = generation.stop


def operations_to_find(mutant: Mutant, seed: int, most: int, guide: bool) -> int | None:
    """The operations until the property of a mutant is broken; None: it is not within so many."""
    subject, result = subject_of(mutant), RunResult()
    bounds = Bounds(subject.supports.policies, (1, 2, 4), seed=seed, operations=most, modes=subject.supports.modes, misused=True)
    for part in parts(subject, Campaign.of(mutant.name, bounds), most // 960, guide):
        result.merge(part)
        if result.broken(mutant.property):
            return result.after.get(mutant.property, result.steps)
    return None


def slowest(most: int) -> list[str]:
    """The mutants that unguided runs find last."""
    found = {name: operations_to_find(mutant, 0, most, guide=False) for name, mutant in MUTANTS.items()}
    return sorted((name for name, operations in found.items() if operations), key=lambda name: -(found[name] or 0))[:SLOWEST]


def main() -> None:
    """Print a row for each mutant."""
    given = argparse.ArgumentParser()
    given.add_argument("names", nargs="*")
    given.add_argument("--seeds", type=int, default=5)
    given.add_argument("--most", type=int, default=60_000)
    chosen = given.parse_args()
    print(f"operations until it is found, in {chosen.seeds} runs; where it is not found they count as {chosen.most:,}")
    print(f"{'mutant':34} {'unguided: median':>18} {'mean':>8} {'guided: median':>18} {'mean':>8}")
    for name in chosen.names or slowest(chosen.most):
        row = name.ljust(34)
        for guide in (False, True):
            each = [operations_to_find(MUTANTS[name], seed, chosen.most, guide) or chosen.most for seed in range(chosen.seeds)]
            row += f" {median(each):>18,.0f} {mean(each):>8,.0f}"
        print(row, flush=True)


if __name__ == "__main__":
    main()
