"""`radixcheck bench`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from radixcheck.verification.bench import plot
from radixcheck.verification.bench.bench_data import CACHES, SCENARIOS
from radixcheck.verification.cli.command import Command
from radixcheck.verification.cli.options import options
from radixcheck.verification.cli.output import answer, complain, later
from radixcheck.verification.core.status import Status, worst
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import bench_view, console
from radixcheck.verification.runs.bench_job import REPEAT, bench_request
from radixcheck.verification.runs.bench_job import bench as measure


@click.command(cls=Command)
@click.option("--python", help="the interpreter under which all caches run, ours too  [default: this one]")
@click.option("--quick", is_flag=True, help="fewer sizes and steps, one repetition: within three minutes")
@click.option("--scenario", "scenarios", multiple=True, help=f"{', '.join(SCENARIOS)} (repeatable)  [default: all]")
@click.option("--cache", "caches", multiple=True, help=f"{', '.join(CACHES)}, or file.py:class (repeatable)  [default: all]")
@click.option("--repeat", type=click.IntRange(1), help=f"repetitions  [default: {REPEAT}, or 1 if quick]")
@click.option("--trace", type=click.Path(path_type=Path), help="Mooncake format  [default: the small trace of this package]")
@click.option("--plot", "folder", type=click.Path(path_type=Path), help="draw evict against leaves there, as PNG and SVG")
@options("json")
def bench(
    python: str | None,
    quick: bool,
    scenarios: Sequence[str],
    caches: Sequence[str],
    repeat: int | None,
    trace: Path | None,
    folder: Path | None,
    as_json: bool,
) -> Status:
    """Measure our cache, the floor of CPython and every peer that is installed, side by side.

    Caches that are not installed are listed with how to install them.
    """
    request = bench_request(quick=quick, scenarios=scenarios, caches=caches, repeat=repeat, trace=trace, python=python)
    if folder is not None:
        if not any(job.scenario == plot.SCENARIO for job in request.jobs):
            raise UsageError(f"--plot draws the scenario {plot.SCENARIO}: add --scenario {plot.SCENARIO}")
        plot.folder(folder)
    outcome = measure(request, console.progress)
    status, troubles = answer(outcome, as_json, lambda: bench_view.bench(outcome)), list[UsageError]()
    if folder is not None:
        with later(troubles, f"--plot {folder}"):
            for path in plot.draw(outcome.results, folder):
                print(f"wrote {path}", file=sys.stderr)
    return worst([status, *complain(troubles)])
