"""How reliably the state machine finds each mutant: the share of seeds with which it does, in a search of a given length."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from statistics import median
from time import perf_counter

from radixcheck.verification.core.workers import workers
from radixcheck.verification.mutants.detectors import DETECTORS
from radixcheck.verification.mutants.named import mutant
from radixcheck.verification.search.run import RunResult

SHARE = 0.95  # of the seeds, that a search must find a mutant with


@dataclass(frozen=True, slots=True)
class Reliability:
    """How one mutant fared."""

    name: str
    wanted: str  # the property that must catch it
    directed: str  # what finds it instead, where chance cannot
    operations: tuple[int | None, ...]  # with each seed, until the property was broken; None: it was not
    seconds: float

    @property
    def found(self) -> int:
        """With how many seeds it was found."""
        return sum(operations is not None for operations in self.operations)

    @property
    def median(self) -> float | None:
        """Operations, with the seeds that found it."""
        found = [operations for operations in self.operations if operations is not None]
        return median(found) if found else None

    @property
    def reliable(self) -> bool:
        """Whether it was found with enough of the seeds, or the catalogue says what finds it."""
        return self.found >= SHARE * len(self.operations) or bool(self.directed)


def measure_all(names: Sequence[str], seeds: int, told: Callable[[Reliability], None] = lambda _: None) -> tuple[Reliability, ...]:
    """Every named mutant with seeds 0, 1, ... `told` is called with each as soon as it is measured."""
    found: dict[str, Reliability] = {}
    for measured in _measured(names, seeds):
        found[measured.name] = measured
        told(measured)
    return tuple(found[name] for name in names)


def _measured(names: Sequence[str], seeds: int) -> Iterator[Reliability]:
    if len(names) == 1:
        yield measure(names[0], seeds)
        return
    with workers() as pool:
        for future in as_completed([pool.submit(measure, name, seeds) for name in names]):
            yield future.result()


def measure(name: str, seeds: int) -> Reliability:
    """One mutant."""
    start, wrong = perf_counter(), mutant(name)
    operations = tuple(_found(name, seed) for seed in range(seeds))
    return Reliability(name, wrong.property, wrong.directed, operations, perf_counter() - start)


def _found(name: str, seed: int) -> int | None:
    wrong, result = mutant(name), RunResult()
    for part in DETECTORS["machine"].search(wrong, seed):
        result.merge(part)
    return result.after.get(wrong.property)
