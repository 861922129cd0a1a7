"""Measurements as tables for a person at a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

from radixcheck.verification.bench.bench_data import DEFAULT, SCENARIOS, Job
from radixcheck.verification.bench.bench_results import Ratios, Results
from radixcheck.verification.review_6907.cost_claims import MEASURED, Decided

SLOW = 1_000  # from here on no decimals


def tables(results: Results, quick: bool) -> list[Any]:
    """A table for each job, what could not be had, what went wrong, and how it was measured."""
    parts: list[Any] = []
    for job in results.jobs:
        if results.figures(job.name):
            parts += [Text(job.name, "bold"), Text(f"  {SCENARIOS[job.scenario].sentence}", "dim"), _table(results, job), Text()]
    parts += _absent(results)
    for one in results.troubles:
        where = f"{one.cache}, repetition {one.repetition + 1}" + (f", {one.job}" if one.job else "")
        parts.append(Text(f"{where}: {one.sentence}", "bold red"))
    return [*parts, *_about(results, quick)]


def _table(results: Results, job: Job) -> Table:
    """Rows are caches; each figure that is compared brings its spread and its ratios."""
    scenario, found, ratios = SCENARIOS[job.scenario], results.figures(job.name), results.ratios(job)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("cache", no_wrap=True)
    columns = scenario.shown(found.values())
    for column in columns:
        table.add_column(column, justify="right")
        if column in scenario.compared:
            table.add_column("spread", justify="right", style="cyan")
            table.add_column("to peer/SGLang/floor", justify="right", style="cyan", no_wrap=True)
    for cache, figures in found.items():
        cells = []
        for column in columns:
            figure = figures.get(column)
            cells.append(_number(figure.median) if figure else "-")
            if column in scenario.compared:
                ratio = ratios[column].get(cache, Ratios(None, None, None))
                cells.append(f"{figure.spread:.2f}" if figure else "-")
                cells.append(" / ".join("-" if one is None else f"{one:.2f}" for one in (ratio.best_peer, ratio.default, ratio.floor)))
        table.add_row(cache, *cells)
    return table


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= SLOW or value == int(value) else f"{value:.1f}"


def _absent(results: Results) -> list[Any]:
    lines = [Text(f"not here: {name}: {sentence}", "yellow") for name, sentence in results.missing.items()]
    left_out: dict[tuple[str, str], list[str]] = {}  # the caches of which a sentence says why these jobs were not done
    for cache, jobs in results.unsupported.items():
        for sentence in dict.fromkeys(jobs.values()):
            names = _in_short(results, [job for job, why in jobs.items() if why == sentence])
            left_out.setdefault((sentence, names), []).append(cache)
    return lines + [Text(f"not measured: {', '.join(caches)}: {why}: {names}", "dim") for (why, names), caches in left_out.items()]


def _in_short(results: Results, names: Collection[str]) -> str:
    """These jobs, those of a scenario by its name alone if they are all that it has."""
    shorter = []
    for scenario in dict.fromkeys(job.scenario for job in results.jobs):
        every = [job.name for job in results.jobs if job.scenario == scenario]
        shorter += [scenario] if set(every) <= set(names) else [name for name in every if name in names]
    return "; ".join(shorter)


def _about(results: Results, quick: bool) -> list[Any]:
    about = results.about
    versions = ", ".join(f"{name} {version}".strip() for name, version in results.versions.items()) or "nothing"
    lines = [
        f"{versions}; Python {about.get('python')}, torch {about.get('torch')}, {about['machine']}, {about['cores']} cores",
        f"{about['clock']}; medians of {about['repetitions']} repetitions, spread: largest by smallest; load {about['load before']:.1f} "
        f"before and {about['load after']:.1f} after, {about['seconds']:.0f} s, {about['date']}",
        f"peer/SGLang/floor: ratios to the best peer, to SGLang's default ({DEFAULT}) and to the floor; 0.5 is half of it",
    ]
    if quick:
        lines.append(
            "quick: fewer sizes, fewer steps, one repetition unless --repeat says otherwise; figures may be far off, run it without --quick"
        )
    verdict = {0: ("complete", "green")}.get(results.status, ("incomplete", "bold red"))
    word = "whatever could be had was measured, and has done its work" if results.status == 0 else "see above"
    if not results.measurements:
        word = "nothing was measured"
    return [Text(), *map(Text, lines), Text.assemble(verdict, f": {word}")]


def claims(decided: Iterable[Decided]) -> list[Any]:
    """What this run says to claims about costs."""
    return [
        Text.assemble(
            f"{one.claim.id} ",
            (one.verdict, "green" if one.verdict == MEASURED else "bold red"),
            f"  ({one.claim.questions})  {one.claim.sentence} {one.text}",
        )
        for one in decided
    ]
