"""Runs the workers: each repetition of each cache in a process of its own, repetitions interleaved, so that a machine's drift meets all."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from radixcheck.verification.bench import worker
from radixcheck.verification.bench.figures import Figure, Ratios, ratios
from radixcheck.verification.bench.plan import OURS, SCENARIOS, Cache, Job
from radixcheck.verification.core.status import Status
from radixcheck.verification.core.timeouts import Patience
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.remote.process import Process, SubjectLost

WORKER = Path(worker.__file__)
JOB_SECONDS = 600.0  # of one job: after that the worker hangs
START_SECONDS = 600.0  # a cache may have to be compiled first
AT_ONCE = 2  # processes that start side by side; of those that measure there is one at a time
CLOCK = "processor time of the thread, less the cost of reading it"
Progress = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one job in one process gave."""

    cache: str
    repetition: int
    job: str
    figures: Mapping[str, float]
    seconds: float  # that it took in all, by wall clock


@dataclass(frozen=True, slots=True)
class Trouble:
    """A worker that died, hung or failed a check: what it measured of this job means nothing."""

    cache: str
    repetition: int
    job: str  # empty: before the first
    sentence: str


@dataclass
class Results:
    """Everything that was measured, and what was not."""

    caches: Sequence[Cache]
    jobs: Sequence[Job]
    about: dict[str, Any]
    versions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    unsupported: dict[str, dict[str, str]] = field(default_factory=dict)  # by cache and job
    measurements: list[Measurement] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)

    @property
    def status(self) -> Status:
        """HOLDS if something was measured and every measurement is complete."""
        return Status.HOLDS if self.measurements and not self.troubles else Status.UNDECIDED

    def figures(self, job: str) -> dict[str, dict[str, Figure]]:
        """Of each cache that was measured: its figures by name."""
        found: dict[str, dict[str, Figure]] = {}
        for cache in self.caches:
            runs = [one.figures for one in self.measurements if (one.cache, one.job) == (cache.name, job)]
            if runs:
                found[cache.name] = {name: Figure.of(run[name] for run in runs if name in run) for name in runs[0]}
        return found

    def ratios(self, job: Job) -> dict[str, dict[str, Ratios]]:
        """For each figure that is compared: those of each cache."""
        found, peers = self.figures(job.name), [cache.name for cache in self.caches if cache.is_peer]
        return {
            name: ratios({cache: figures[name].median for cache, figures in found.items() if name in figures}, peers)
            for name in SCENARIOS[job.scenario].compared
        }

    def to_json(self) -> dict[str, Any]:
        """All of it: every measurement, and what it comes to."""
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


def measure(
    caches: Sequence[Cache], jobs: Sequence[Job], repetitions: int, python: str, progress: Progress, job_seconds: float = JOB_SECONDS
) -> Results:
    """Run every job on every cache under this interpreter. Raises `UsageError` if there is none such."""
    if not python or shutil.which(python) is None:
        raise UsageError(f"there is no interpreter {python!r}: give the path of a Python that has torch and the caches")
    caches = [cache for cache in caches if any(job.concerns(cache) for job in jobs)]
    if not caches:
        raise UsageError(f"{', '.join(job.name for job in jobs)}: measures {OURS} only: add --cache {OURS}")
    results = Results(caches, jobs, _about(repetitions))
    start, parts = monotonic(), repetitions * len(caches)
    for repetition in range(repetitions):
        for first in range(0, len(caches), AT_ONCE):
            some = [cache for cache in caches[first : first + AT_ONCE] if cache.name not in results.missing]
            done = (repetition * len(caches) + first) / parts
            progress(done, "starting " + ", ".join(cache.name for cache in some))
            with ThreadPoolExecutor(AT_ONCE) as threads:
                started = list(threads.map(lambda cache: _started(cache, python), some))
            for number, one in enumerate(started):
                _measured(results, repetition, one, _within(progress, done + number / parts, 1 / parts), job_seconds)
    results.about |= {"seconds": monotonic() - start, "load after": os.getloadavg()[0]}
    return results


def _within(progress: Progress, start: float, size: float) -> Progress:
    """The progress of a part."""
    return lambda share, what: progress(start + share * size, what)


@dataclass(frozen=True, slots=True)
class Started:
    """A worker that waits for its first job, or why there is none."""

    cache: Cache
    process: Process | None
    said: Mapping[str, Any]  # `version`, or what is `missing` or `failed`


def _started(cache: Cache, python: str) -> Started:
    process = None
    try:
        process = Process((python, "-W", "ignore", str(WORKER)))
        return Started(cache, process, process.ask({"do": "make", "place": cache.place}, Patience(START_SECONDS)))
    except SubjectLost as lost:
        return Started(cache, process, {"failed": f"its process {lost}"})


def _measured(results: Results, repetition: int, started: Started, progress: Progress, job_seconds: float) -> None:
    """All jobs in one process. Where it is lost, the rest of what it was to do is not measured."""
    name, said, process, doing = started.cache.name, started.said, started.process, ""
    if "missing" in said:
        results.missing[name] = said["missing"]
    elif "failed" in said:
        results.troubles.append(Trouble(name, repetition, "", said["failed"]))
    else:
        results.versions[name] = said["version"]
        results.about |= {"python": said["python"], "torch": said["torch"]}
        assert process is not None
        try:
            for number, job in enumerate(results.jobs):
                if job.concerns(started.cache):
                    doing = job.name
                    progress(number / len(results.jobs), f"{name}: {doing}")
                    message = {"do": "run", "scenario": job.scenario, "arguments": dict(job.arguments)}
                    _filed(results, name, repetition, doing, process.ask(message, Patience(job_seconds)))
        except SubjectLost as lost:
            results.troubles.append(Trouble(name, repetition, doing, f"its process {lost}; what was to come after was not measured"))
    if process is not None:
        process.lose(SubjectLost("has done its work"))


def _filed(results: Results, cache: str, repetition: int, job: str, said: Mapping[str, Any]) -> None:
    """One answer."""
    if "figures" in said:
        results.measurements.append(Measurement(cache, repetition, job, said["figures"], said["seconds"]))
    elif "failed" in said:
        results.troubles.append(Trouble(cache, repetition, job, said["failed"]))
    else:
        results.unsupported.setdefault(cache, {})[job] = said.get("unsupported") or said["missing"]


def _about(repetitions: int) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load before": os.getloadavg()[0],
        "clock": CLOCK,
        "repetitions": repetitions,
    }
