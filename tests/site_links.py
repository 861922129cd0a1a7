"""Whether every link of a folder of HTML files leads somewhere: to a file of the folder and, after `#`, to an id in it."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ATTRIBUTES = {"href", "src"}


class Anchors(HTMLParser):
    """The ids and the links of one file."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif name in ATTRIBUTES:
                self.links.append(value or "")


def broken_links(folder: Path) -> list[str]:
    """A sentence for each link that leads nowhere, and for a folder without pages. Links to other hosts are not followed."""
    files = {path.resolve(): Anchors(path.read_text()) for path in sorted(folder.rglob("*.html"))}
    if not files:
        return [f"{folder} has no pages"]
    root = folder.resolve()
    return [f"{path.relative_to(root)}: {sentence}" for path, page in files.items() for sentence in _broken(path, page, files)]


def _broken(path: Path, page: Anchors, files: dict[Path, Anchors]) -> Iterator[str]:
    for link in dict.fromkeys(page.links):
        parts = urlsplit(link)
        if parts.scheme in ("http", "https", "data", "mailto"):
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        fragment = unquote(parts.fragment)
        if not parts.path and not fragment:
            yield "a link is empty"
        elif not target.is_file():
            yield f"{link} leads to no file"
        elif fragment and target in files and fragment not in files[target].ids:
            yield f"{link} leads to no id of {target.name}"
