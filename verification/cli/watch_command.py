"""`radixcheck watch`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import given, options
from radixcheck.verification.cli.output import answer
from radixcheck.verification.core.status import Status
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.watch.watch_settings import WatchSettings

RESULTS = Path("radixcheck-results")
WITH_SHOW = {"show", "as_json"}
NAMES = {"budget_us": "--budget", "folder": "--to", "command": "COMMAND"}  # of parameters that have other names


@click.command(cls=Command)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--budget", "budget_us", type=int, default=50, show_default=True, help="microseconds for checks in each call of the cache")
@click.option("--to", "folder", type=click.Path(path_type=Path), help=f"a new or empty folder  [default: {RESULTS}/watch-TIME]")
@click.option("--abort-on", multiple=True, metavar="PROPERTY", help="end the server at a finding of it, or of all (repeatable); for tests")
@click.option("--shadow", is_flag=True, help="run our cache beside the server's, and report where the two differ")
@click.option("--metrics-port", type=int, help="serve metrics at 127.0.0.1, if the server does not do it with its own")
@click.option("--operations", type=int, default=2_000, show_default=True, help="last operations in the trace of a finding")
@click.option("--show", type=click.Path(path_type=Path), metavar="FOLDER", help="show what an earlier watch found; runs nothing")
@options("json")
def watch(command: tuple[str, ...], folder: Path | None, show: Path | None, as_json: bool, **settings: Any) -> Status:
    """Run COMMAND, a server of SGLang, and check each call of its cache: radixcheck watch -- python -m sglang.launch_server ...

    The Python of COMMAND needs this package. What COMMAND prints goes to standard error. Ctrl-C ends it, and what was found is printed.
    """
    from radixcheck.verification.report import watch_view
    from radixcheck.verification.runs import watch_job

    if show is not None:
        if wrong := sorted(NAMES.get(name, f"--{name.replace('_', '-')}") for name in given() - WITH_SHOW):
            raise UsageError(f"{', '.join(wrong)}: --show runs nothing; leave that out")
        outcome = watch_job.earlier(show)
    else:
        to = folder or RESULTS / f"watch-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        wanted = WatchSettings(to, abort_on=frozenset(settings.pop("abort_on")), **settings)
        outcome = watch_job.watch(watch_job.watch_request(command, wanted))
    return answer(outcome, as_json, lambda: watch_view.watch(outcome))
