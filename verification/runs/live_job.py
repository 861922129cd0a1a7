"""The job of `radixcheck live`: the same requests through live engines, one after another, and what their answers show."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.event_streams.background_recorder import BackgroundRecorder
from radixcheck.verification.event_streams.live_source import Endpoint
from radixcheck.verification.event_streams.payload import msgpack_package, zmq_package
from radixcheck.verification.live import compare
from radixcheck.verification.live.compare import IMITATION, MISCOUNTING, SILENT, WRONG_SLOT
from radixcheck.verification.live.doctor import found_interpreter
from radixcheck.verification.live.event_checks import control_check, event_checks
from radixcheck.verification.live.launch import DEFAULT, NO_CACHE, PYTHON_CORE, Settings, live_run, make_model, plugin_folder, vocabulary_of
from radixcheck.verification.live.live_results import Check, HitCounts, LiveOutcome, LiveRun
from radixcheck.verification.live.vllm_compare import hit_counts, vllm_checks
from radixcheck.verification.live.vllm_launch import BLOCK, VLLM, VLLM_NO_CACHE, WRONG_BLOCK, VllmSettings, checked_vllm
from radixcheck.verification.live.watch_checks import caught, watch_check
from radixcheck.verification.live.workload import Load
from radixcheck.verification.watch.watch_settings import WatchSettings

ENGINES = ("sglang",)
BACKENDS = (DEFAULT, compare.CLASSIC, compare.OURS, NO_CACHE)
CHOICE = (*BACKENDS, PYTHON_CORE)
WATCHED = (PYTHON_CORE, compare.CLASSIC, compare.OURS, MISCOUNTING, WRONG_SLOT)  # backends with a watch, if there is to be one
CONTROLS = (MISCOUNTING, WRONG_SLOT)
CONTROL_REQUESTS = 64
RECORDED = (DEFAULT, compare.CLASSIC, compare.OURS, VLLM, SILENT)  # backends whose events are recorded, if any are
REQUEST_TOKENS = 400  # that the longest request of the workload has


@dataclass(frozen=True, slots=True)
class LiveRequest:
    """What to run."""

    python: str
    model: str | None = None  # None: the tiny one
    backends: tuple[str, ...] = BACKENDS
    page_sizes: tuple[int, ...] = (1, 16)
    requests: int = 240
    batch: int = 16
    pool: int = 6_144
    policy: str = "lru"
    overlap: bool = True
    controls: bool = True
    seed: int = 0
    vllm_python: str | None = None  # None: without vLLM
    events: Path | None = None  # a new folder for recordings of KV events; None: they are not recorded
    watch: Path | None = None  # a new folder for what watches of the caches find; None: they are not watched
    watch_budget: int = 50  # microseconds a call


def live_request(engine: str, python: str, backends: Sequence[str], request: LiveRequest) -> LiveRequest:
    """Check what was asked for. Raise UsageError."""
    if engine not in ENGINES:
        raise UsageError(f"--engine {engine}: no engine of this name can be started; choose {', '.join(ENGINES)}")
    found_interpreter(python)
    for name in backends:
        if name not in CHOICE:
            raise UsageError(f"--backends: no backend is named {name!r}; choose from {', '.join(CHOICE)}")
    if len(set(backends)) < len(backends) or len(backends) < 2:
        raise UsageError("--backends: name two different ones at least; a run is compared with another")
    for size in request.page_sizes:
        if size < 1 or request.pool % size:
            raise UsageError(f"--pool {request.pool} is not made of whole pages of {size}: give another --pool or --page-size")
    if request.pool < REQUEST_TOKENS * request.batch // 4:
        raise UsageError(
            f"--pool {request.pool} is too small for {request.batch} requests at a time: give a greater --pool or a smaller --batch"
        )
    if request.model is not None:
        vocabulary_of(request.model)
    if request.vllm_python is not None:
        if request.pool % BLOCK:
            raise UsageError(f"--pool {request.pool} is not made of whole blocks of {BLOCK} tokens, as vLLM needs: give another --pool")
        checked_vllm(request.vllm_python)
    return request


def _make_folders(request: LiveRequest) -> None:
    """Make the folders that there are to be. Raise UsageError, also if packages are missing that read events."""
    if request.events is not None:
        zmq_package()
        msgpack_package()
        _make_folder("--events", request.events)
    if request.watch is not None:
        _make_folder("--watch", request.watch)


def _make_folder(option: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
    except FileExistsError as error:
        raise UsageError(f"{option} {folder}: exists already, and nothing in it is overwritten; give a new folder") from error
    except OSError as error:
        raise UsageError(f"{option} {folder}: cannot be made ({error.strerror}); give another folder") from error


class _Live:
    """Runs the backends, in one temporary folder."""

    def __init__(self, request: LiveRequest, folder: Path, model: str, progress: Progress) -> None:
        self._request, self._folder, self._model, self._progress = request, folder, model, progress
        self.load = Load(request.requests, request.batch, vocabulary_of(model), request.seed)
        self.version = ""

    def run(self, backend: str, page_size: int, requests: int | None = None) -> LiveRun:
        r = self._request
        settings = Settings(r.python, self._model, page_size, r.pool, r.batch, policy=r.policy, overlap=r.overlap)
        if r.watch is not None and backend in WATCHED:
            settings = replace(settings, watch=WatchSettings(r.watch / f"{backend}-{page_size}", r.watch_budget))
        run, version = self.run_with(settings, backend, requests)
        self.version = self.version or version
        return run

    def run_with(self, settings: Settings, backend: str, requests: int | None = None) -> tuple[LiveRun, str]:
        """Run one backend of one engine; return what it gave, and the engine's version."""
        total, page_size = min(requests or self.load.requests, self.load.requests), settings.page_size
        name = f"{backend}-{page_size}.jsonl" if self._request.events is not None and backend in RECORDED else ""
        with self._recorder(name) as recorder, self._progress(f"{backend}, pages of {page_size}") as tell:
            tell(0.0, "starting the engine")
            settings = settings if recorder is None else replace(settings, events=recorder.endpoint)

            def served(count: int) -> None:
                tell(min(1.0, count / total), f"{count} of {total} requests")

            run, version = live_run(settings, backend, self.load, self._folder, served, requests, recorder)
        return replace(run, recording=name, recording_stopped="" if recorder is None else recorder.stopped), version

    def _recorder(self, name: str) -> AbstractContextManager[BackgroundRecorder | None]:
        """Return what records the events of one engine into a file of this name, if it has one."""
        if self._request.events is None or not name:
            return nullcontext()
        # Servers of one machine: over tcp on the loopback interface vLLM connects instead of binding.
        sent, again = (f"ipc://{self._folder / name}.{socket}" for socket in ("sent", "again"))
        return BackgroundRecorder(Endpoint(sent, again), self._request.events / name)

    def events(self, run: LiveRun) -> Iterator[Check]:
        """Judge the events of a run, if they were recorded and it came to its end."""
        if self._request.events is not None and run.recording and not run.lost:
            yield from event_checks(run, self.load, self._request.events / run.recording)

    def watched(self, run: LiveRun) -> Iterator[Check]:
        """Read what the watch of a run found: something in a control."""
        if self._request.watch is not None and run.backend in WATCHED:
            check = watch_check(run, self._request.watch / f"{run.backend}-{run.page_size}")
            yield caught(check) if run.backend in CONTROLS else check

    def page(self, page_size: int) -> tuple[list[LiveRun], list[Check]]:
        """Run all backends, and the controls, with pages of one size."""
        runs = {name: self.run(name, page_size) for name in self._request.backends}
        if compare.needs_imitation(runs):
            runs[IMITATION] = self.run(IMITATION, page_size)
        controls = [self.run(name, page_size, CONTROL_REQUESTS) for name in (CONTROLS if self._request.controls else ())]
        found = [*compare.checks(runs), *(check for run in runs.values() for check in (*self.events(run), *self.watched(run)))]
        for control in controls:
            found += [compare.control_check(control, runs), *self.watched(control)]
        if self._request.controls and self._request.events is not None:
            silent = self.run(SILENT, page_size, CONTROL_REQUESTS)
            controls.append(silent)
            found.append(control_check(silent, list(self.events(silent))))
        return [*runs.values(), *controls], found

    def vllm(self, python: str) -> tuple[list[LiveRun], list[Check], str]:
        """Run vLLM with its cache, without one, and with the control; return the runs, the checks, and vLLM's version."""
        settings = VllmSettings(python, self._model, BLOCK, self._request.pool, self._request.batch)
        run, version = self.run_with(settings, VLLM)
        nothing, _ = self.run_with(settings, VLLM_NO_CACHE)
        controls = [self.run_with(settings, WRONG_BLOCK, CONTROL_REQUESTS)[0]] if self._request.controls else []
        return [run, nothing, *controls], [*vllm_checks(run, nothing, controls, self.load), *self.events(run)], version


def live(request: LiveRequest, progress: Progress = silent) -> LiveOutcome:
    """Run everything. Raise UsageError if the tiny model cannot be made, or a folder."""
    _make_folders(request)
    with TemporaryDirectory(prefix="radixcheck-live-") as name:
        folder = Path(name)
        path = plugin_folder(folder / "path")
        model = request.model
        if model is None:
            with progress("live") as tell:
                tell(0.0, "making the model")
                parameters = make_model(request.python, path, folder / "model")
            model, title = str(folder / "model"), f"a Llama with {parameters:,} random weights"
        else:
            title = model
        live_ = _Live(request, folder, model, progress)
        runs, found = [], []
        for page_size in request.page_sizes:
            some, checks = live_.page(page_size)
            runs += some
            found += checks
        counted: tuple[HitCounts, ...] = ()
        engine = f"SGLang {live_.version}"
        if request.vllm_python is not None:
            others, checks, version = live_.vllm(request.vllm_python)
            counted, engine = hit_counts(others[0], runs), f"{engine}, vLLM {version}"
            runs += others
            found += checks
    settings = {"pool": request.pool, "policy": request.policy, "overlap": request.overlap}
    return LiveOutcome(
        engine, request.python, title, asdict(live_.load) | settings, tuple(runs), tuple(found), counted, str(request.events or "")
    )
