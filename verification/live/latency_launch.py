"""Starts an engine with one cache, serves series of requests one after another, and times them. A lost engine is a result."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from radixcheck.verification.core.timeouts import Timeout
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.live.latency_results import Conversion, Series, Timed
from radixcheck.verification.live.launch import ROUND_SECONDS, START_SECONDS, Settings, last_error, started
from radixcheck.verification.live.workload import Conversations, Load
from radixcheck.verification.remote.process import Process, SubjectLost

PLUGIN = "radixcheck.verification.live.engine_latency"
METER = "RADIXCHECK_METER"  # as `call_meter` names it, which runs elsewhere
# The engine's check of its pool after every step costs time, and is left out here.
UNCHECKED = {"SGLANG_ENABLE_STRICT_MEM_CHECK_DURING_BUSY": "0"}
CONVERT_SECONDS = 3_600.0  # with the comparison, on a busy machine
WARM_SEED, WARM_REQUESTS = 1_000_003, 4  # other requests, which are not timed


@dataclass(frozen=True, slots=True)
class Run:
    """What is served in one engine."""

    settings: Settings
    cache: str
    loads: tuple[Load, ...]  # each with one request at a time
    repetition: int
    folder: Path


def convert(python: str, path: Path, folder: Path, prompts: int, seed: int) -> Conversion | None:
    """Let the engine's Python convert the model of the package that it has, and compare it; None if it has no such package.

    Raise UsageError if it cannot.
    """
    try:
        process = started(python)
        message = {"do": "convert", "path": [str(path)], "file": None, "folder": str(folder), "prompts": prompts, "seed": seed}
        answer = process.ask(message, Timeout(CONVERT_SECONDS))
    except SubjectLost as lost:
        raise UsageError(f"{python} cannot convert the model: it {lost}; give a model of your own, by --model") from lost
    process.lose(SubjectLost("is no longer needed"))
    if answer["file"] is None:
        return None
    return Conversion(Path(answer["file"]).name, answer["prompts"], answer["equal"], answer["largest_difference"])


def served(run: Run, progress: Callable[[int], None]) -> tuple[list[Series], str]:
    """Serve all series in one engine; return them, and the version of the engine."""
    log = run.folder / f"{run.cache}-{run.repetition}.log"
    engine = run.settings.engine(run.cache) | {"radix_cache_backend": f"timed-{run.cache}"}
    variables = UNCHECKED | {METER: str(log.with_suffix(".meter"))}
    message = {"do": "start", "path": [str(run.folder / "path")], "log": str(log), "engine": engine, "environment": variables}
    done: list[Series] = []
    version = ""
    try:
        process = started(run.settings.python)
        version = process.ask(message, Timeout(START_SECONDS))["version"]
        _serve(process, replace(run.loads[0], requests=WARM_REQUESTS, seed=WARM_SEED), lambda _: None)
        process.ask({"do": "flush"}, Timeout(ROUND_SECONDS))
        for load in run.loads:
            before = sum(len(series.served) for series in done)
            timed = _serve(process, load, partial(_add, progress, before))
            spent = process.ask({"do": "flush"}, Timeout(ROUND_SECONDS))
            done.append(Series(run.cache, load.requests, run.repetition, tuple(timed), spent["calls"], spent["nanoseconds"] / 1_000))
        process.ask({"do": "end"}, Timeout(ROUND_SECONDS))
        process.lose(SubjectLost("is no longer needed"))
    except SubjectLost as error:
        lost = f"the engine {error}{last_error(log)}"
        done += [Series(run.cache, load.requests, run.repetition, (), lost=lost) for load in run.loads[len(done) :]]
    return done, version


def _serve(process: Process, load: Load, progress: Callable[[int], None]) -> Sequence[Timed]:
    """Serve one workload, request by request."""
    talks, timed = Conversations(load), list[Timed]()
    while prompts := talks.round():
        (prompt,) = prompts
        answer: dict[str, Any] = process.ask({"do": "timed", "prompt": prompt, "tokens": load.answer_tokens}, Timeout(ROUND_SECONDS))
        first, total = (1_000 * answer[name] for name in ("first", "seconds"))
        timed.append(Timed(len(prompt), answer["cached"], tuple(answer["tokens"]), first, total))
        talks.answered([answer["tokens"]])
        progress(len(timed))
    return timed


def _add(progress: Callable[[int], None], before: int, count: int) -> None:
    progress(before + count)
