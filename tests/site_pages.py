"""The pages of the site: each Markdown file of the project, with its links and the files and properties that it names as links."""

import os
import re
from functools import cache
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pdoc.render_helpers import to_html
from places import LAYERS, ROOT
from sources import modules, tracked

from radixcheck.verification.core.catalogue import EVERY

SPECIFICATION, API = "specification.html", "api.html"
TITLES = {  # of the pages in the navigation, in this order; the others follow
    "README.md": "Tour",
    "verification/README.md": "Check your cache",
    "verification/report/README.md": "Read a verdict",
    "optimized/README.md": "The cache as a library",
    "optimized/integrations/README.md": "Put it into SGLang",
}
VERIFICATION = {  # what callers of the kit import; the other rooms of `verification/` are its own
    f"radixcheck.verification{name}"
    for name in (
        *("", ".api", ".protocol", ".operations", ".pytest_plugin", ".core.choices", ".core.found", ".core.status", ".core.subject"),
        *(".core.traces", ".core.usage", ".runs.run_results", ".runs.trace_results", ".search.machine", ".search.search_results"),
        *(".subjects.reference_subject", ".subjects.reference_host_subject"),
    )
}
TEXT = {".toml", ".txt", ".sh", ".yml", ".mjs", ".js", ".jsonl", ".py", ".css", ".jinja2", ""}  # files that a page may link to as they are


class Page(NamedTuple):
    """One page: its source, relative to the top of the checkout, its file in the site, and its title."""

    source: str
    name: str
    title: str


@cache
def pages() -> tuple[Page, ...]:
    """Every Markdown file that git keeps, those with a title first."""
    sources = [path for path in tracked() if path.endswith(".md")]
    first = [path for path in TITLES if path in sources]
    return tuple(Page(path, page_file(path), TITLES.get(path) or _heading(path)) for path in (*first, *sorted({*sources} - {*first})))


def _heading(path: str) -> str:
    return (ROOT / path).read_text().partition("\n")[0].lstrip("# ")


def page_file(source: str) -> str:
    """The file of a page.

    >>> page_file("README.md"), page_file("spec/host/README.md"), page_file(".github/CONTRIBUTING.md")
    ('index.html', 'spec-host.html', 'github-contributing.html')
    """
    name = source.removesuffix(".md").removesuffix("README").strip("/.").replace("/", "-").lower()
    return f"{name or 'index'}.html"


def module_file(name: str) -> str:
    """The file of a module, as pdoc names it.

    >>> module_file("radixcheck.spec.logic")
    'radixcheck/spec/logic.html'
    """
    return f"{name.replace('.', '/')}.html"


class LinkedFiles:
    """The files of the checkout, other than pages and modules, to which a page links: the site has copies."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def name(self, path: str) -> str:
        """The name of a copy, which browsers show as text."""
        return f"files/{path.lstrip('.')}.txt"

    def __call__(self, path: str) -> str:
        """Note that the site needs a copy, and return its name."""
        self.used.add(path)
        return self.name(path)


linked_file = LinkedFiles()


def documented_modules() -> list[str]:
    """The names of the modules that the site shows, layer by layer."""
    names = [name for name, path in modules().items() if path.startswith(("spec/", "reference/", "optimized/")) or name in VERIFICATION]
    return sorted(names, key=lambda name: (LAYERS.index(name.split(".")[1]), name))


@cache
def _tracked() -> frozenset[str]:
    return frozenset(tracked())


@cache
def _modules_by_path() -> dict[str, str]:
    shown = {*documented_modules()}
    return {path: name for name, path in modules().items() if name in shown}


def place_of(named: str, source: str) -> str | None:
    """The file of the site for a path that a file of the project names: from its own folder, or from the top of the checkout."""
    for base in (PurePosixPath(source).parent, PurePosixPath()):
        path = os.path.normpath(base / named)
        for each in (path, f"{path}/README.md", f"{path}/__init__.py"):
            if each not in _tracked():
                continue
            if each.endswith(".md"):
                return page_file(each)
            if each in _modules_by_path():
                return module_file(_modules_by_path()[each])
            if PurePosixPath(each).suffix in TEXT:
                return linked_file(each)
    return None


class Linker(HTMLParser):
    """Writes HTML as it was read, with more links: `paths` in code that are files, ids of properties, and relative links of a page."""

    PATH = re.compile(r"(?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|md|toml|txt|jsonl|mjs)")
    PROPERTY = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|\b(?:ORDER|COUNT|COVER|PARENT|SOURCE|TARGET|ARRIVAL|PROTECTED)\b")

    def __init__(self, source: str, here: str) -> None:
        super().__init__(convert_charrefs=False)
        self.out: list[str] = []
        self._source, self._here = source, here
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text = self.get_starttag_text() or ""
        href = dict(attrs).get("href")
        if tag == "a" and href and not re.match(r"[a-z]+:|#", href) and not href.partition("#")[0].endswith(".html"):
            path, _, fragment = href.partition("#")
            place = place_of(path, self._source)
            if place is not None:
                target = self._relative(place) + (f"#{fragment}" if fragment else "")
                text = text.replace(f'"{escape(href)}"', f'"{target}"')
        self.out.append(text)
        if tag in ("a", "pre", "code", "script", "style", "h1", "h2", "h3", "h4"):
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.out.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self.out.append(f"</{tag}>")
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open == ["code"]:
            place = place_of(data, self._source) if self.PATH.fullmatch(data) else None
            if place is not None and place != self._here:
                self.out.append(f'<a href="{self._relative(place)}">{data}</a>')
                return
        if self._open in ([], ["code"]):
            data = self.PROPERTY.sub(self._property, data)
        self.out.append(data)

    def handle_entityref(self, name: str) -> None:
        self.out.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.out.append(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self.out.append(f"<!--{data}-->")

    def _property(self, found: re.Match[str]) -> str:
        if found[0] not in EVERY:
            return found[0]
        return f'<a href="{self._relative(SPECIFICATION)}#{found[0]}">{found[0]}</a>'

    def _relative(self, place: str) -> str:
        return os.path.relpath(place, Path(self._here).parent)


def link_texts(html: str, source: str, here: str) -> str:
    """HTML of a text of the file `source`, with links as from the page `here` of the site."""
    linker = Linker(source, here)
    linker.feed(html)
    linker.close()
    return "".join(linker.out)


def markdown_of(docstring: str) -> str:
    """A docstring as Markdown: what looks like the definition of a link is a list of tokens, and a star outside of code may be Python's.

    >>> print(markdown_of("[1 2]: *all* of LAZY-*, `f(*args)`, *others"))
    \\[1 2]: *all* of LAZY-\\*, `f(*args)`, \\*others
    """
    lines = [line if line.startswith(("    ", ">>>", "...")) else _without_markup(line) for line in docstring.split("\n")]
    return "\n".join(lines)


def _without_markup(line: str) -> str:
    parts = re.split(r"(`[^`]*`|(?<![\w*-])\*\w[^*]*\*(?![\w*]))", line)  # code and emphasis stand at odd places
    text = "".join(part if i % 2 else part.replace("*", r"\*") for i, part in enumerate(parts))
    return re.sub(r"^( {0,3})\[([^\]]*\]:)", r"\1\\[\2", text)


def rendered(page: Page) -> tuple[str, str]:
    """The HTML of a page, and of its table of contents."""
    html = to_html((ROOT / page.source).read_text())
    toc = str(getattr(html, "toc_html", "") or "")
    return link_texts(str(html), page.source, page.name), unescape(toc) if "&lt;" in toc else toc
