"""The section of the benchmark: claims about costs, the cost of an eviction against the number of leaves, figures and method."""

from collections.abc import Iterator, Mapping
from typing import Any

from radixcheck.verification.bench.bench_data import SCENARIOS
from radixcheck.verification.report.blocks import Badge, Block, Command, Paragraph, Part, Picture, Section, Steps, Table, Words, anchor
from radixcheck.verification.report.chart import Line, chart, listed
from radixcheck.verification.review_6907.answers import BENCH
from radixcheck.verification.runs.report_data import ReportData
from radixcheck.verification.runs.stored_results import Stored

FIGURE = "evict p50"


def section(data: ReportData) -> Section:
    """Return the section: claims, plot, method, tables."""
    bench = data.stored(BENCH)
    claims: list[tuple[Words, ...]] = [(f"`{c['id']}`", Badge(c["verdict"]), f"{c['sentence']} {c['text']}.") for c in bench["claims"]]
    blocks: list[Block] = [Table(("claim", "verdict", "what was measured"), claims), *_plot(bench), Paragraph(_method(bench))]
    blocks.append(Command("radixcheck bench --quick"))
    blocks.append(Part("figures", "All figures", list(_tables(bench)), folded=True))
    missing = [f"`{name}`: {why}" for name, why in bench["missing"].items()]
    if missing:
        blocks.append(Paragraph(f"Not here: {'; '.join(missing)}."))
    return Section("benchmark", "Benchmark", blocks)


def _plot(bench: Stored) -> Iterator[Block]:
    """Yield the chart of the cost of an eviction of one victim against the number of leaves."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for job in bench["jobs"]:
        arguments = job["arguments"]
        if job["scenario"] == "decode" and (arguments["pool"], arguments["page_size"], arguments["victims"]) == ("stub", 1, 1):
            for cache, figures in job["figures"].items():
                lines.setdefault(cache, []).append((arguments["leaves"], figures[FIGURE]["median"]))
    series = [Line(cache, tuple(sorted(points))) for cache, points in lines.items()]
    if series:
        title = "One eviction of 64 tokens against the number of leaves, microseconds (medians)"
        yield Steps([Picture(chart(series, title, "evictable leaves", "us", "chart-evict"), title, listed(series))])


def _method(bench: Stored) -> str:
    about = bench["about"]
    return (
        f"How: one process for each cache; {about['clock']}; garbage collection on; medians of {about['repetitions']} repetitions; "
        f"{about['machine']}, {about['cores']} cores, Python {about.get('python')}, torch {about.get('torch')}, "
        f"load {about['load before']:.1f} before. Every scenario checks that the work was done. Compare ratios of one run: "
        "absolute figures move with the machine."
    )


def _tables(bench: Stored) -> Iterator[Block]:
    for job in bench["jobs"]:
        if job["figures"]:
            yield Part(anchor("job", job["job"]), job["job"], [Paragraph(SCENARIOS[job["scenario"]].sentence), _table(job)])


def _table(job: Mapping[str, Any]) -> Table:
    columns = SCENARIOS[job["scenario"]].shown(job["figures"].values())
    rows = [
        (f"`{cache}`", *(_number(figures[column]["median"]) if column in figures else "" for column in columns))
        for cache, figures in job["figures"].items()
    ]
    return Table(("cache", *columns), rows, numbers=columns)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 or value == int(value) else f"{value:.1f}"
