"""How reliably the state machine finds each mutant: the share of seeds with which it does, in a search of a given length."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from time import perf_counter

from radixcheck.verification.core.workers import workers
from radixcheck.verification.mutants.detectors import DETECTORS
from radixcheck.verification.mutants.mutant_results import Reliability
from radixcheck.verification.mutants.named import mutant
from radixcheck.verification.search.run import RunResult


def measure_all(names: Sequence[str], seeds: int, progress: Callable[[Reliability], None] = lambda _: None) -> tuple[Reliability, ...]:
    """Measure the named mutants with seeds 0, 1, ... `progress` is called with each result."""
    found: dict[str, Reliability] = {}
    for measured in _measured(names, seeds):
        found[measured.name] = measured
        progress(measured)
    return tuple(found[name] for name in names)


def _measured(names: Sequence[str], seeds: int) -> Iterator[Reliability]:
    if len(names) == 1:
        yield measure(names[0], seeds)
        return
    with workers() as pool:
        for future in as_completed([pool.submit(measure, name, seeds) for name in names]):
            yield future.result()


def measure(name: str, seeds: int) -> Reliability:
    """Measure one mutant with seeds 0, 1, ..., seeds - 1."""
    start, wrong = perf_counter(), mutant(name)
    operations = tuple(_found(name, seed) for seed in range(seeds))
    return Reliability(name, wrong.property, wrong.directed, operations, perf_counter() - start)


def _found(name: str, seed: int) -> int | None:
    wrong, result = mutant(name), RunResult()
    for part in DETECTORS["machine"].search(wrong, seed):
        result.merge(part)
    return result.after.get(wrong.property)
