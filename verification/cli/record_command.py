"""`radixcheck record`."""

from collections.abc import Callable
from pathlib import Path

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.endpoint_options import endpoint_options
from radixcheck.verification.cli.options import Seconds, options
from radixcheck.verification.cli.output import answer
from radixcheck.verification.core.status import Status
from radixcheck.verification.event_streams.live_source import Endpoint
from radixcheck.verification.report import console
from radixcheck.verification.runs.events_job import record_events


@click.command(cls=Command)
@click.argument("endpoint")
@click.argument("file", type=click.Path(path_type=Path))
@endpoint_options
@click.option("--seconds", type=Seconds(0.5), help="how long  [default: until Ctrl-C]")
@options("json")
def record(endpoint: str, file: Path, seconds: float | None, as_json: bool, endpoint_of: Callable[[str], Endpoint]) -> Status:
    """Write the KV events that a live server sends at ENDPOINT (tcp://host:port, ipc://path) into a new FILE, for replay --events.

    Each batch is in the file at once.
    """
    from radixcheck.verification.report import events_view

    outcome = record_events(endpoint_of(endpoint), file, seconds, console.progress)
    return answer(outcome, as_json, lambda: events_view.recorded(outcome))
