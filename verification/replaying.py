"""`radixcheck replay`: a workload, or recorded operations, through a cache."""

import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from radixcheck.verification.asked import check
from radixcheck.verification.operations import Op
from radixcheck.verification.options import DEFAULT, one_subject, options
from radixcheck.verification.report import console, tables
from radixcheck.verification.subjects.registry import ELSEWHERE, UsageError
from radixcheck.verification.traces import is_trace, read

OF_A_WORKLOAD = ("policy", "page_size", "pool", "running", "tokens_per_id", "limit", "device")


@click.command()
@click.argument("trace", required=False, type=click.Path(path_type=Path))
@click.option("--sample", is_flag=True, help="the small trace that comes with the package")
@one_subject(click.option("--subject", help="[default: that of a recorded trace, or optimized]"), default="")
@click.option("--policy", default="lru", show_default=True)
@click.option("--page-size", type=int, default=16, show_default=True, help="tokens")
@click.option("--pool", type=int, help="tokens  [default: 320000, or 6000 of the sample]")
@click.option("--running", type=click.IntRange(1), default=32, show_default=True, help="requests at a time")
@click.option("--tokens-per-id", type=click.IntRange(1), default=16, show_default=True, help="tokens of one hash id")
@click.option("--limit", type=click.IntRange(1), help="requests to read")
@click.option(
    "--shrink",
    "out",
    type=click.Path(path_type=Path),
    help="write the few operations that show a fault there: a pytest file, or a trace (.jsonl)",
)
@click.option("--seconds", type=click.FloatRange(0.5), default=60, show_default=True, help="of processor time for shrinking, at most")
@options("device", "json")
def replay(trace: Path | None, sample: bool, out: Path | None, seconds: float, as_json: bool, **asked: Any) -> int:
    """Replay a TRACE with every operation checked: a workload (Mooncake format, JSON lines), or operations that were recorded."""
    from radixcheck.verification.replay.replay import Settings
    from radixcheck.verification.report import shortened
    from radixcheck.verification.report.outcome import POOL, SAMPLE_POOL, replay_trace

    if (trace is None) == (not sample):
        raise UsageError("give one trace: a file, or --sample")
    if trace is not None and is_trace(trace):
        return _recorded(trace, asked["subject"], out, seconds, as_json)
    given, limit = asked.pop("subject"), asked.pop("limit") or 0
    name = DEFAULT + given if not given or given.startswith(ELSEWHERE) else given
    check(name, (asked["policy"],), (asked["page_size"],), asked["device"])
    asked["pool"] = asked["pool"] if asked["pool"] is not None else SAMPLE_POOL if sample else POOL
    if out is not None:
        shortened.check_new(out)
    recorded: list[Op] = []
    with redirect_stdout(sys.stderr):
        outcome = replay_trace(trace, name, Settings(**asked), limit, console.progress, recorded.append if out else _ignored)
        short = shortened.shorten(outcome, recorded, out, seconds, console.progress) if out is not None else None
    if as_json:
        click.echo(json.dumps(outcome.to_json() | ({"shrunk": short.to_json()} if short else {}), indent=1))
    else:
        console.show([*tables.replay(outcome), *(short.parts() if short else ())])
    return outcome.status


def _ignored(op: Op) -> None:
    """What nobody wants to shrink need not be kept."""


def _recorded(path: Path, given: str, out: Path | None, seconds: float, as_json: bool) -> int:
    """Operations as they were recorded, under what they were recorded."""
    from radixcheck.verification.report import led, shortened

    context = click.get_current_context()
    for name in OF_A_WORKLOAD:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise UsageError(f"--{name.replace('_', '-')} is for workloads: {path} is a recorded trace, which says under what it runs")
    recorded = read(path)
    subject = recorded.named(given, DEFAULT)
    check(subject, (recorded.config.policy,), (recorded.config.page_size,), recorded.config.device)
    if out is not None:
        shortened.check_new(out)
    with redirect_stdout(sys.stderr):
        outcome = led.lead(path.name, subject, recorded)
        short = led.shorten(outcome, out, seconds, console.progress) if out is not None else None
    if as_json:
        click.echo(json.dumps(outcome.to_json() | ({"shrunk": short.to_json()} if short else {}), indent=1))
    else:
        console.show([*outcome.parts(), *(short.parts() if short else ())])
    return outcome.status
