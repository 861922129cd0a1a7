"""A document as one self-contained HTML file without scripts, for light and dark, narrow and wide screens, and for paper."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from radixcheck.verification.report import chart, drawing
from radixcheck.verification.report.blocks import Badge, Block, Document, Inline, Link, WebLink, Words
from radixcheck.verification.report.style import tone


def html(document: Document) -> str:
    """Return the content of the file."""
    style = Markup(drawing.THEME + drawing.STYLE + chart.STYLE)
    page: str = _environment().get_template("page.html").render(document=document, style=style)
    return page


@cache
def _environment() -> Environment:
    loader = PackageLoader("radixcheck.verification.report")
    found = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    found.filters |= {"words": _words, "kind": _kind, "drawn": Markup}
    return found


def _kind(block: Block) -> str:
    """Return the name of the macro that writes a block."""
    return type(block).__name__


def _words(words: Words) -> Markup:
    parts: tuple[Any, ...] = words if isinstance(words, tuple) else (words,)
    return Markup("").join(map(_inline, parts))


def _inline(words: Inline) -> Markup:
    match words:
        case Badge(word):
            return Markup('<b class="verdict {}">{}</b>').format(tone(word), word)
        case Link(to, text):
            return Markup('<a href="#{}">{}</a>').format(to, text)
        case WebLink(url, text):
            return Markup('<a href="{}">{}</a>').format(url, text)
    parts = words.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts))
