"""The section of the benchmark: claims about costs with their ratios, how costs grow, all figures, and the method."""

from collections.abc import Iterator, Mapping
from typing import Any

from radixcheck.verification.bench.bench_data import SCENARIOS
from radixcheck.verification.report.blocks import (
    Badge,
    Block,
    Command,
    Paragraph,
    Part,
    Picture,
    Section,
    Steps,
    Table,
    Words,
    anchor,
    mark,
)
from radixcheck.verification.report.plots import Bar, Line, bars, curves, listed, listed_bars, short
from radixcheck.verification.review_6907.answers import BENCH, LATENCY
from radixcheck.verification.review_6907.cost_claims import CLAIMS
from radixcheck.verification.runs.report_data import ReportData
from radixcheck.verification.runs.stored_results import Stored

FIGURE = "evict p50"
PLAIN = ("stub", 1, 1)  # pool, page size and victims of the jobs of the growth curves


def section(data: ReportData) -> Section:
    """Return the section: claims with plots, growth, latencies, method, tables."""
    bench = data.stored(BENCH)
    blocks: list[Block] = [Paragraph(_method(bench)), Command("radixcheck bench --quick"), _claims(bench)]
    blocks += [_claim(bench, c) for c in bench["claims"] if c["pairs"]]
    blocks += _growth(bench)
    blocks += _latency(data)
    blocks.append(Part("figures", "All figures", list(_tables(bench)), folded=True, label="all figures"))
    missing = [f"`{name}`: {why}" for name, why in bench["missing"].items()]
    if missing:
        blocks.append(Paragraph(f"Not here: {'; '.join(missing)}."))
    return Section("benchmark", "Benchmark", blocks)


def _claims(bench: Stored) -> Table:
    rows: list[tuple[Words, ...]] = [
        (mark("cost", c["id"]), Badge(c["verdict"]), c["sentence"], _range(c["pairs"]), ", ".join(c["questions"])) for c in bench["claims"]
    ]
    return Table(("claim", "verdict", "what was compared", "times cheaper", "questions"), rows)


def _range(pairs: list[Mapping[str, Any]]) -> str:
    ratios = [pair["ratio"] for pair in pairs]
    return f"{short(min(ratios))} to {short(max(ratios))}" if len(ratios) > 1 else "".join(map(short, ratios))


def _claim(bench: Stored, c: Mapping[str, Any]) -> Part:
    """Return the ratios of a claim as a plot and as a table."""
    less, more = CLAIMS[c["id"]].less, CLAIMS[c["id"]].more
    names = (less[0], more[0]) if less[0] != more[0] else (less[1], more[1])
    shown = [Bar(pair["job"], *_spread(bench, c["id"], pair)) for pair in c["pairs"]]
    title = f"{c['id']}: how many times as much {names[1]} costs as {names[0]}"
    picture = Picture(bars(shown, title, f"{names[1]} / {names[0]}", anchor("plot", c["id"])), title, listed_bars(shown))
    columns = (f"{names[1]}, us", f"{names[0]}, us", "ratio")
    rows = [(p["job"], short(p["more"]), short(p["less"]), bar.text) for p, bar in zip(c["pairs"], shown, strict=True)]
    return Part(
        anchor("plotted", c["id"]), f"{c['id']}: {c['sentence']}", [Steps([picture]), Table(("case", *columns), rows, columns, True)]
    )


def _spread(bench: Stored, claim: str, pair: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return the least, middle and greatest ratio over the repetitions; the middle one is that of the medians."""
    (less, less_of), (more, more_of) = CLAIMS[claim].less, CLAIMS[claim].more
    ratios = []
    for job in (job for job in bench["jobs"] if job["scenario"] == CLAIMS[claim].scenario):
        of_cache = job["figures"]
        if less in of_cache and more in of_cache and _is_pair(of_cache[less].get(less_of), of_cache[more].get(more_of), pair):
            of = {(m["cache"], m["repetition"]): m["figures"] for m in bench["measurements"] if m["job"] == job["job"]}
            ratios = [of[more, i][more_of] / of[less, i][less_of] for cache, i in of if cache == less and (more, i) in of]
    return min([*ratios, pair["ratio"]]), pair["ratio"], max([*ratios, pair["ratio"]])


def _is_pair(less: Mapping[str, float] | None, more: Mapping[str, float] | None, pair: Mapping[str, Any]) -> bool:
    return less is not None and more is not None and (less["median"], more["median"]) == (pair["less"], pair["more"])


def _growth(bench: Stored) -> Iterator[Block]:
    """Yield the curves of the cost of an eviction of one victim against the number of leaves, and their values."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for job in bench["jobs"]:
        arguments = job["arguments"]
        if job["scenario"] == "decode" and (arguments["pool"], arguments["page_size"], arguments["victims"]) == PLAIN:
            for cache, figures in job["figures"].items():
                lines.setdefault(cache, []).append((arguments["leaves"], figures[FIGURE]["median"]))
    series = [Line(cache, tuple(sorted(points))) for cache, points in lines.items()]
    if series:
        title = "One eviction of 64 tokens against the number of leaves, microseconds (medians)"
        picture = Picture(curves(series, title, "evictable leaves", "us", "plot-growth"), title, listed(series))
        leaves = sorted({x for line in series for x, _ in line.points})
        rows = [
            (f"`{line.name}`", *(short(of[x]) if x in (of := dict(line.points)) else "" for x in leaves), _grown(line)) for line in series
        ]
        columns = (*(f"{x:,.0f} leaves" for x in leaves), "growth")
        blocks: list[Block] = [Steps([picture]), Table(("cache", *columns), rows, columns, True)]
        yield Part("growth", "How the cost of an eviction grows", blocks, label="growth")


def _grown(line: Line) -> str:
    """Return how many times as much the last point costs as the first; empty if there is only one."""
    return "" if len(line.points) == 1 else f"{short(line.points[-1][1] / line.points[0][1])}x"


def _latency(data: ReportData) -> Iterator[Block]:
    """Yield the latencies of a served model, if they are stored."""
    stored = data.results.stored.get(LATENCY)
    if stored is not None:
        rows: list[tuple[Words, ...]] = [
            (mark("cost", c["id"]), Badge(c["verdict"]), c.get("sentence", ""), c["text"]) for c in stored["claims"]
        ]
        yield Part("latency", "Latency of a served model", [Table(("claim", "verdict", "sentence", "figures"), rows)], label="latency")


def _method(bench: Stored) -> str:
    about = bench["about"]
    return (
        f"How: one process for each cache; {about['clock']}; garbage collection on; medians of {about['repetitions']} repetitions; "
        f"{about['machine']}, {about['cores']} cores, Python {about.get('python')}, torch {about.get('torch')}, "
        f"load {about['load before']:.1f} before. Every scenario checks that the work was done. Compare ratios of one run: "
        "absolute figures move with the machine. Whiskers and brackets: the least and the greatest ratio over the repetitions."
    )


def _tables(bench: Stored) -> Iterator[Block]:
    for job in bench["jobs"]:
        if job["figures"]:
            yield Part(anchor("job", job["job"]), job["job"], [Paragraph(SCENARIOS[job["scenario"]].sentence), _table(job)], whole=True)


def _table(job: Mapping[str, Any]) -> Table:
    columns = SCENARIOS[job["scenario"]].shown(job["figures"].values())
    rows = [
        (f"`{cache}`", *(_number(figures[column]["median"]) if column in figures else "" for column in columns))
        for cache, figures in job["figures"].items()
    ]
    return Table(("cache", *columns), rows, numbers=columns, matrix=True)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 or value == int(value) else f"{value:.1f}"
