"""A frame as inline SVG: the radix tree with segments, slots, times, locks, what is new and what was evicted; the heap; lost slots.

It is drawn as a list whose lines are indented, so that it can be read on a narrow page, and says in words all that it shows by shapes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from textwrap import wrap

from radixcheck.verification.protocol import NodeId, Observation, SeenNode
from radixcheck.verification.report.frames import Entry, Frame
from radixcheck.verification.report.pictures import run, tree

WIDTH = 352  # units; about as many pixels on a narrow page
ROW, LINE, INDENT, LEVELS = 36, 15, 16, 8  # of a node, of a line of text, of a level; levels that are indented
NODES, ENTRIES = 24, 10  # shown
LETTERS = 50  # of a line that fits
WORDS = {"gone": "its node is gone", "locked": "its node is locked", "inner": "its node has children", "aged": "its key is old"}
WORDS["doubled"] = "another one speaks for its node"

STYLE = """
.rc-box{fill:var(--paper);stroke:var(--ink);stroke-width:1}
.rc-locked{stroke-width:2.5}
.rc-new{fill:var(--shade)}
.rc-gone{fill:none;stroke:var(--bad);stroke-dasharray:4 3}
.rc-edge{fill:none;stroke:var(--soft)}
.rc-text{fill:var(--ink);font:11px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.rc-soft{fill:var(--soft)}
.rc-bad{fill:var(--bad)}
.rc-struck{text-decoration:line-through;fill:var(--soft)}
.rc-strong{font-weight:700}
"""


def described(frame: Frame) -> str:
    """All that the drawing shows, as text."""
    lines = [tree(frame.seen, frame.marks, NODES)] if frame.seen is not None else ["the cache does not show its inside"]
    lines += [text for text, _ in _below(frame)]
    return "\n".join(lines)


def svg(frame: Frame, name: str) -> str:
    """The drawing; `name` is unique within its page."""
    rows = list(_rows(frame.seen))[:NODES] if frame.seen is not None else []
    hidden = len(frame.seen.nodes) - len(rows) if frame.seen is not None else 0
    parts = [part for i, row in enumerate(rows) for part in _node(frame, row, i, rows)]
    height = LINE + ROW * len(rows)
    root = "the cache does not show its inside" if frame.seen is None else "root" if rows else "root (empty)"
    lines = [(f"and {hidden} more nodes", "")] if hidden else []
    for text, style in [*lines, *_below(frame)]:
        for piece in _wrapped(text):
            height += LINE
            parts.append(_text(16 if text[:1].isdigit() else 4, height - 3, piece, style))
    title = f"{frame.operation}: {frame.answer}" if frame.answer else frame.operation or "before"
    return (
        f'<svg class="frame" viewBox="0 0 {WIDTH} {height + 6}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(described(frame))}</desc>'
        f"{_text(4, 11, root, 'rc-soft')}{''.join(parts)}</svg>"
    )


@dataclass(frozen=True, slots=True)
class _Row:
    """A node, how deep it lies, and the row of its parent (-1: the root)."""

    node: SeenNode
    depth: int
    above: int


def _rows(seen: Observation) -> Iterator[_Row]:
    """Parents first, each followed by all that is below it."""
    children: dict[NodeId | None, list[SeenNode]] = {}
    for n in seen.nodes:
        children.setdefault(n.parent, []).append(n)
    stack = [(n, 0, -1) for n in reversed(children.get(None, []))]
    count = 0
    while stack:
        node, depth, above = stack.pop()
        yield _Row(node, depth, above)
        stack.extend((child, depth + 1, count) for child in reversed(children.get(node.name, [])))
        count += 1


def _node(frame: Frame, row: _Row, place: int, rows: Sequence[_Row]) -> Iterator[str]:
    """Its box, the edge to it, and two lines in it."""
    n, mark = row.node, frame.marks.get(row.node.name, "")
    x, y = _left(row), LINE + ROW * place + 4
    x0 = _left(rows[row.above]) + 8 if row.above >= 0 else 8
    y0 = LINE + ROW * row.above + ROW if row.above >= 0 else LINE
    yield f'<path class="rc-edge" d="M{x0},{y0}V{y + 15}H{x}"/>'
    kind = {"": "", "new": " rc-new"}.get(mark, " rc-gone")
    yield f'<rect class="rc-box{kind}{" rc-locked" if n.lock else ""}" x="{x}" y="{y}" width="{WIDTH - x - 2}" height="31" rx="4"/>'
    marks = "  ".join(word for word in (f"locked {n.lock}" if n.lock else "", mark) if word)
    segment = f"[{run(n.segment)}]" + (f" in {n.namespace!r}" if n.namespace and n.parent is None else "")
    room = (WIDTH - x) // 7 - len(marks) - 2
    yield _text(x + 6, y + 13, segment if len(segment) <= room else segment[: room - 2] + "..", "rc-strong")
    if marks:
        yield _text(WIDTH - 8, y + 13, marks, "rc-bad" if mark not in ("", "new") else "", "end")
    yield _text(x + 6, y + 26, _details(n), "rc-soft")


def _left(row: _Row) -> int:
    return 18 + INDENT * min(row.depth, LEVELS)


def _details(n: SeenNode) -> str:
    words = [f"slots {run(n.slots)}", f"time {n.time:g}"]
    words += [f"hits {n.hits}"] if n.hits else []
    words += [f"priority {n.priority}"] if n.priority else []
    return "  ".join(words)


def _below(frame: Frame) -> Iterator[tuple[str, str]]:
    """What is said below the tree: heap, lost slots, sizes, what is broken; each line with its style."""
    if frame.heap is not None:
        yield ("heap:" if frame.heap else "heap: empty"), ""
        yield from ((_entry(entry), "rc-struck" if entry.stale else "") for entry in frame.heap[:ENTRIES])
        if len(frame.heap) > ENTRIES:
            yield f"and {len(frame.heap) - ENTRIES} more entries", ""
    if frame.lost:
        yield f"lost: slots {run(frame.lost)}, which nobody can reach", "rc-bad"
    if frame.sizes is not None:
        yield f"free {frame.sizes.available}  evictable {frame.sizes.evictable}  protected {frame.sizes.protected}", "rc-soft"
    for violation in frame.broken:
        yield f"{violation.property} broken: {violation.text}", "rc-bad"


def _entry(entry: Entry) -> str:
    return f"{entry.key} for {entry.node}" + (f"  stale: {WORDS[entry.stale]}" if entry.stale else "")


def _wrapped(text: str) -> list[str]:
    """In lines that fit."""
    return wrap(text, LETTERS, subsequent_indent="    ") or [""]


def _text(x: int, y: int, text: str, style: str, anchor: str = "start") -> str:
    end = ' text-anchor="end"' if anchor == "end" else ""
    return f'<text class="rc-text {style}" x="{x}" y="{y}"{end} xml:space="preserve">{escape(text)}</text>'
