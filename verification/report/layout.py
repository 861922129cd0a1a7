"""How results fit the width at hand: trees and texts keep their indent, a table becomes records, pairs get as many columns as fit."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from radixcheck.verification.core.printable import printable

LONGEST_ESCAPE = len(r"\U00000000")
UNBOUNDED = 100_000  # columns: wider than any text
LEAD = re.compile(r"\s*(?:[│├└─][│├└─ ]*|\d+  )?")  # of a line: the lines of a tree, or the number of an operation
BELOW_LEAD = str.maketrans({"├": "│", **dict.fromkeys("└─0123456789", " ")})  # of the lines that continue it
HANG = "  "  # of what continues the line of a node
TREE = "│├└─"
ASCII = str.maketrans({"│": "|", "├": "|", "└": "`", "─": "-", "…": "..."})  # where the encoding has no others
NARROWEST = 8  # characters of a column: marks that are written over others have none
SHORTEST = 8  # columns for a text behind its indent


class Folded:
    """Lines of text. One that is too long goes on below its own beginning, not below its indent."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Yield the lines."""
        for line in self._text.split("\n", allow_blank=True):
            for part in folded(line, options.max_width):
                part.no_wrap, part.overflow = True, "ignore"
                yield part

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return the columns of the longest line, at most those at hand."""
        longest = max(map(cell_len, self._text.plain.split("\n")))
        return Measurement(min(longest, options.max_width), min(longest, options.max_width))


def folded(line: Text, width: int) -> Iterator[Text]:
    """Yield a line in parts of at most `width` columns. That of a node is broken between its fields, any other between words.

    >>> [part.plain for part in folded(Text("└─ [1 2]  slots 4 5  time 4"), 22)]
    ['└─ [1 2]  slots 4 5', '     time 4']
    """
    lead = match[0] if (match := LEAD.match(line.plain)) else ""
    is_node = not set(TREE).isdisjoint(lead)
    room = max(0, width - SHORTEST)
    indent = (lead.translate(BELOW_LEAD) + HANG * is_node)[:room]
    *broken, last = line.divide(_breaks(line.plain, min(len(lead), room), indent, width, "  " if is_node else " "))[::2]
    for part in broken:
        part.rstrip()
    first, *rest = (*broken, last)
    yield first
    yield from (Text.assemble(indent, part) for part in rest)


def _breaks(text: str, first: int, indent: str, width: int, gap: str) -> Iterator[int]:
    """Yield where each part of a text ends, and where the next one begins: behind the spaces. No more of it is read than may fit."""
    start, before, read = 0, "", NARROWEST * max(1, width)
    while start + read < len(text) or cell_len(before + text[start:]) > width:
        end = start - len(before) + _cut(before + text[start : start + read], first, width, gap)
        start = len(text) - len(text[end:].lstrip(" ")) if text[end : end + 1] == " " else end
        yield from (end, start)
        before, first = indent, len(indent)


def _cut(text: str, first: int, width: int, gap: str) -> int:
    """Return where to break a text: at the last gap that leaves at most `width` columns before it, else at the last space, else there."""
    end = bisect_right(range(len(text) + 1), width, key=lambda i: cell_len(text[:i])) - 1
    for separator in (gap, " "):
        found = text.rfind(separator, first + 1, end + len(separator))
        if found > first:
            return found
    return max(end, first + 1)


class Grid(Table):
    """A table. Where its longest words do not fit beside each other, each row is a record: the first cell, then the others, named."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Any:
        """Yield the table, or the records."""
        needed = Measurement.get(console, options.update(max_width=UNBOUNDED), self).minimum
        if needed <= options.max_width:
            yield from super().__rich_console__(console, options)
            return
        for cells in zip(*(column.cells for column in self.columns), strict=True):
            names = [str(column.header) for column in self.columns]
            yield from _record([(name, as_text(cell)) for name, cell in zip(names, cells, strict=True)], options.max_width)


def _record(cells: Sequence[tuple[str, Text]], width: int) -> Iterator[Text]:
    """Yield the lines of one row."""
    (_, first), *others = cells
    yield from folded(first, width)
    line = Text(HANG)
    for name, cell in others:
        words = Text.assemble(name, " " if name else "", cell)
        if not cell.plain.strip():
            continue
        if line.plain.strip() and cell_len(line.plain + HANG + words.plain) > width:
            yield line
            line = Text(HANG)
        line = Text.assemble(line, HANG if line.plain.strip() else "", words)
        *whole, line = folded(line, width)
        yield from whole
    if line.plain.strip():
        yield line


def as_text(cell: RenderableType) -> Text:
    """Return the text of a cell."""
    return cell if isinstance(cell, Text) else Text(str(cell))


class SideBySide:
    """Texts next to each other; one below the other, where there is no room for that."""

    def __init__(self, *texts: str) -> None:
        self._texts = [Text(text) for text in texts]
        self._gap = 6 if len(texts) < 3 else 3

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Any:
        """Yield all of them."""
        widths = [max(map(cell_len, text.plain.split("\n"))) for text in self._texts]
        if sum(widths) + self._gap * (len(widths) - 1) > options.max_width:
            yield from map(Folded, self._texts)
            return
        together = Table(box=None, show_header=False, padding=(0, self._gap, 0, 0), pad_edge=False)
        together.add_row(*self._texts)
        yield together


class Spread:
    """A table of so many columns as there is room for. `build(n)` makes one of n."""

    def __init__(self, build: Callable[[int], Table], most: int) -> None:
        self._build, self._most = build, most

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Any:
        """Yield the widest that fits."""
        wide = options.update(max_width=UNBOUNDED)
        tables = map(self._build, range(self._most, 0, -1))
        fitting = (table for table in tables if Measurement.get(console, wide, table).maximum <= options.max_width)
        yield next(fitting, self._build(1))


class Indented:
    """A renderable with spaces at the left, and none at the right; and with empty lines below it."""

    def __init__(self, part: RenderableType, columns: int, below: int = 0) -> None:
        self._part, self._columns, self._below = part, columns, below

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Yield its lines."""
        inner = options.update(max_width=max(1, options.max_width - self._columns))
        for line in console.render_lines(self._part, inner, pad=False):
            yield Segment(" " * self._columns)
            yield from line
            yield Segment.line()
        yield from [Segment.line()] * self._below


def fitted(part: RenderableType) -> RenderableType:
    """Return a renderable whose texts are folded, but for those that are not to be wrapped."""
    if isinstance(part, str):
        return Folded(Text(part))
    if isinstance(part, Text):
        return part if part.no_wrap else Folded(part)
    if isinstance(part, Padding):
        return Indented(fitted(part.renderable), part.left, part.bottom)
    return part


class Printable:
    """Renderables below one another. What a terminal would obey is escaped, whoever wrote it. Where it has no lines, trees are ASCII."""

    def __init__(self, parts: Sequence[Any]) -> None:
        self._parts = Group(*map(fitted, parts))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Yield the text in pieces of one style."""
        for text, style, control in console.render(self._parts, options):
            safe = "\n".join(printable(line, len(line) * LONGEST_ESCAPE) for line in text.split("\n"))
            yield Segment(safe.translate(ASCII) if options.ascii_only else safe, style, control)
