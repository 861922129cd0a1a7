"""False positives: correct caches under many configurations and seeds. Anything found is a fault of the checker or of the cache."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass, replace
from typing import Any

from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory, Subject
from radixcheck.verification.core.workers import workers_for
from radixcheck.verification.protocol import Setup
from radixcheck.verification.search.run import RunResult, random_run

SUBJECTS = ("reference", "optimized", "model")
STEPS = 60  # of a run, with every formula after every step
SEEDS = 200
AT_ONCE = 20  # seeds of one task


@dataclass(frozen=True, slots=True)
class Place:
    """One configuration: page size, policy, size of the pool, and whether keys have namespaces."""

    policy: str
    page_size: int  # tokens
    pages: int  # of the pool
    namespaces: bool

    @property
    def config(self) -> Config:
        """As runs know it."""
        return Config(self.policy, self.page_size, self.pages * self.page_size)

    def __str__(self) -> str:
        return f"{self.config}, {'namespaces' if self.namespaces else 'one namespace'}"


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


@dataclass(frozen=True, slots=True)
class Cleared:
    """What became of one cache in one configuration."""

    subject: str
    place: Place
    result: RunResult


@dataclass(frozen=True)
class Without:
    """The factory of a cache that does not declare its namespaces."""

    subject: Subject

    def __call__(self, setup: Setup) -> Any:
        """Make one."""
        made = self.subject(setup)
        made.supports = replace(made.supports, namespaces=False)
        return made


def clear_all(subjects: Sequence[Subject], seeds: int = SEEDS, progress: Callable[[Cleared], None] = lambda _: None) -> tuple[Cleared, ...]:
    """Run every subject in every place with seeds 0, 1, ... `progress` is called with each part that is done."""
    whole = {(subject.name, place): RunResult() for subject in subjects for place in PLACES}
    for part in _parts(subjects, seeds):
        whole[part.subject, part.place].merge(part.result)
        progress(part)
    return tuple(Cleared(*key, result) for key, result in whole.items())


def _parts(subjects: Sequence[Subject], seeds: int) -> Iterator[Cleared]:
    tasks = [(s, p, first, min(AT_ONCE, seeds - first)) for first in range(0, seeds, AT_ONCE) for s in subjects for p in PLACES]
    with workers_for(*subjects) as pool:
        for future in as_completed([pool.submit(clear, *task) for task in tasks]):
            yield future.result()


def clear(subject: Subject, place: Place, first: int, seeds: int) -> Cleared:
    """Some seeds; every run is repeated on a second replica, every second one makes wrong calls too."""
    factory: Factory = subject if place.namespaces else Without(subject)
    runs = (random_run(factory, place.config, seed, STEPS, 1, misused=seed % 2 == 1, replicated=1) for seed in range(first, first + seeds))
    return Cleared(subject.name, place, RunResult.of(runs))
