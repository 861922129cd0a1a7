"""The result of `radixcheck bench` at the terminal."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from rich.table import Table
from rich.text import Text

from radixcheck.verification.bench.bench_data import DEFAULT, SCENARIOS, Job
from radixcheck.verification.bench.bench_results import Ratios, Results
from radixcheck.verification.core.status import Status
from radixcheck.verification.report.style import Tone, of_status, styled, table, toned, warning
from radixcheck.verification.review_6907.cost_claims import Decided
from radixcheck.verification.runs.evidence_results import BenchOutcome

SLOW = 1_000  # larger figures are shown without decimals
COMPARED = ("spread", "to peer/SGLang/floor")  # columns after a figure that is compared


def bench(outcome: BenchOutcome) -> list[Any]:
    """Return a table for each job, what was not measured, what failed, how it was measured, and the claims about costs."""
    results, parts = outcome.results, list[Any]()
    for job in results.jobs:
        if results.figures(job.name):
            parts += [Text(job.name, "bold"), toned(f"  {SCENARIOS[job.scenario].sentence}", Tone.DIM), _table(results, job), Text()]
    parts += _absent(results)
    for one in results.troubles:
        where = f"{one.cache}, repetition {one.repetition + 1}" + (f", {one.job}" if one.job else "")
        parts.append(toned(f"{where}: {one.sentence}", Tone.BAD))
    return [*parts, *_about(results), *map(claim, outcome.claims)]


def _table(results: Results, job: Job) -> Table:
    """Return a row for each cache. A compared figure is followed by its spread and its ratios."""
    scenario, found, ratios = SCENARIOS[job.scenario], results.figures(job.name), results.ratios(job)
    columns = scenario.shown(found.values())
    headed = [head for column in columns for head in (column, *(COMPARED if column in scenario.compared else ()))]
    shown = table("cache", *headed, numbers=headed, unbroken=("cache", COMPARED[-1]), gap=1)
    for cache, figures in found.items():
        cells = []
        for column in columns:
            figure = figures.get(column)
            cells.append(_number(figure.median) if figure else "-")
            if column in scenario.compared:
                ratio = ratios[column].get(cache, Ratios(None, None, None))
                cells.append(f"{figure.spread:.2f}" if figure else "-")
                cells.append(" / ".join("-" if one is None else f"{one:.2f}" for one in (ratio.best_peer, ratio.default, ratio.floor)))
        shown.add_row(cache, *cells)
    return shown


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= SLOW or value == int(value) else f"{value:.1f}"


def _absent(results: Results) -> list[Any]:
    lines = [warning(f"not here: {name}: {sentence}") for name, sentence in results.missing.items()]
    left_out: dict[tuple[str, str], list[str]] = {}  # caches, by the reason and the jobs that were not done
    for cache, jobs in results.unsupported.items():
        for sentence in dict.fromkeys(jobs.values()):
            names = _in_short(results, [job for job, why in jobs.items() if why == sentence])
            left_out.setdefault((sentence, names), []).append(cache)
    return lines + [toned(f"not measured: {', '.join(caches)}: {why}: {names}", Tone.DIM) for (why, names), caches in left_out.items()]


def _in_short(results: Results, names: Collection[str]) -> str:
    """Return the names of jobs. If they are all jobs of a scenario, its name stands for them."""
    shorter = []
    for scenario in dict.fromkeys(job.scenario for job in results.jobs):
        every = [job.name for job in results.jobs if job.scenario == scenario]
        shorter += [scenario] if set(every) <= set(names) else [name for name in every if name in names]
    return "; ".join(shorter)


def _about(results: Results) -> list[Any]:
    about = results.about
    versions = ", ".join(f"{name} {version}".strip() for name, version in results.versions.items()) or "nothing"
    lines = [
        f"{versions}; Python {about.get('python')}, torch {about.get('torch')}, {about['machine']}, {about['cores']} cores",
        f"{about['clock']}; medians of {about['repetitions']} repetitions, spread: largest by smallest; load {about['load before']:.1f} "
        f"before and {about['load after']:.1f} after, {about['seconds']:.0f} s, {about['date']}",
        f"peer/SGLang/floor: ratios to the best peer, to SGLang's default ({DEFAULT}) and to the floor; 0.5 is half of it",
    ]
    if about.get("quick"):
        lines.append(
            "quick: fewer sizes, fewer steps, one repetition unless --repeat is given; figures may be far off: run it without --quick"
        )
    verdict, words = "incomplete", "see above" if results.measurements else "nothing was measured"
    if results.status == Status.HOLDS:
        verdict, words = "complete", "everything that is installed was measured, and has done its work"
    return [Text(), *map(Text, lines), Text.assemble(of_status(verdict, results.status), f": {words}")]


def claim(decided: Decided) -> Text:
    """Return a claim about costs with its verdict."""
    about = decided.claim
    return Text.assemble(f"{about.id} ", styled(decided.verdict), f"  ({about.questions})  {about.sentence} {decided.text}")
