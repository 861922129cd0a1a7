"""A document as one HTML file that needs nothing else: no network, no scripts; light and dark, narrow and wide, and on paper."""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report import chart, drawing
from radixcheck.verification.report.blocks import Badge, Block, Document, Inline, Link, WebLink, Words

GOOD = (Verdict.PROVED, Verdict.EXHAUSTED, Verdict.TESTED, Verdict.MEASURED, Verdict.KILLED, Verdict.REPEATED)
BAD = (Verdict.REFUTED, Verdict.SURVIVED, Verdict.NOT_AS_EXPECTED, Verdict.MISSING, Verdict.GONE)


def html(document: Document) -> str:
    """The whole file."""
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
    """Which macro writes it."""
    return type(block).__name__


def _words(words: Words) -> Markup:
    parts: tuple[Any, ...] = words if isinstance(words, tuple) else (words,)
    return Markup("").join(map(_inline, parts))


def _inline(words: Inline) -> Markup:
    match words:
        case Badge(word):
            kind = "good" if word in GOOD else "bad" if word in BAD else "none"
            return Markup('<b class="verdict {}">{}</b>').format(kind, word)
        case Link(to, text):
            return Markup('<a href="#{}">{}</a>').format(to, text)
        case WebLink(url, text):
            return Markup('<a href="{}">{}</a>').format(url, text)
    parts = words.split("`")
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else escape(part) for i, part in enumerate(parts))
