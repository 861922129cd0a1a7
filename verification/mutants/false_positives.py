"""False positives: correct caches under many configurations and seeds. Anything found is a fault of the checker or of the cache."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from typing import Any

from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.page_sizes import drawn_from
from radixcheck.verification.core.subject import Factory, Subject
from radixcheck.verification.core.workers import workers_for
from radixcheck.verification.mutants.mutant_results import Cleared, Place, Stretch
from radixcheck.verification.protocol import Setup
from radixcheck.verification.search.run import random_run
from radixcheck.verification.search.search_results import Bounds
from radixcheck.verification.stretch.dimensions import ALL_FROM, planned
from radixcheck.verification.stretch.stretch import stretched

SUBJECTS = ("reference", "optimized", "model", "reference-host", "optimized-host", "model-host")
STEPS = 60  # of a run, with every formula after every step
SEEDS = 200
AT_ONCE = 20  # seeds of one task
STRETCH_EVERY = 100  # seeds: for each so many the stretch phase is run once
STRETCH = Stretch(len(planned(ALL_FROM)))
Part = tuple[str, Place | Stretch, RunResult]  # of one subject


PLACES = (
    Place("lru", 1, 6, namespaces=True),
    Place("lru", 16, 16, namespaces=False),
    Place("lfu", 2, 10, namespaces=False),
    Place("fifo", 16, 4, namespaces=True),
    Place("filo", 1, 24, namespaces=False),
    Place("mru", 2, 6, namespaces=True),
    Place("mru", 1, 4, namespaces=False),
    Place("slru", 1, 10, namespaces=True),
    Place("priority", 64, 6, namespaces=True),
    Place("priority", 2, 24, namespaces=True),
)
HOST_PLACES = (  # of caches with a host tier, beside the others
    Place("lru", 1, 2, False, 2, "write_through"),
    Place("fifo", 2, 6, True, 3, "write_through"),
    Place("slru", 16, 10, True, 12, "write_through"),
    Place("mru", 1, 4, True, 2, "write_through_selective"),
    Place("lru", 2, 6, False, 8, "write_through_selective"),
    Place("priority", 1, 16, True, 6, "write_through_selective"),
    Place("lfu", 1, 2, True, 3, "write_back"),
    Place("lru", 16, 4, False, 2, "write_back"),
    Place("filo", 2, 10, True, 16, "write_back"),
)


def places_of(subject: Subject) -> tuple[Place, ...]:
    """Return the configurations in which a cache is run."""
    return PLACES + (HOST_PLACES if subject.supports.modes else ())


@dataclass(frozen=True)
class Without:
    """The factory of a cache that does not declare its namespaces."""

    subject: Subject

    def __call__(self, setup: Setup) -> Any:
        """Return a fresh cache."""
        made = self.subject(setup)
        made.supports = replace(made.supports, namespaces=False)
        return made


def clear_all(subjects: Sequence[Subject], seeds: int = SEEDS, progress: Callable[[Cleared], None] = lambda _: None) -> tuple[Cleared, ...]:
    """Run every subject in every configuration with seeds 0, 1, ..., and past the thresholds of the stretch phase with some of them.

    `progress` is called with each part.
    """
    places: list[tuple[str, Place | Stretch]] = [(subject.name, place) for subject in subjects for place in places_of(subject)]
    far = [(subject.name, STRETCH) for subject in subjects if seeds >= STRETCH_EVERY]
    total = {key: RunResult() for key in [*places, *far]}
    for name, place, part in _parts(subjects, seeds):
        total[name, place].merge(part)
        progress(_cleared(name, place, part))
    return tuple(_cleared(*key, result) for key, result in total.items())


def _cleared(name: str, place: Place | Stretch, result: RunResult) -> Cleared:
    missed = tuple(dimension for dimension, reach in result.reaches.items() if reach.reached < reach.target)
    return Cleared(name, place, result.runs, result.steps, result.found, missed)


def _parts(subjects: Sequence[Subject], seeds: int) -> Iterator[Part]:
    tasks = [(s, p, first, min(AT_ONCE, seeds - first)) for first in range(0, seeds, AT_ONCE) for s in subjects for p in places_of(s)]
    far = [(s, name, seed) for seed in range(seeds // STRETCH_EVERY) for s in subjects for name in planned(ALL_FROM)]
    with workers_for(*subjects) as pool:
        futures = [*(pool.submit(clear_stretch, *task) for task in far), *(pool.submit(clear, *task) for task in tasks)]
        for future in as_completed(futures):
            yield future.result()


def clear_stretch(subject: Subject, dimension: str, seed: int) -> Part:
    """Take one dimension past its thresholds."""
    bounds = Bounds(tuple(subject.supports.policies), tuple(drawn_from(subject.supports.page_sizes)))
    return subject.name, STRETCH, stretched(subject, dimension, bounds, seed)


def clear(subject: Subject, place: Place, first: int, seeds: int) -> Part:
    """Run some seeds. Every run is repeated on a second replica; with odd seeds it also makes calls outside the guards."""
    factory: Factory = subject if place.namespaces else Without(subject)
    runs = (random_run(factory, place.config, seed, STEPS, 1, misused=seed % 2 == 1, replicated=1) for seed in range(first, first + seeds))
    return subject.name, place, RunResult.of(runs)
