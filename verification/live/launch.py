"""Starts an engine in a process of its own, sends it the rounds of a workload, and ends it. A lost engine is a result."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any

from radixcheck.verification.core.timeouts import Timeout
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.event_streams.background_recorder import BackgroundRecorder
from radixcheck.verification.event_streams.live_source import Endpoint
from radixcheck.verification.live.live_results import Answer, LiveRun, Round
from radixcheck.verification.live.workload import Conversations, Load
from radixcheck.verification.remote.process import Process, SubjectLost
from radixcheck.verification.watch.watch_folder import EVERY_SECONDS
from radixcheck.verification.watch.watch_settings import WatchSettings

# Both run in the engine's Python, and are not imported here: that would import torch.
ENGINE_RUN = Path(__file__).absolute().with_name("engine_run.py")
BACKENDS_MODULE = "radixcheck.verification.live.engine_backends"
START_SECONDS = 900.0  # on a busy machine
ROUND_SECONDS = 900.0
ERROR_MAX = 300  # characters
ERROR = re.compile(r"(?:\w+Error|Exception)\b.*")
LEAK = re.compile(r"\w+ Pool Mem Leak Detected")
NO_CACHE, DEFAULT, PYTHON_CORE = "none", "default", "python"  # SGLang's own, without a backend's name
CORE = "SGLANG_UNIFIED_RADIX_TREE_CORE_BACKEND"  # a variable of the engine's environment


@dataclass(frozen=True, slots=True)
class Settings:
    """How engines are started."""

    python: str
    model: str
    page_size: int
    pool: int  # tokens
    batch: int
    chunk: int = 256  # tokens of one prefill
    policy: str = "lru"
    overlap: bool = True
    device: str = "cpu"
    script: Path = ENGINE_RUN
    events: Endpoint | None = None  # to which the engine sends its KV events; None: it emits none
    watch: WatchSettings | None = None  # None: its cache is not watched

    def engine(self, backend: str) -> dict[str, Any]:
        """Return the arguments of `sglang.Engine`."""
        cache: dict[str, Any] = {"radix_cache_backend": backend}
        if backend == NO_CACHE:
            cache = {"disable_radix_cache": True}
        elif backend in (DEFAULT, PYTHON_CORE):
            cache = {}
        if self.events is not None:
            cache["kv_events_config"] = json.dumps(published(self.events) | {"bind": True})
        return cache | {
            "model_path": self.model,
            "device": self.device,
            "dtype": "float32",
            "skip_tokenizer_init": True,
            "attention_backend": "torch_native",
            "disable_overlap_schedule": not self.overlap,
            "max_total_tokens": self.pool,
            "mem_fraction_static": 0.3,
            "max_running_requests": self.batch,
            "page_size": self.page_size,
            "chunked_prefill_size": self.chunk,
            "radix_eviction_policy": self.policy,
            "random_seed": 0,
            "log_level": "error",
        }

    def environment(self, backend: str) -> dict[str, str]:
        """Return the variables of the engine's environment that this backend needs."""
        core = {CORE: "python"} if backend == PYTHON_CORE else {}
        return core | ({} if self.watch is None else self.watch.to_environment())


def published(events: Endpoint) -> dict[str, Any]:
    """Return how an engine publishes its events, in the words that SGLang and vLLM share."""
    return {"publisher": "zmq", "endpoint": events.address, "replay_endpoint": events.replay, "topic": events.topic}


def plugin_folder(folder: Path, plugin: str = BACKENDS_MODULE) -> Path:
    """Make a folder for the engine's path: this package, and an entry point that no installation has, to a plugin."""
    folder.mkdir()
    folder.joinpath("radixcheck").symlink_to(ENGINE_RUN.parents[2])
    about = folder / "radixcheck_live-0.dist-info"
    about.mkdir()
    about.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: radixcheck-live\nVersion: 0\n")
    entry = f"radixcheck_live = {plugin}:register"
    about.joinpath("entry_points.txt").write_text(f"[sglang.srt.plugins]\n{entry}\n")
    return folder


def started(python: str, script: Path = ENGINE_RUN) -> Process:
    """Start the script that runs in the engine's Python."""
    return Process((python, "-W", "ignore", str(script)))


def make_model(python: str, path: Path, folder: Path) -> int:
    """Let the engine's Python make the tiny model; return its parameters. Raise UsageError if it cannot."""
    try:
        process = started(python)
        answer = process.ask({"do": "model", "path": [str(path)], "folder": str(folder)}, Timeout(START_SECONDS))
    except SubjectLost as lost:
        raise UsageError(f"{python} cannot make a model: it {lost}; see radixcheck doctor --python {python}") from lost
    process.lose(SubjectLost("is no longer needed"))
    return int(answer["parameters"])


def vocabulary_of(model: str) -> int:
    """Return the size of a model's vocabulary. Raise UsageError if the folder has no model."""
    try:
        return int(json.loads(Path(model, "config.json").read_text())["vocab_size"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"--model {model}: there is no config.json with a vocab_size; give the folder of a text model") from error


def live_run(
    settings: Settings,
    backend: str,
    load: Load,
    folder: Path,
    progress: Callable[[int], None],
    requests: int | None = None,
    recorder: BackgroundRecorder | None = None,
) -> tuple[LiveRun, str]:
    """Serve a workload, or its first requests, through one backend; return what it gave, and the version of the engine."""
    log, path = folder / f"{backend}-{settings.page_size}.log", folder / "path"
    answers, rounds = list[Answer](), list[Round]()
    version, start_seconds, seconds, lost = "", 0.0, 0.0, ""
    talks = Conversations(load)
    try:
        process = started(settings.python, settings.script)
        message = {"do": "start", "path": [str(path)], "log": str(log), "engine": settings.engine(backend)}
        message["environment"] = settings.environment(backend)
        begun = process.ask(message, Timeout(START_SECONDS))
        version, start_seconds = begun["version"], begun["seconds"]
        if recorder is not None:
            recorder.start()
        while (requests is None or talks.served < requests) and (prompts := talks.round()):
            answer = process.ask({"do": "round", "prompts": prompts, "tokens": load.answer_tokens}, Timeout(ROUND_SECONDS))
            answers += [_answer(len(prompt), each) for prompt, each in zip(prompts, answer["answers"], strict=True)]
            rounds.append(Round(len(prompts), answer["begun"], answer["ended"]))
            talks.answered([each["tokens"] for each in answer["answers"]])
            seconds += answer["seconds"]
            progress(talks.served)
        if recorder is not None:
            recorder.end()
        if settings.watch is not None:
            sleep(2 * EVERY_SECONDS)  # an engine kills its processes when it ends: the counts of the last calls would be missing
        process.ask({"do": "end"}, Timeout(ROUND_SECONDS))
        process.lose(SubjectLost("is no longer needed"))
    except SubjectLost as error:
        lost = f"the engine {error}{last_error(log)}"
    leak = bool(lost) and log.exists() and LEAK.search(log.read_text(errors="replace")) is not None
    return LiveRun(backend, settings.page_size, tuple(answers), start_seconds, seconds, lost, leak, tuple(rounds)), version


def _answer(prompt: int, answer: Mapping[str, Any]) -> Answer:
    return Answer(prompt, answer["cached"], tuple(answer["tokens"]), tuple(answer["log_probabilities"]))


def last_error(log: Path) -> str:
    """Return the first error in a log: later ones follow from it."""
    found = ERROR.search(log.read_text(errors="replace")) if log.exists() else None
    return f"; its log: {found[0][:ERROR_MAX]}" if found else ""
