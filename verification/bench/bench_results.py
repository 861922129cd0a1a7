"""The results of a run of the benchmark: medians over repetitions, their spread, and ratios. Importing this module loads no cache."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

from radixcheck.verification.bench.bench_data import DEFAULT, FLOOR, SCENARIOS, Cache, Job
from radixcheck.verification.core.status import Status


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one cache over all repetitions."""

    median: float
    spread: float  # largest / smallest; 1 for one repetition

    @classmethod
    def of(cls, values: Iterable[float]) -> Figure:
        """Return the figure of at least one value.

        >>> Figure.of([2.0, 1.0, 4.0])
        Figure(median=2.0, spread=4.0)
        """
        listed = sorted(values)
        return cls(median(listed), listed[-1] / listed[0] if listed[0] > 0 else 1.0)


@dataclass(frozen=True, slots=True)
class Ratios:
    """A figure divided by that of others: 0.5 is half of it. None: there is no such figure."""

    best_peer: float | None
    default: float | None
    floor: float | None


def ratios(medians: Mapping[str, float], peers: Iterable[str]) -> dict[str, Ratios]:
    """Return the ratios of each cache's figure to the smallest of the peers, to SGLang's default and to the floor.

    >>> ratios({"optimized": 3.0, "sglang-rust": 6.0, "vllm": 2.0, "floor": 1.0}, ["sglang-rust", "vllm"])["optimized"]
    Ratios(best_peer=1.5, default=0.5, floor=3.0)
    """
    best = min((medians[name] for name in peers if name in medians), default=None)
    others = (best, medians.get(DEFAULT), medians.get(FLOOR))
    return {name: Ratios(*(value / other if other else None for other in others)) for name, value in medians.items()}


@dataclass(frozen=True, slots=True)
class Measurement:
    """The figures of one job in one process."""

    cache: str
    repetition: int
    job: str
    figures: Mapping[str, float]
    seconds: float  # wall-clock time of the whole job


@dataclass(frozen=True, slots=True)
class Trouble:
    """A worker that died, hung or failed a check. Its figures of this job are discarded."""

    cache: str
    repetition: int
    job: str  # empty: before the first job
    sentence: str


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that was measured, and what was not."""

    caches: Sequence[Cache]
    jobs: Sequence[Job]
    about: Mapping[str, Any]
    versions: Mapping[str, str] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    unsupported: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by cache and job
    measurements: Sequence[Measurement] = ()
    troubles: Sequence[Trouble] = ()

    @property
    def status(self) -> Status:
        """Return HOLDS if something was measured and every measurement is complete, else UNDECIDED."""
        return Status.HOLDS if self.measurements and not self.troubles else Status.UNDECIDED

    def figures(self, job: str) -> dict[str, dict[str, Figure]]:
        """Return the figures of a job by cache and name, for each cache that was measured."""
        found: dict[str, dict[str, Figure]] = {}
        for cache in self.caches:
            runs = [one.figures for one in self.measurements if (one.cache, one.job) == (cache.name, job)]
            if runs:
                found[cache.name] = {name: Figure.of(run[name] for run in runs if name in run) for name in runs[0]}
        return found

    def ratios(self, job: Job) -> dict[str, dict[str, Ratios]]:
        """Return the ratios of a job by compared figure and cache."""
        found, peers = self.figures(job.name), [cache.name for cache in self.caches if cache.is_peer]
        return {
            name: ratios({cache: figures[name].median for cache, figures in found.items() if name in figures}, peers)
            for name in SCENARIOS[job.scenario].compared
        }

    def to_json(self) -> dict[str, Any]:
        """Return every measurement, and the figures and ratios computed from them."""
        jobs = [
            {
                "job": job.name,
                "scenario": job.scenario,
                "arguments": dict(job.arguments),
                "figures": {cache: {k: asdict(v) for k, v in found.items()} for cache, found in self.figures(job.name).items()},
                "ratios": {name: {cache: asdict(r) for cache, r in of.items()} for name, of in self.ratios(job).items()},
            }
            for job in self.jobs
        ]
        return {
            "about": self.about,
            "caches": {cache.name: self.versions.get(cache.name) for cache in self.caches},
            "missing": self.missing,
            "unsupported": self.unsupported,
            "troubles": [asdict(one) for one in self.troubles],
            "jobs": jobs,
            "measurements": [asdict(one) for one in self.measurements],
            "status": self.status,
        }
