"""`radixcheck bench`: what is asked, checked for sense, and handed on."""

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from radixcheck.verification.bench import plan, plot
from radixcheck.verification.bench.bench_data import CACHES, SCENARIOS
from radixcheck.verification.bench.measure import measure
from radixcheck.verification.cli.options import options
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import bench_view as report
from radixcheck.verification.report import console
from radixcheck.verification.review_6907 import cost_claims as claims
from radixcheck.verification.trace_replay.mooncake import read

REPEAT = 3


@click.command()
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
) -> int:
    """Measure our cache, the floor of CPython and every peer that is installed, side by side.

    What is not installed is listed with how to get it. Exit status 3: a cache died, hung, or has not done the work that was measured.
    """
    jobs, chosen = plan.planned(quick, scenarios, _readable(trace)), plan.chosen(caches)
    if folder is not None:
        if not any(job.scenario == plot.SCENARIO for job in jobs):
            raise UsageError(f"--plot draws the scenario {plot.SCENARIO}: add --scenario {plot.SCENARIO}")
        plot.folder(folder)
    with console.progress("bench") as progress:
        results = measure(chosen, jobs, repeat or (1 if quick else REPEAT), python or sys.executable, progress)
    results = replace(results, about={**results.about, "quick": quick})
    if folder is not None:
        for path in plot.draw(results, folder):
            print(f"wrote {path}", file=sys.stderr)
    if as_json:
        click.echo(json.dumps(results.to_json() | {"claims": [one.to_json() for one in claims.decided(results)]}, indent=1))
    else:
        console.show([*report.tables(results, quick), *report.claims(claims.decided(results))])
    return results.status


def _readable(trace: Path | None) -> Path | None:
    """Raises `UsageError` for a trace that is none."""
    if trace is not None and (error := read(trace).error) is not None:
        raise UsageError(str(error))
    return trace
