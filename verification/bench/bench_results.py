"""The results of a run of the benchmark. Importing this module loads no cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from radixcheck.verification.bench.bench_data import SCENARIOS, Cache, Job
from radixcheck.verification.bench.figures import Figure, Ratios, ratios
from radixcheck.verification.core.status import Status


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
