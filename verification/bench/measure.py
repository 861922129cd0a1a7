"""Runs the workers, one process per cache and repetition. Repetitions are interleaved: a drift of the machine affects all caches."""

import os
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

from radixcheck.verification.bench import worker
from radixcheck.verification.bench.bench_data import OURS, Cache, Job
from radixcheck.verification.bench.bench_results import Measurement, Results, Trouble
from radixcheck.verification.core.timeouts import Timeout
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.remote.process import Process, SubjectLost

WORKER = Path(worker.__file__)
JOB_SECONDS = 600.0  # after this time a worker hangs
START_SECONDS = 600.0  # a cache may have to be compiled first
AT_ONCE = 2  # processes that start at the same time; only one of them measures at a time
CLOCK = "processor time of the thread, less the cost of reading it"
Progress = Callable[[float, str], None]


def measure(
    caches: Sequence[Cache], jobs: Sequence[Job], repetitions: int, python: str, progress: Progress, job_seconds: float = JOB_SECONDS
) -> Results:
    """Run every job on every cache with this interpreter. Raise `UsageError` if there is no such interpreter."""
    if not python or shutil.which(python) is None:
        raise UsageError(f"there is no interpreter {python!r}: give the path of a Python that has torch and the caches")
    caches = [cache for cache in caches if any(job.concerns(cache) for job in jobs)]
    if not caches:
        raise UsageError(f"{', '.join(job.name for job in jobs)}: measures {OURS} only: add --cache {OURS}")
    about, start = _about(repetitions), monotonic()
    bench, share = _Bench(jobs, python, job_seconds), 1 / (repetitions * len(caches))
    for repetition in range(repetitions):
        for first in range(0, len(caches), AT_ONCE):
            done = (repetition * len(caches) + first) * share
            bench.measure(repetition, caches[first : first + AT_ONCE], progress, done, share)
    about |= bench.environment | {"seconds": monotonic() - start, "load after": os.getloadavg()[0]}
    found = (bench.versions, bench.missing, bench.unsupported, tuple(bench.measurements), tuple(bench.troubles))
    return Results(caches, jobs, about, *found)


def _within(progress: Progress, start: float, size: float) -> Progress:
    """Return the progress of a part of the whole."""
    return lambda share, what: progress(start + share * size, what)


@dataclass(frozen=True, slots=True)
class _Started:
    """A worker that is ready for its first job, or the reason why there is none."""

    cache: Cache
    process: Process | None
    answer: Mapping[str, Any]  # `version`, or what is `missing` or `failed`


class _Bench:
    """Runs workers, and collects their answers."""

    def __init__(self, jobs: Sequence[Job], python: str, job_seconds: float) -> None:
        self._jobs, self._python, self._job_seconds = jobs, python, job_seconds
        self.environment: dict[str, str] = {}
        self.versions: dict[str, str] = {}
        self.missing: dict[str, str] = {}
        self.unsupported: dict[str, dict[str, str]] = {}
        self.measurements: list[Measurement] = []
        self.troubles: list[Trouble] = []

    def measure(self, repetition: int, caches: Sequence[Cache], progress: Progress, done: float, share: float) -> None:
        """Run all jobs once on each of these caches. `done` is the progress so far, `share` that of one cache."""
        present = [cache for cache in caches if cache.name not in self.missing]
        progress(done, "starting " + ", ".join(cache.name for cache in present))
        with ThreadPoolExecutor(AT_ONCE) as threads:
            started = list(threads.map(self._start, present))
        for number, one in enumerate(started):
            self._run(repetition, one, _within(progress, done + number * share, share))

    def _start(self, cache: Cache) -> _Started:
        process = None
        try:
            process = Process((self._python, "-W", "ignore", str(WORKER)))
            return _Started(cache, process, process.ask({"do": "make", "place": cache.place}, Timeout(START_SECONDS)))
        except SubjectLost as lost:
            return _Started(cache, process, {"failed": f"its process {lost}"})

    def _run(self, repetition: int, started: _Started, progress: Progress) -> None:
        name, answer, process = started.cache.name, started.answer, started.process
        if "missing" in answer:
            self.missing[name] = answer["missing"]
        elif "failed" in answer:
            self.troubles.append(Trouble(name, repetition, "", answer["failed"]))
        else:
            self.versions[name] = answer["version"]
            self.environment = {"python": answer["python"], "torch": answer["torch"]}
            assert process is not None
            self._run_jobs(repetition, started.cache, process, progress)
        if process is not None:
            process.lose(SubjectLost("is no longer needed"))

    def _run_jobs(self, repetition: int, cache: Cache, process: Process, progress: Progress) -> None:
        """Run all jobs in one process. If it is lost, the jobs after that are not measured."""
        for number, job in enumerate(self._jobs):
            if job.concerns(cache):
                progress(number / len(self._jobs), f"{cache.name}: {job.name}")
                message = {"do": "run", "scenario": job.scenario, "arguments": dict(job.arguments)}
                try:
                    answer = process.ask(message, Timeout(self._job_seconds))
                except SubjectLost as lost:
                    sentence = f"its process {lost}; the jobs after this one were not measured"
                    self.troubles.append(Trouble(cache.name, repetition, job.name, sentence))
                    return
                self._record(repetition, cache.name, job.name, answer)

    def _record(self, repetition: int, cache: str, job: str, answer: Mapping[str, Any]) -> None:
        if "figures" in answer:
            self.measurements.append(Measurement(cache, repetition, job, answer["figures"], answer["seconds"]))
        elif "failed" in answer:
            self.troubles.append(Trouble(cache, repetition, job, answer["failed"]))
        else:
            self.unsupported.setdefault(cache, {})[job] = answer.get("unsupported") or answer["missing"]


def _about(repetitions: int) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "load before": os.getloadavg()[0],
        "clock": CLOCK,
        "repetitions": repetitions,
    }
