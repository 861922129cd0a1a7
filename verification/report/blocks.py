"""The parts of a document, independent of its format: sections of paragraphs, tables, pictures and commands.

In a sentence `backticks` mark code. Verdicts and references have types of their own, so that each format can show them in its own way.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Badge:
    """A verdict in a sentence or a cell, coloured if the format has colours."""

    word: str


@dataclass(frozen=True, slots=True)
class Link:
    """A reference to the part with this id."""

    to: str
    text: str


@dataclass(frozen=True, slots=True)
class WebLink:
    """A reference to a page outside the document."""

    url: str
    text: str


def anchor(kind: str, *names: str) -> str:
    """Return an id within the document.

    >>> anchor("trace", "as-submitted:pairs", "EVICT_LEAF")
    'trace-as-submitted-pairs-EVICT_LEAF'
    """
    return "-".join("".join(c if c.isalnum() or c in "_." else "-" for c in name) for name in (kind, *names))


def link(kind: str, *names: str) -> Link:
    """Return a reference to the part with this anchor; its text is the last name."""
    return Link(anchor(kind, *names), names[-1])


@dataclass(frozen=True, slots=True)
class Mark:
    """A name in a cell or sentence to which references lead."""

    id: str
    text: str


def mark(kind: str, *names: str) -> Mark:
    """Return a name to which `link` with the same arguments leads."""
    return Mark(anchor(kind, *names), names[-1])


Inline = str | Badge | Link | WebLink | Mark
Words = Inline | tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph."""

    words: Words


@dataclass(frozen=True, slots=True)
class Lead:
    """The sentence that a reader must not miss, with the verdict in front of it."""

    verdict: str
    words: Words


@dataclass(frozen=True, slots=True)
class Terms:
    """Words, each with what it means."""

    meanings: Sequence[tuple[Inline, Words]]


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: Sequence[Words]
    minor: bool = False  # it is left out of a text that would be too long


@dataclass(frozen=True, slots=True)
class Command:
    """A command line."""

    line: str


@dataclass(frozen=True, slots=True)
class Plain:
    """Preformatted text: a formula, a trace, a tree."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first cell of each names the row.

    A matrix has many narrow columns: it may scroll within the page, and then keeps its first row and column in sight.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Words]]
    numbers: Sequence[str] = ()  # columns that are aligned to the right
    matrix: bool = False
    minor: bool = False  # as of a list


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing. `text`: its alternative text, which is used in formats without drawings."""

    svg: str
    caption: Words
    text: str


@dataclass(frozen=True, slots=True)
class Steps:
    """The pictures of one trace, in order."""

    pictures: Sequence[Picture]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a section, with a heading. `folded`: only the title is visible at first, if the format can fold."""

    id: str
    title: Words
    blocks: "Sequence[Block]"
    folded: bool = False
    also: Sequence[str] = ()  # other ids of this part
    label: str = ""  # in the contents; empty: it is not listed there
    whole: bool = False  # whether a filter shows all of it or nothing


Block = Paragraph | Lead | Terms | Items | Command | Plain | Table | Picture | Steps | Part


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the document."""

    id: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Document:
    """A document."""

    title: str
    sections: Sequence[Section]
