"""Plots as inline SVG with the colours of the page and text as text: curves on two logarithmic axes, and bars of ratios with their spread.

Matplotlib places everything. Its SVG is then made fit for a page: colours become those of the page, ids become unique, and what would
reach beyond the drawing is left out.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from io import StringIO
from typing import Any

INK, SOFT, RULE, PAPER = "#010203", "#040506", "#070809", "#0a0b0c"  # stand for the colours of the page
COLOURS = {INK: "var(--ink)", SOFT: "var(--soft)", RULE: "var(--rule)", PAPER: "var(--paper)"}
TOLD_APART = {
    "#0d0e0f": "var(--good)",
    "#111213": "var(--link)",
    "#141516": "var(--bad)",
    "#171819": "var(--undecided)",
    SOFT: "var(--soft)",
}
MARKERS = "os^DvP*X"  # each line has a mark and a place of its own, so that colour is not needed to tell them apart
WIDE, HIGH = 6.4, 3.6  # inches of 72 units
BAR = 0.34  # inches for each bar
SHORTER = (  # what Matplotlib writes, and what says the same in fewer letters
    (r"\s*\n\s*", " "),
    (r'<path d="[^"]*" style="fill: none(?:; opacity: 0)?"/>', ""),
    (r"font-family: [^;\"]+;? ?|font: [\d.]+px '[^;\"]+;? ?", ""),
    (r" ?stroke-(?:linecap|linejoin): \w+;?", ""),
    (r'<clipPath.*?</clipPath>| clip-path="[^"]*"| transform="rotate\(-0 [^"]*"', ""),
    (r"([:;]) ", r"\1"),
    (r" +(?=[<\"])", ""),
)

STYLE = """
.plot text{font-family:system-ui,sans-serif}
.plot *{stroke-linejoin:round;stroke-linecap:butt}
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A name, and points from left to right. All numbers are positive."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Bar:
    """A ratio: its least, middle and greatest value over the repetitions. All are positive."""

    name: str
    least: float
    middle: float
    greatest: float

    @property
    def text(self) -> str:
        """Return the ratio in words.

        >>> Bar("100 leaves", 6.8, 7.2, 7.25).text
        '7.20x (6.80 to 7.25)'
        """
        spread = f" ({short(self.least)} to {short(self.greatest)})" if self.least != self.greatest else ""
        return f"{short(self.middle)}x{spread}"


def check_library() -> None:
    """Raise ImportError, with what to install, if Matplotlib is missing: before a report is obtained, which takes minutes."""
    if find_spec("matplotlib") is None:
        raise ImportError("the plots of a report need Matplotlib: pip install 'radixcheck[verify]'")


def listed(lines: Sequence[Line]) -> str:
    """Return the lines as text.

    >>> listed([Line("floor", ((1000, 1.7), (10000, 1.71)))])
    'floor: 1,000: 1.70, 10,000: 1.71'
    """
    return "\n".join(f"{line.name}: {', '.join(f'{x:,.0f}: {short(y)}' for x, y in line.points)}" for line in lines)


def listed_bars(bars: Sequence[Bar]) -> str:
    """Return the ratios as text.

    >>> listed_bars([Bar("100 leaves", 2, 2, 2)])
    '100 leaves: 2.00x'
    """
    return "\n".join(f"{bar.name}: {bar.text}" for bar in bars)


def short(value: float) -> str:
    """Return a number with three digits.

    >>> short(1234.5), short(43.21), short(7.0)
    ('1,234', '43.2', '7.00')
    """
    return f"{value:,.0f}" if value >= 100 else f"{value:#.3g}"


def curves(lines: Sequence[Line], title: str, across: str, up: str, name: str) -> str:
    """Return the drawing of lines on logarithmic axes, each with its name at its end. `name` must be unique within a page."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        colours = tuple(TOLD_APART)
        for i, line in enumerate(sorted(lines, key=lambda line: -line.points[-1][1])):
            colour = colours[i % len(colours)]
            axes.plot(*zip(*line.points, strict=True), marker=MARKERS[i % len(MARKERS)], markersize=5, label=line.name, color=colour)
        axes.set(xscale="log", yscale="log", xlabel=across, ylabel=up)
        _plain(axes, (axes.xaxis, axes.yaxis))
        axes.grid(True, color=RULE, linewidth=0.6)
        figure.legend(loc="outside right center", frameon=False, labelcolor=INK, fontsize=9)

    return _page(_svg(draw, WIDE, HIGH), f"{title}. {listed(lines)}", title, name)


def bars(shown: Sequence[Bar], title: str, across: str, name: str) -> str:
    """Return the drawing of ratios on a logarithmic axis that crosses at 1, with a whisker from the least to the greatest."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        middle = [bar.middle for bar in shown]
        spread = [[bar.middle - bar.least for bar in shown], [bar.greatest - bar.middle for bar in shown]]
        colours = [tuple(TOLD_APART)[1] if bar.middle >= 1 else tuple(TOLD_APART)[2] for bar in shown]
        places = range(len(shown))
        axes.barh(places, [value - 1 for value in middle], left=1, height=0.55, color=colours, alpha=0.75)
        axes.errorbar(middle, places, xerr=spread, fmt="none", color=INK, ecolor=INK, capsize=3, elinewidth=1.2)
        for place, bar in zip(places, shown, strict=True):
            axes.annotate(bar.text, (max(bar.greatest, 1), place), (6, 0), textcoords="offset points", va="center", color=INK, fontsize=9)
        axes.set_yticks(places, [bar.name for bar in shown])
        axes.set(xscale="log", xlabel=across, xlim=(min(1, *(bar.least for bar in shown)) * 0.8, max(bar.greatest for bar in shown) * 12))
        axes.invert_yaxis()
        axes.axvline(1, color=INK, linewidth=1)
        _plain(axes, (axes.xaxis,))
        axes.grid(True, axis="x", color=RULE, linewidth=0.6)

    return _page(_svg(draw, WIDE, 0.9 + BAR * len(shown)), f"{title}. {listed_bars(shown)}", title, name)


def _plain(axes: Any, logarithmic: Sequence[Any]) -> None:
    """Give axes the colours of the page, and numbers without powers."""
    from matplotlib.ticker import NullFormatter, StrMethodFormatter

    for axis in logarithmic:
        axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.set_axisbelow(True)
    axes.patch.set_alpha(0)
    axes.minorticks_off()
    axes.tick_params(which="both", left=False, bottom=False, labelcolor=INK, labelsize=9)
    for side, spine in axes.spines.items():
        spine.set_color(SOFT)
        spine.set_visible(side in ("left", "bottom"))
    for label in (axes.xaxis.label, axes.yaxis.label):
        label.set(color=INK, fontsize=9)


def _svg(draw: Callable[[Any], None], wide: float, high: float) -> str:
    """Return the SVG that Matplotlib makes of a figure."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "radixcheck", "font.family": "DejaVu Sans"}):
        figure = Figure(figsize=(wide, high), layout="constrained")
        draw(figure)
        written = StringIO()
        figure.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return written.getvalue()


def _page(svg: str, words: str, title: str, name: str) -> str:
    """Return the drawing as a part of a page."""
    size = re.search(r'viewBox="[^"]+"', svg)
    body = svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")]
    body = re.sub(r"<style.*?</style>|<metadata.*?</metadata>|<!--.*?-->", "", body, flags=re.DOTALL)
    used = set(re.findall(r'(?:href="|url\()#([^")]+)', body))
    body = re.sub(r' id="([^"]+)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", body)
    body = re.sub(r"(?<=href=\"#)|(?<=url\(#)", f"{name}-", body).replace("xlink:href", "href")
    for colour, of_page in {**COLOURS, **TOLD_APART}.items():
        body = body.replace(colour, of_page)
    for pattern, short_form in SHORTER:
        body = re.sub(pattern, short_form, body)
    body = re.sub(r' (?:d|x|y|width|height|transform)="[^"]+"', lambda found: re.sub(r"(\d\.\d)\d+", r"\1", found[0]), body)
    body = _unwrapped(body)
    head = f'<svg class="plot" {size[0] if size else ""} role="img" aria-labelledby="{name}-t {name}-d">'
    return f'{head}<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(words)}</desc>{body}</svg>'


def _unwrapped(body: str) -> str:
    """Return the shapes without groups that say nothing of them."""
    shown, said = list[str](), list[bool]()  # of each group that is open: whether its tag is shown
    for part in re.split(r"(</?g\b[^>]*>)", body):
        if part.startswith("<g"):
            said.append(part != "<g>")
        if not part.startswith(("<g", "</g")) or said[-1]:
            shown.append(part)
        if part.startswith("</g"):
            said.pop()
    return "".join(shown).replace("<defs></defs>", "")
