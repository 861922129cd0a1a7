"""What a document is made of, whatever it is written as: sections of paragraphs, tables, pictures and commands.

In a sentence `backticks` mark code. A verdict, and a reference to a place in the document, are marked as such, so that each form can show
them in its own way.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Badge:
    """A verdict in a sentence or a cell; with its colour where there is any."""

    word: str


@dataclass(frozen=True, slots=True)
class Link:
    """A reference to what has this id."""

    to: str
    text: str


@dataclass(frozen=True, slots=True)
class WebLink:
    """A reference to a page outside the document."""

    url: str
    text: str


Inline = str | Badge | Link | WebLink
Words = Inline | tuple[Inline, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph."""

    words: Words


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: Sequence[Words]


@dataclass(frozen=True, slots=True)
class Command:
    """What a reader can type."""

    line: str


@dataclass(frozen=True, slots=True)
class Plain:
    """Text as it is: a formula, a trace, a tree."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells. `ids`: what each row is referred to by, where it is."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Words]]
    numbers: Sequence[str] = ()  # columns that are aligned to the right
    ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing, and all that it shows in words; `text` is how it is drawn where there are only letters."""

    svg: str
    caption: Words
    text: str


@dataclass(frozen=True, slots=True)
class Steps:
    """Pictures of one trace, in order."""

    pictures: Sequence[Picture]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a section, with a heading of its own. Folded, where the form can: only its title is seen at first."""

    id: str
    title: Words
    blocks: "Sequence[Block]"
    folded: bool = False
    also: Sequence[str] = ()  # other ids by which it is referred to


Block = Paragraph | Items | Command | Plain | Table | Picture | Steps | Part


@dataclass(frozen=True, slots=True)
class Section:
    """A section: what it says first, then its blocks."""

    id: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Document:
    """A whole document."""

    title: str
    sections: Sequence[Section]
