"""The job of `radixcheck live --watch-cost`: what a watch costs at SGLang's own calls, without an engine."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.timeouts import Timeout
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.live.doctor import found_interpreter
from radixcheck.verification.live.launch import plugin_folder, started
from radixcheck.verification.live.watch_cost_results import WatchCostOutcome, Watching
from radixcheck.verification.remote.process import Process, SubjectLost

CACHES = ("classic", "python", "radixcheck")
DRIVE_SECONDS = 1_800.0  # of one repetition of one cache
GROWTH_BUDGET = 50.0  # microseconds


@dataclass(frozen=True, slots=True)
class WatchCostRequest:
    """What to measure."""

    python: str
    page_sizes: tuple[int, ...] = (1, 16)
    requests: int = 1_000
    pool: int = 24_000  # tokens
    policy: str = "lru"
    budgets: tuple[float, ...] = (10.0, 50.0, 200.0)
    nodes: tuple[int, ...] = (1_000, 10_000, 100_000)
    repeat: int = 3
    seed: int = 0


def measure_watch(request: WatchCostRequest, progress: Progress = silent) -> WatchCostOutcome:
    """Measure, repetitions interleaved. Raise UsageError if the interpreter cannot do it."""
    found_interpreter(request.python)
    with TemporaryDirectory(prefix="radixcheck-live-") as folder, progress("watch-cost") as tell:
        path = str(plugin_folder(Path(folder) / "path"))
        drives = [*_costs(request), *_growths(request)]
        costs, growth, version = list[Watching](), list[Watching](), ""
        try:
            for number, drive in enumerate(drives):
                tell(number / len(drives), f"{drive['name']}, pages of {drive['page_size']}, budget {drive['budget']}")
                process = started(request.python)
                answer = process.ask({"do": "watch_cost", "path": [path], "drive": drive}, Timeout(DRIVE_SECONDS))
                _end(process)
                version = answer["version"]
                (growth if "nodes" in drive else costs).extend(Watching(**row) for row in answer["rows"])
        except SubjectLost as lost:
            raise UsageError(
                f"{request.python} cannot run the caches: it {lost}; see radixcheck doctor --python {request.python}"
            ) from lost
    return WatchCostOutcome(f"SGLang {version}", request.python, asdict(request), tuple(costs), tuple(growth))


def _end(process: Process) -> None:
    process.lose(SubjectLost("is no longer needed"))


def _costs(request: WatchCostRequest) -> Iterator[dict[str, Any]]:
    about = {"policy": request.policy, "requests": request.requests, "pool": request.pool, "seed": request.seed}
    for _ in range(request.repeat):
        for page_size in request.page_sizes:
            for name in CACHES:
                yield from ({"name": name, "page_size": page_size, "budget": each, **about} for each in (None, *request.budgets))


def _growths(request: WatchCostRequest) -> Iterator[dict[str, Any]]:
    """Trees of short keys, with pages of one token, in a pool that holds them all."""
    about = {"policy": request.policy, "requests": request.requests, "seed": request.seed, "budget": GROWTH_BUDGET}
    pool = max(request.nodes, default=0) * 20 + 200 * request.requests
    for name in CACHES if request.nodes else ():
        yield {"name": name, "page_size": 1, "pool": pool, "nodes": list(request.nodes), **about}
