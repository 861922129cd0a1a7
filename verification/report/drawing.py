"""A frame as inline SVG: the radix tree with segments, slots, times, locks, new and evicted nodes; the heap; lost slots.

It is drawn as an indented list, which fits on a narrow page. Everything that shapes show is also written as text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

from radixcheck.verification.core.printable import printable
from radixcheck.verification.core.short_text import numbers
from radixcheck.verification.core.tree_text import places
from radixcheck.verification.protocol import NodeId, Observation, SeenNode
from radixcheck.verification.trace_replay.alt_text import HIDDEN, NODES, alt_text, below, title
from radixcheck.verification.trace_replay.frame_results import DEMOTED, LOADED, NEW, SPLIT, Frame, figure

WIDTH = 352  # units; about as many pixels on a narrow page
ROW, LINE, INDENT, LEVELS = 36, 15, 16, 8  # of a node, of a line of text, of a level; levels that are indented
GAP_BELOW = 5  # a tree
GAP = 28  # between pictures that stand one below the other
LETTER = 6.7  # units: the widest that a letter of the font is
LETTERS = 50  # of a line that fits
SPACE = "http://www.w3.org/2000/svg"

THEME = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1c1e21;--soft:#5c6370;--rule:#d4d7dc;--shade:#f4f5f7;
--link:#0b57b0;--good:#17663a;--bad:#a5222b;--undecided:#7a5a00}
@media (prefers-color-scheme:dark){:root{--paper:#16181c;--ink:#e4e6ea;--soft:#a0a6b1;--rule:#3a3f48;--shade:#20242a;
--link:#7fb4ff;--good:#6fcf97;--bad:#ff8b8f;--undecided:#e0b64a}}
@media print{:root{color-scheme:light;--paper:#fff;--ink:#000;--soft:#444;--rule:#999;--shade:#eee;
--link:#000;--good:#0b4a28;--bad:#8a1018;--undecided:#5a4300}}
"""  # the colours of a page by purpose, which the drawings use too

STYLE = """
.rc-box{fill:var(--paper);stroke:var(--ink);stroke-width:1}
.rc-locked{stroke-width:3}
.rc-new{fill:var(--shade);stroke:var(--good)}
.rc-gone{fill:none;stroke:var(--bad);stroke-dasharray:4 3}
.rc-edge{fill:none;stroke:var(--soft)}
.rc-faded{stroke-dasharray:2 3}
.rc-page{fill:var(--paper)}
.rc-text{fill:var(--ink);font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.rc-soft{fill:var(--soft)}
.rc-bad{fill:var(--bad)}
.rc-struck{fill:var(--soft)}
.rc-line{text-decoration:line-through}
.rc-strong{font-weight:700}
"""


def svg(frame: Frame, name: str) -> str:
    """Return the drawing. `name` must be unique within the page."""
    body, height = _drawn(frame)
    return f'<svg class="frame" viewBox="0 0 {WIDTH} {height}" {_labelled(frame, name)}{body}</svg>'


def drawn(claim: str, shown: Sequence[Frame]) -> list[dict[str, str]]:
    """Return the pictures of the model that refutes a claim, each with its title and alternative text."""
    return [{"svg": svg(frame, f"model-{claim}-{frame.number}"), "title": title(frame), "text": alt_text(frame)} for frame in shown]


def stacked(shown: Sequence[Frame], name: str) -> str:
    """Return all drawings in one SVG file, below one another, each with its operation as the title."""
    parts, y = list[str](), 8
    for frame in shown:
        caption = wrap(title(frame), LETTERS)
        for line in caption:
            y += LINE
            parts.append(_text(4, y - 3, line, "rc-strong"))
        body, height = _drawn(frame)
        parts.append(f'<g transform="translate(0,{y + 4})" {_labelled(frame, f"{name}-{frame.number}")}{body}</g>')
        y += height + GAP
    size = f'viewBox="0 0 {WIDTH} {y}" width="{WIDTH}" height="{y}"'
    page = f'<rect class="rc-page" width="{WIDTH}" height="{y}"/>'
    return f'<svg xmlns="{SPACE}" {size}><style>{THEME}{STYLE}</style>{page}{"".join(parts)}</svg>\n'


def _labelled(frame: Frame, name: str) -> str:
    """Return the rest of a tag, with title and alternative text."""
    name = escape(name)
    texts = f'<title id="{name}-t">{escape(title(frame))}</title><desc id="{name}-d">{escape(alt_text(frame))}</desc>'
    return f'role="img" aria-labelledby="{name}-t {name}-d">{texts}'


def _drawn(frame: Frame) -> tuple[str, int]:
    """Return the shapes and texts, and their height."""
    rows = _rows(frame.shown)[:NODES] if frame.shown is not None else []
    hidden = len(frame.shown.nodes) - len(rows) if frame.shown is not None else 0
    root = "root" if rows else "root (empty)"
    parts = [_text(4, 11, root if frame.seen is not None else HIDDEN, "rc-soft")]
    parts += [part for row in rows for part in _node(frame, row)]
    height = rows[-1].top + rows[-1].height + GAP_BELOW if rows else LINE
    lines = [(f"and {hidden} more nodes", "plain")] if hidden else []
    for text, style in [*lines, *below(frame)]:
        for piece in wrap(printable(text), LETTERS, subsequent_indent="    "):
            height += LINE
            x = 16 if style in ("entry", "struck") else 4
            parts.append(_struck(x, height - 3, piece) if style == "struck" else _text(x, height - 3, piece, f"rc-{style}"))
    return "".join(parts), height + 6


@dataclass(frozen=True, slots=True)
class _Row:
    """A node, and its place in the drawing."""

    node: SeenNode
    depth: int
    top: int
    above: "_Row | None"  # its parent; None: the root

    @property
    def left(self) -> int:
        """The left edge of its box."""
        return 18 + INDENT * min(self.depth, LEVELS)

    @property
    def namespace(self) -> str:
        """The namespace, at its first node."""
        return f"in {self.node.namespace!r}" if self.node.namespace and self.above is None else ""

    @property
    def height(self) -> int:
        """The height with the space to the next node."""
        return ROW + (LINE - 2 if self.namespace else 0)


def _rows(seen: Observation) -> list[_Row]:
    """Return the rows: each parent before all nodes below it."""
    children: dict[NodeId | None, list[SeenNode]] = {}
    for n in seen.nodes:
        children.setdefault(n.parent, []).append(n)
    stack: list[tuple[SeenNode, _Row | None]] = [(n, None) for n in reversed(children.get(None, []))]
    rows: list[_Row] = []
    top = LINE
    while stack:
        node, above = stack.pop()
        rows.append(_Row(node, above.depth + 1 if above else 0, top, above))
        top += rows[-1].height
        stack.extend((child, rows[-1]) for child in reversed(children.get(node.name, [])))
    return rows


def _node(frame: Frame, row: _Row) -> Iterator[str]:
    """Yield the edge to a node, its box, and the lines in it."""
    n, mark = row.node, frame.labels.get(row.node.name, "")
    gone = mark not in ("", NEW, SPLIT, DEMOTED, LOADED)
    x, y, above = row.left, row.top + 4, row.above
    start = f"M{above.left + 8},{above.top + above.height - 1}" if above else f"M8,{LINE}"
    yield f'<path class="rc-edge{" rc-faded" if gone else ""}" d="{start}V{y + 15}H{x}"/>'
    kind = " rc-gone" if gone else " rc-new" if mark not in ("", DEMOTED) else ""
    kind += " rc-faded" if n.host_slots and not n.slots else ""  # only the host has it
    box = f'x="{x}" y="{y}" width="{WIDTH - x - 2}" height="{row.height - 5}" rx="4"'
    yield f'<rect class="rc-box{kind}{" rc-locked" if n.lock else ""}" {box}/>'
    counts = (f"locked {n.lock}" if n.lock else "", f"pinned {n.pins}" if n.pins else "")
    words = "  ".join(word for word in (*counts, mark) if word)
    yield _text(x + 6, y + 13, _fitting([f"[{numbers(n.segment)}]"], x, len(words)), "rc-strong")
    if words:
        yield _text(WIDTH - 8, y + 13, words, "rc-bad" if gone else "", "end")
    yield _text(x + 6, y + 26, _fitting([_details(n), _details(n, 4)], x, 0), "rc-soft")
    if row.namespace:
        yield _text(x + 6, y + 39, _fitting([row.namespace], x, 0), "rc-soft")


def _fitting(texts: Sequence[str], x: int, taken: int) -> str:
    """Return the first text that fits, else the last one, cut. `taken`: letters at the right."""
    room = int((WIDTH - x - 16) / LETTER) - taken - (2 if taken else 0)
    return next((text for text in texts if len(text) <= room), texts[-1][: room - 2] + "..")


def _details(n: SeenNode, *most: int) -> str:
    """Return the second line of a node. `most`: how many slots of each tier, if not all that numbers are shown of by default."""
    words = [*places(n, numbers(n.slots, *most), numbers(n.host_slots, *most)), f"time {figure(n.time)}"]
    words += [f"hits {n.hits}"] if n.hits else []
    words += [f"priority {n.priority}"] if n.priority else []
    return "  ".join(words)


def _struck(x: int, y: int, text: str) -> str:
    """Return a stale entry struck through; the reason is not."""
    entry, mark, why = text.partition("  stale")
    rest = f"<tspan>{escape(mark + why)}</tspan>" if mark else ""
    line = f'<tspan class="rc-line">{escape(entry)}</tspan>'
    return f'<text class="rc-text rc-struck" x="{x}" y="{y}" xml:space="preserve">{line}{rest}</text>'


def _text(x: int, y: int, text: str, style: str, anchor: str = "start") -> str:
    end = ' text-anchor="end"' if anchor == "end" else ""
    return f'<text class="rc-text {style}" x="{x}" y="{y}"{end} xml:space="preserve">{escape(printable(text))}</text>'
