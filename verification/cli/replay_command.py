"""`radixcheck replay`, of a trace of requests or of operations, or of the events of a server."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.endpoint_options import OF_ENDPOINTS, endpoint_options
from radixcheck.verification.cli.new_file import check_new_file
from radixcheck.verification.cli.options import HOST_DEFAULT, Seconds, given, named, one_subject, options
from radixcheck.verification.cli.output import answer, print_json, subject_output
from radixcheck.verification.cli.trace_argument import open_trace, refuse_options
from radixcheck.verification.core.traces import is_trace
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.event_streams.recording import is_recording
from radixcheck.verification.protocol import MODES
from radixcheck.verification.report import console
from radixcheck.verification.runs.trace_results import TEST, TRACE
from radixcheck.verification.subjects.registry import resolve

if TYPE_CHECKING:
    from radixcheck.verification.event_streams.live_source import Endpoint
    from radixcheck.verification.runs.shrink_job import ShrinkTo

FILES = {TEST: "a test for pytest", TRACE: "a trace"}
HEADER = ("policy", "page_size", "pool", "device", "host_pool", "mode")  # options that are fields of the header of a trace of operations
OF_REQUESTS = ("running", "tokens_per_id", "limit")  # options of traces of requests
COMPARED = ("against", "requests")
OF_EVENTS = ("events", "json", "as_json", "seconds", *COMPARED, *OF_ENDPOINTS)  # options with --events


@click.command(cls=Command)
@click.argument("trace", required=False, type=click.Path(path_type=Path))
@click.option("--sample", is_flag=True, help="the small trace that comes with the package")
@click.option("--events", metavar="FILE|ENDPOINT", help="KV events of a server: a recording, or its address (tcp://host:port, ipc://path)")
@click.option("--against", type=click.Path(path_type=Path), help="with --events FILE, what a router saw: a recording of all that was sent")
@click.option(
    "--requests", type=click.Path(path_type=Path), help="with --against: JSON lines with tokens and batch, to be looked up in both"
)
@endpoint_options
@one_subject(click.option("--subject", help="[default: optimized; with --host-pool optimized-host]"))
@click.option("--policy", default="lru", show_default=True)
@click.option("--page-size", type=int, default=16, show_default=True, help="tokens")
@click.option("--pool", type=int, help="tokens  [default: 320000, or 6000 of the sample]")
@click.option("--host-pool", type=int, help="tokens: a host tier behind the pool, of a cache that has one")
@click.option("--mode", default="", help=f"of the host tier: {', '.join(MODES)}  [default: {MODES[0]}]")
@click.option("--running", type=click.IntRange(1), default=32, show_default=True, help="requests at a time")
@click.option("--tokens-per-id", type=click.IntRange(1), default=16, show_default=True, help="tokens of one hash id")
@click.option("--limit", type=click.IntRange(1), help="requests to read")
@click.option(
    "--shrink", "out", type=click.Path(path_type=Path), help="write the few operations that show a fault: a test (.py) or a trace (.jsonl)"
)
@click.option(
    "--seconds",
    type=Seconds(0.5),
    default=60,
    show_default=True,
    help="size of the plan for shrinking; with --events how long to read a server  [default there: until Ctrl-C]",
)
@options("device", "json")
def replay(
    trace: Path | None,
    sample: bool,
    events: str | None,
    against: Path | None,
    requests: Path | None,
    endpoint_of: "Callable[[str], Endpoint]",
    subject: str,
    limit: int | None,
    out: Path | None,
    seconds: float,
    as_json: bool,
    **settings: Any,
) -> int:
    """Replay a TRACE with every operation checked: requests, or operations, as verify --traces writes them.

    Requests are JSON lines: Mooncake (hash_ids), Qwen-Bailian (chat_id, hash_ids), or a log with tokens or text.

    A trace of operations has its policy, page size, pool and device in its first line, and the subject to use if none is named.
    With --events, no cache runs: what a server said of its cache is folded and judged.
    """
    if events is not None:
        if not given().isdisjoint({"trace", "sample"}):
            raise UsageError("give one trace: a file, --sample or --events")
        refuse_options("--events", sorted(given() - {*OF_EVENTS}), "no cache runs")
        if requests is not None and against is None:
            raise UsageError("--requests are looked up in two recordings: give --against too")
        return _events(events, endpoint_of, seconds if "seconds" in given() else None, as_json, against, requests)
    refuse_options(trace or "--sample", (*COMPARED, *OF_ENDPOINTS), "there are no events of a server; give --events")
    if (trace is None) == (not sample):
        raise UsageError("give one trace: a file, --sample or --events")
    if out is not None:
        check_new_file("--shrink", out, FILES)
    shrink = None if out is None else _shrink_to(out, seconds)
    if trace is not None and is_recording(trace):
        refuse_options(trace, sorted(given() - {"trace", *OF_EVENTS}), "it holds the events of a server, and no cache runs")
        return _events(str(trace), endpoint_of, None, as_json)
    if shrink is None:
        refuse_options(trace or "--sample", ("seconds",), "nothing is shrunk; give --shrink")
    if trace is not None and is_trace(trace):
        return _operations(trace, shrink, as_json)
    return _requests(trace, shrink, as_json, subject, limit or 0, **settings)


def _shrink_to(out: Path, seconds: float) -> "ShrinkTo":
    from radixcheck.verification.runs.shrink_job import ShrinkTo

    return ShrinkTo(out, seconds)


def _events(
    events: str,
    endpoint_of: "Callable[[str], Endpoint]",
    seconds: float | None,
    as_json: bool,
    against: Path | None = None,
    requests: Path | None = None,
) -> int:
    """Fold the events of a server and return the exit status."""
    from radixcheck.verification.event_streams.live_source import is_address
    from radixcheck.verification.report import events_view
    from radixcheck.verification.runs.events_job import EventsRequest, fold_events

    if not is_address(events):
        refuse_options(events, ("seconds", *OF_ENDPOINTS), "it is a file")
    else:
        refuse_options(events, COMPARED, "it is no recording")
    source = endpoint_of(events) if is_address(events) else Path(events)
    outcome = fold_events(EventsRequest(source, seconds, against, requests), console.progress)
    return answer(outcome, as_json, lambda: events_view.events(outcome))


def _operations(trace: Path, shrink: "ShrinkTo | None", as_json: bool) -> int:
    """Replay a trace of operations and return the exit status."""
    from radixcheck.verification.report import replay_view
    from radixcheck.verification.runs.trace_job import TraceRequest, replay_operations

    refuse_options(trace, (*HEADER, *OF_REQUESTS), "it holds operations with their configuration in its first line; leave that out")
    with subject_output():
        recorded, subject = open_trace(trace)
        outcome = replay_operations(TraceRequest(subject, trace.name, recorded, shrink), console.progress)
    if as_json:
        print_json(outcome.to_json())
    else:
        console.show(replay_view.trace(outcome))
    return outcome.status


def _requests(trace: Path | None, shrink: "ShrinkTo | None", as_json: bool, name: str, limit: int, device: str, **given: Any) -> int:
    """Replay a trace of requests and return the exit status."""
    from radixcheck.verification.report import replay_view
    from radixcheck.verification.runs.replay_job import ReplayRequest, is_log, replay_requests, settings_for

    if trace is not None and is_log(trace):
        refuse_options(trace, ("tokens_per_id",), "it is a log, whose tokens are given")
    with subject_output():
        subject = resolve(HOST_DEFAULT if given["host_pool"] and not named("subject", "command", "python") else name, device)
        settings = settings_for(subject, trace, device=device, **given)
        outcome = replay_requests(ReplayRequest(subject, trace, settings, limit, shrink), console.progress)
    if as_json:
        print_json(outcome.to_json())
    else:
        console.show(replay_view.replay(outcome))
    return outcome.status
