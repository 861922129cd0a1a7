"""A chart with two logarithmic axes, as inline SVG with the colours of the page, and as text."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

WIDTH, HEIGHT = 340, 260  # units; a page may scale them
LEFT, RIGHT, TOP, BOTTOM = 44, 24, 20, 38
SHAPES = (
    "M-3.5,-3.5h7v7h-7z",  # square
    "M0,-4.5L4.5,3.5L-4.5,3.5z",  # triangle
    "M0,-4.5L4.5,0L0,4.5L-4.5,0z",  # diamond
    "M-4,0h8M0,-4v8",  # plus
    "M-3,-3L3,3M-3,3L3,-3",  # cross
    "M0,4.5L4.5,-3.5L-4.5,-3.5z",  # triangle upside down
)  # each line has a mark of its own, so that colour is not needed to tell them apart

STYLE = """
.ch-axis{stroke:var(--rule);stroke-width:1}
.ch-text{fill:var(--ink);font:10px system-ui,sans-serif}
.ch-line{fill:none;stroke:var(--ink);stroke-width:1.3}
.ch-mark{fill:var(--paper);stroke:var(--ink);stroke-width:1.3}
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A name, and points from left to right. All numbers are positive."""

    name: str
    points: Sequence[tuple[float, float]]


def listed(lines: Sequence[Line]) -> str:
    """Return the lines as text.

    >>> listed([Line("floor", ((1000, 1.7), (10000, 1.71)))])
    'floor: 1,000: 1.7, 10,000: 1.71'
    """
    return "\n".join(f"{line.name}: {', '.join(f'{x:,.0f}: {_short(y)}' for x, y in line.points)}" for line in lines)


def chart(lines: Sequence[Line], title: str, across: str, up: str, name: str) -> str:
    """Return the drawing. `name` must be unique within a page."""
    xs, ys = ([point[i] for line in lines for point in line.points] for i in (0, 1))
    frame = _Frame(min(xs), max(xs), 10 ** floor(log10(min(ys))), 10 ** ceil(log10(max(ys))))
    height = HEIGHT + 16 * len(lines)
    words = f"{title}. {listed(lines)}"
    return "".join(
        (
            f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{name}-t {name}-d">',
            f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(words)}</desc>',
            *_axes(frame, across, up),
            *(part for i, line in enumerate(lines) for part in _line(frame, line, SHAPES[i % len(SHAPES)], HEIGHT + 16 * i)),
            "</svg>",
        )
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    """The scale of both axes."""

    x0: float
    x1: float
    y0: float
    y1: float

    def x(self, value: float) -> float:
        span = log10(self.x1 / self.x0) or 1
        return LEFT + (WIDTH - LEFT - RIGHT) * log10(value / self.x0) / span

    def y(self, value: float) -> float:
        span = log10(self.y1 / self.y0) or 1
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * log10(value / self.y0) / span


def _axes(frame: _Frame, across: str, up: str) -> Iterator[str]:
    """Yield a line for each power of ten."""
    for power in range(round(log10(frame.y0)), round(log10(frame.y1)) + 1):
        y = frame.y(10.0**power)
        yield f'<line class="ch-axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="ch-text" x="{LEFT - 4}" y="{y + 3:.1f}" text-anchor="end">{_short(10.0**power)}</text>'
    for power in range(ceil(log10(frame.x0)), floor(log10(frame.x1)) + 1):
        x = frame.x(10.0**power)
        yield f'<line class="ch-axis" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        yield f'<text class="ch-text" x="{x:.1f}" y="{HEIGHT - BOTTOM + 13}" text-anchor="middle">{_short(10.0**power)}</text>'
    yield f'<text class="ch-text" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - BOTTOM + 27}" text-anchor="middle">{escape(across)}</text>'
    yield f'<text class="ch-text" x="{LEFT}" y="{TOP - 9}">{escape(up)}</text>'


def _line(frame: _Frame, line: Line, shape: str, below: int) -> Iterator[str]:
    """Yield the points, and the name with its mark in the list below the chart."""
    places = [(frame.x(x), frame.y(y)) for x, y in line.points]
    yield f'<polyline class="ch-line" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in places)}"/>'
    for x, y in [*places, (LEFT + 4, below + 4)]:
        yield f'<path class="ch-mark" transform="translate({x:.1f},{y:.1f})" d="{shape}"/>'
    values = ", ".join(_short(y) for _, y in line.points)
    yield f'<text class="ch-text" x="{LEFT + 14}" y="{below + 8}">{escape(line.name)}: {values}</text>'


def _short(value: float) -> str:
    """Return a number with three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
