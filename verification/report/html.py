"""A document as one self-contained HTML file, for light and dark, narrow and wide screens, the keyboard and paper.

A small script filters what is shown. Without it the page shows everything, and all references work.
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import count
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from radixcheck.verification.report import drawing, plots
from radixcheck.verification.report.blocks import Badge, Block, Document, Inline, Link, Mark, Part, Table, WebLink, Words
from radixcheck.verification.report.references import References
from radixcheck.verification.report.style import tone


def html(document: Document) -> str:
    """Return the content of the file."""
    writer = _Writer(References.of(document))
    style = Markup(drawing.THEME + drawing.STYLE + plots.STYLE)
    names = {
        "words": writer.words,
        "title": writer.title,
        "drawn": writer.drawn,
        "kind": _kind,
        "contents": _contents,
        "tall": _tall,
        "tone": tone,
    }
    page: str = _environment().get_template("page.html").render(document=document, style=style, **names)
    return page.replace("&#39;", "'")  # no attribute is written between single quotes


@cache
def _environment() -> Environment:
    loader = PackageLoader("radixcheck.verification.report")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _kind(block: Block | Words) -> str:
    """Return what kind of block or words this is."""
    return type(block).__name__


def _contents(blocks: Sequence[Block]) -> list[Part]:
    """Return the parts that the contents list."""
    return [block for block in blocks if isinstance(block, Part) and block.label]


def _tall(table: Table) -> bool:
    """Whether the heads of columns are written from below upwards, because most of them are longer than their cells."""
    return table.matrix and not table.numbers and len(table.columns) > 8


class _Writer:
    """Writes words; a name leads to the part of the page that has it."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._drawings = count()

    def words(self, words: Words) -> Markup:
        """Return the words with references."""
        return Markup("").join(map(self._inline, _parts(words)))

    def title(self, words: Words) -> Markup:
        """Return the words of a heading: they have no references but those that were asked for."""
        return Markup("").join(_coded(part) if isinstance(part, str) else self._inline(part) for part in _parts(words))

    def drawn(self, svg: str) -> Markup:
        """Return a drawing with short ids of its own, and without what the style of the page says."""
        named = re.search(r'aria-labelledby="(\S+)-t ', svg)
        text = svg.replace(f"{named[1]}-", f"d{next(self._drawings)}-") if named else svg
        return Markup(text.replace(' xml:space="preserve"', "").replace('class="rc-text rc-plain"', "").replace('"rc-text ', '"'))

    def _inline(self, words: Inline) -> Markup:
        match words:
            case Badge(word):
                return Markup('<b class="verdict {}">{}</b>').format(tone(word), word)
            case Link(to, text):
                return Markup('<a href="#{}">{}</a>').format(to, text) if to in self._references.ids else _coded(text)
            case WebLink(url, text):
                return Markup('<a href="{}">{}</a>').format(url, text)
            case Mark(id_, text):
                return Markup('<span id="{}">{}</span>').format(id_, text)
        return Markup("").join(self._code(part) if i % 2 else self._text(part) for i, part in enumerate(words.split("`")))

    def _code(self, text: str) -> Markup:
        found = self._references.inside(text)
        return Markup('<a href="#{}">{}</a>').format(found, text) if found else Markup("<code>{}</code>").format(text)

    def _text(self, text: str) -> Markup:
        return Markup("").join(escape(part) if isinstance(part, str) else self._inline(part) for part in self._references.split(text))


def _parts(words: Words) -> tuple[Any, ...]:
    return words if isinstance(words, tuple) else (words,)


def _coded(text: str) -> Markup:
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(text.split("`")))
