"""`radixcheck live`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import options
from radixcheck.verification.cli.output import answer, check_store
from radixcheck.verification.cli.trace_argument import refuse_options
from radixcheck.verification.core.status import Outcome, Status
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import console
from radixcheck.verification.runs.calls_job import CallsRequest, measure_calls
from radixcheck.verification.runs.latency_job import REPEAT, LatencyRequest, measure_latency
from radixcheck.verification.runs.live_job import BACKENDS, ENGINES, LiveRequest, live_request
from radixcheck.verification.runs.live_job import live as run_live
from radixcheck.verification.runs.watch_cost_job import WatchCostRequest, measure_watch

MODEL = "the folder of a text model  [default: a tiny one, made at once; --latency: that of the package in the environment]"

WATCH = "the caches are watched, as radixcheck watch does; files go to this new folder"
EVENTS = "the engines send KV events, which are recorded into files of this new folder, and judged"


@click.command(cls=Command)
@click.option("--engine", default=ENGINES[0], show_default=True, help="the engine to start")
@click.option("--python", required=True, help="the interpreter that has the engine: see tests/peers/setup_live.sh")
@click.option("--model", type=click.Path(path_type=Path), help=MODEL)
@click.option("--backends", default=",".join(BACKENDS), show_default=True, help="caches, divided by commas; none: without a cache")
@click.option("--page-size", "page_sizes", type=int, multiple=True, default=(1, 16), show_default=True, help="tokens (repeatable)")
@click.option("--requests", type=click.IntRange(1), default=240, show_default=True, help="of each run")
@click.option("--batch", type=click.IntRange(1), default=16, show_default=True, help="requests that are served together")
@click.option("--pool", type=click.IntRange(1), default=6_144, show_default=True, help="size of the slot pool, in tokens")
@click.option("--policy", default="lru", show_default=True, help="order of eviction")
@click.option("--overlap/--no-overlap", default=True, show_default=True, help="schedule the next batch while one runs")
@click.option("--controls/--no-controls", default=True, show_default=True, help="also run two wrong caches, which must be caught")
@click.option("--vllm-python", help="an interpreter that has vLLM: also run its cache, and no cache: see tests/peers/setup_vllm.sh")
@click.option("--events", type=click.Path(path_type=Path), help=EVENTS)
@click.option("--watch", type=click.Path(path_type=Path), help=WATCH)
@click.option("--watch-budget", type=click.IntRange(0), default=50, show_default=True, help="microseconds of the watch for each call")
@click.option("--calls", is_flag=True, help="start no engine: measure the caches at the engine's own calls, 3 times 2,000 requests")
@click.option("--watch-cost", is_flag=True, help="start no engine: measure what a watch costs at the engine's own calls")
@click.option(
    "--latency", is_flag=True, help="measure how long requests take, 12 and 120 one at a time, with pages of the first --page-size"
)
@click.option("--repeat", type=click.IntRange(1), default=REPEAT, show_default=True, help="repetitions of --latency")
@click.option("--store", type=click.Path(path_type=Path), help="write the result there, as JSON")
@options("seed", "json")
def live(
    engine: str, python: str, model: Path | None, backends: str, repeat: int, store: Path | None, as_json: bool, **others: object
) -> Status:
    """Serve the same requests with live engines, one for each cache, and compare tokens, hits and log-probabilities.

    The engine's own check of its pool is on.

    --events also compares each hit with what the events say was cached.

    --watch also runs radixcheck watch in each engine.

    --calls, --latency and --watch-cost measure instead.
    """
    from radixcheck.verification.report import live_view

    measures = {name: others.pop(name) for name in ("calls", "latency", "watch_cost")}
    chosen = [f"--{name.replace('_', '-')}" for name, wanted in measures.items() if wanted]
    if len(chosen) > 1:
        raise UsageError(f"give one of {' and '.join(chosen)}: each measures something else")
    named = tuple(backends.split(","))
    for option in ("vllm_python", "events", "watch"):
        if others[option] is not None and chosen:
            raise UsageError(f"--{option.replace('_', '-')} does not go with {chosen[0]}, which judges no answers")
    if chosen:
        refuse_options(chosen[0], UNUSED[chosen[0]], "the measurement fixes that")
    if chosen != ["--latency"]:
        refuse_options(chosen[0] if chosen else "live", ("repeat",), "it repeats --latency")
    if others["watch"] is None:
        refuse_options(chosen[0] if chosen else "live", ("watch_budget",), "it is the budget of --watch")
    request = LiveRequest(python, None if model is None else str(model), named, **others)  # type: ignore[arg-type]
    request = live_request(engine, python, named, request)
    check_store(store)
    if chosen:
        outcome, shown = MEASURES[chosen[0]](request, repeat)
        return answer(outcome, as_json, shown, store)
    served = run_live(request, console.progress)
    return answer(served, as_json, lambda: live_view.live(served), store)


Shown = Callable[[], list[Any]]


def _calls(request: LiveRequest, repeat: int) -> tuple[Outcome, Shown]:
    from radixcheck.verification.report import calls_view

    costs = measure_calls(CallsRequest(request.python, request.page_sizes, policy=request.policy, seed=request.seed), console.progress)
    return costs, lambda: calls_view.calls(costs)


def _latency(request: LiveRequest, repeat: int) -> tuple[Outcome, Shown]:
    from radixcheck.verification.report import latency_view

    wanted = LatencyRequest(
        *(request.python, request.model, request.backends),
        page_size=request.page_sizes[0],
        repeat=repeat,
        seed=request.seed,
        pool=request.pool,
        policy=request.policy,
        overlap=request.overlap,
    )
    times = measure_latency(wanted, console.progress)
    return times, lambda: latency_view.latency(times)


def _watch_cost(request: LiveRequest, repeat: int) -> tuple[Outcome, Shown]:
    from radixcheck.verification.report import watch_cost_view

    costs = measure_watch(WatchCostRequest(request.python, request.page_sizes, policy=request.policy, seed=request.seed), console.progress)
    return costs, lambda: watch_cost_view.watch_cost(costs)


AT_CALLS = ("model", "backends", "requests", "batch", "pool", "overlap", "controls")
UNUSED = {"--calls": AT_CALLS, "--watch-cost": AT_CALLS, "--latency": ("requests", "batch", "controls")}  # options, by what measures
MEASURES = {"--calls": _calls, "--latency": _latency, "--watch-cost": _watch_cost}
