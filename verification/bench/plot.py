"""Plots the cost of an eviction against the number of leaves, as PNG and SVG."""

from pathlib import Path

from radixcheck.verification.bench.bench_data import FLOOR, OURS
from radixcheck.verification.bench.bench_results import Results
from radixcheck.verification.core.installing import install_command
from radixcheck.verification.core.usage import UsageError

FIGURE, SCENARIO = "evict p50", "decode"
NAME = "evict-by-leaves"
MARKERS = "osD^vP*X"
GREY = "#808080"  # of text and axes: readable on white and on black
STYLES = {OURS: ("-", 2.5, "C0"), FLOOR: (":", 1.2, GREY)}  # line, width, colour: not used for other caches
COLOURS = ("C1", "C2", "C3", "C4", "C5", "C6", "C8", "C9")


def folder(path: Path) -> Path:
    """Create the folder and return it. Raise `UsageError` if this fails or if matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise UsageError(f"--plot needs matplotlib: {install_command('plot')}") from error
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--plot {path}: cannot be made a folder: {error.strerror}") from error
    return path


def points(results: Results) -> dict[str, list[tuple[int, float]]]:
    """Return the leaves and microseconds of each cache, for one victim per call, the stub pool and pages of one token."""
    series: dict[str, list[tuple[int, float]]] = {}
    for job in results.jobs:
        if job.scenario != SCENARIO or (job.arguments["pool"], job.arguments["page_size"], job.arguments["victims"]) != ("stub", 1, 1):
            continue
        for cache, figures in results.figures(job.name).items():
            if FIGURE in figures:
                series.setdefault(cache, []).append((job.arguments["leaves"], figures[FIGURE].median))
    return {cache: sorted(line) for cache, line in series.items()}


def draw(results: Results, into: Path) -> list[Path]:
    """Write both files and return their paths."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure
    from matplotlib.ticker import StrMethodFormatter

    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    slowest_first = sorted(points(results).items(), key=lambda one: -one[1][-1][1])  # the order in which the lines end
    for i, (cache, line) in enumerate(slowest_first):
        style, width, colour = STYLES.get(cache, ("--", 1.2, COLOURS[i % len(COLOURS)]))
        axes.plot(*zip(*line, strict=True), style, marker=MARKERS[i % len(MARKERS)], label=cache, linewidth=width, color=colour)
    axes.set(xscale="log", yscale="log", xlabel="evictable leaves", ylabel="evict 64 tokens, us (median)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.patch.set_alpha(0)
    axes.grid(True, color=GREY, alpha=0.3)
    axes.tick_params(which="both", colors=GREY)
    for spine in axes.spines.values():
        spine.set_color(GREY)
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set_color(GREY)
    figure.legend(loc="outside right center", frameon=False, labelcolor=GREY)
    written = [into / f"{NAME}.{kind}" for kind in ("png", "svg")]
    for path in written:
        figure.savefig(path, dpi=160, transparent=True)
    return written
