"""The job of `radixcheck live --latency`: how long requests take with each cache, in live engines one after another."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.sources import digest
from radixcheck.verification.core.status import Verdict, worst
from radixcheck.verification.live.doctor import found_interpreter
from radixcheck.verification.live.latency_launch import PLUGIN, Run, convert, served
from radixcheck.verification.live.latency_results import REPEAT_MIN, Conversion, LatencyOutcome, Measured, Series
from radixcheck.verification.live.launch import DEFAULT, NO_CACHE, Settings, make_model, plugin_folder, vocabulary_of
from radixcheck.verification.live.live_results import Check
from radixcheck.verification.live.workload import Load
from radixcheck.verification.review_6907.latency_claims import LIMITS, decided

CACHES = (DEFAULT, "classic", "radixcheck", NO_CACHE)
COUNTS = (12, 120)  # requests: as many as the author's, and ten times as many
REPEAT = REPEAT_MIN
PROMPTS = 200  # on which a converted model is compared
HOW = (
    "one request at a time; a new engine for each cache and repetition, interleaved; clock on the wall at the caller; cache: processor time"
)


@dataclass(frozen=True, slots=True)
class LatencyRequest:
    """What to measure."""

    python: str
    model: str | None = None  # None: that of the package which the interpreter has, or else the tiny one
    caches: tuple[str, ...] = CACHES
    counts: tuple[int, ...] = COUNTS
    page_size: int = 1
    pool: int = 6_144
    policy: str = "lru"
    overlap: bool = True
    repeat: int = REPEAT
    seed: int = 0


@dataclass(frozen=True, slots=True)
class _Model:
    """What the engines load."""

    folder: str
    title: str
    conversion: Conversion | None


def checks(series: Sequence[Series], page_size: int, repeat: int) -> Iterator[Check]:
    """Check that each cache has served all, hit, given the tokens that no cache gives, and done the same in each repetition."""
    for name, group in _groups(series).items():
        lost = next((one.lost for one in group if one.lost), "")
        if lost:
            yield Check(name, page_size, "runs to its end", Verdict.UNDECIDED, lost)
            continue
        yield _hits(name, page_size, group)
        yield _same(name, page_size, series, group)
        calls = sum(one.calls for one in group)
        verdict = Verdict.TESTED if all(one.calls for one in group) else Verdict.NOT_EXERCISED
        yield Check(name, page_size, "timed", verdict, f"{calls:,} calls of the cache were timed")
        verdict = Verdict.TESTED if repeat >= REPEAT_MIN else Verdict.NOT_EXERCISED
        yield Check(name, page_size, "repetitions", verdict, f"{repeat}; a difference needs {REPEAT_MIN}")


def _groups(series: Sequence[Series]) -> dict[str, list[Series]]:
    return {name: [one for one in series if one.cache == name] for name in dict.fromkeys(one.cache for one in series)}


def _hits(name: str, page_size: int, group: Sequence[Series]) -> Check:
    cached = sum(timed.cached for one in group for timed in one.served)
    text = f"{cached:,} tokens of {sum(len(one.served) for one in group):,} requests were cached"
    if name == NO_CACHE:
        return Check(name, page_size, "hits nothing", Verdict.REFUTED if cached else Verdict.TESTED, text)
    return Check(name, page_size, "hits", Verdict.TESTED if cached else Verdict.NOT_EXERCISED, text)


def _same(name: str, page_size: int, series: Sequence[Series], group: Sequence[Series]) -> Check:
    """Compare tokens with those without a cache (or of the first cache), and hits with those of this cache's first repetition."""
    whole = sorted((one for one in series if not one.lost), key=lambda one: one.cache == NO_CACHE)
    bases, firsts = {one.count: one for one in whole}, {one.count: one for one in reversed(group)}
    other_tokens = other_hits = 0
    for one in group:
        for timed, base, first in zip(one.served, bases[one.count].served, firsts[one.count].served, strict=True):
            other_tokens += timed.tokens != base.tokens
            other_hits += timed.cached != first.cached
    than = bases[group[0].count].cache
    text = f"{other_tokens} requests get other tokens than with {than}, {other_hits} hit otherwise than in the first repetition"
    return Check(name, page_size, "the same work", Verdict.REFUTED if other_tokens or other_hits else Verdict.TESTED, text)


def _model(request: LatencyRequest, path: Path, folder: Path, progress: Progress) -> _Model:
    """Return the given model, or the converted one if it is right, or the tiny one."""
    if request.model is not None:
        vocabulary_of(request.model)
        return _Model(request.model, request.model, None)
    with progress("live") as tell:
        tell(0.0, "converting the model, and comparing it")
        conversion = convert(request.python, path, folder / "converted", PROMPTS, request.seed)
        if conversion is not None and conversion.right:
            return _Model(str(folder / "converted"), conversion.file, conversion)
        tell(0.5, "making the tiny model")
        parameters = make_model(request.python, path, folder / "model")
    why = "the converted model is wrong" if conversion else "there is no package with a model: see tests/peers/setup_live.sh"
    return _Model(str(folder / "model"), f"a Llama with {parameters:,} random weights ({why})", conversion)


def measure_latency(request: LatencyRequest, progress: Progress = silent) -> LatencyOutcome:
    """Measure, the order of caches turned by one in each repetition. Raise UsageError if there is no interpreter, or no model."""
    found_interpreter(request.python)
    series: list[Series] = []
    versions: list[str] = []
    with TemporaryDirectory(prefix="radixcheck-live-") as name:
        folder = Path(name)
        path = plugin_folder(folder / "path", PLUGIN)
        model = _model(request, path, folder, progress)
        settings = Settings(
            request.python, model.folder, request.page_size, request.pool, 1, policy=request.policy, overlap=request.overlap
        )
        load = Load(0, 1, vocabulary_of(model.folder), request.seed)
        loads = tuple(replace(load, requests=count) for count in request.counts)
        jobs = [
            (repetition, request.caches[(repetition + at) % len(request.caches)])
            for repetition in range(request.repeat)
            for at in range(len(request.caches))
        ]
        total = sum(request.counts)
        before = os.getloadavg()[0]
        with progress("latency") as tell:
            for number, (repetition, cache) in enumerate(jobs):
                what = f"repetition {repetition + 1} of {request.repeat}, {cache}"
                tell(number / len(jobs), f"{what}: starting the engine")

                def served_so_far(count: int, number: int = number, what: str = what) -> None:
                    tell((number + count / total) / len(jobs), f"{what}: {count} of {total} requests")

                some, version = served(Run(settings, cache, loads, repetition, folder), served_so_far)
                series += some
                versions.append(version)
    found = tuple(checks(series, request.page_size, request.repeat))
    measured = Measured(tuple(series))
    about = {key: value for key, value in asdict(request).items() if key not in ("python", "model")}
    about |= {"answer_tokens": load.answer_tokens, "cores": os.cpu_count(), "load_before": round(before, 2), "how": HOW}
    claims = decided(measured, worst(check.status for check in found) == 0)
    engine = f"SGLang {max(versions)}"
    return LatencyOutcome(engine, request.python, model.title, model.conversion, about, measured, found, claims, LIMITS, digest())
