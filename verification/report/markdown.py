"""A document as Markdown, short enough for a comment on a pull request: folded parts are left out."""

import re
from collections.abc import Iterator, Sequence

from radixcheck.verification.report.blocks import (
    Badge,
    Block,
    Command,
    Document,
    Inline,
    Items,
    Lead,
    Link,
    Mark,
    Paragraph,
    Part,
    Picture,
    Plain,
    Steps,
    Table,
    Terms,
    WebLink,
    Words,
)

LIMIT = 60_000  # characters that fit into a comment, with some to spare
# If the text would be too long. First: how many pictures of each trace are drawn, the last ones. Second: whether matrices, the meanings
# of words and what is minor are left out.
SHORTER = ((2, False), (1, False), (0, False), (0, True))


def markdown(document: Document) -> str:
    """Return the document as Markdown. Texts of caches are escaped, so that Markdown does not interpret them."""
    for pictures, brief in SHORTER:
        text = "\n".join(_Writer(pictures, brief).lines(document)) + "\n"
        if len(text) < LIMIT:
            break
    present = set(_ID.findall(text))
    return _LINK.sub(lambda link: link[0] if link[2] in present else link[1], text)


_ID, _LINK = re.compile(r'<a id="([^"]+)"></a>'), re.compile(r"\[([^\[\]]*)\]\(#([^()\s]+)\)")


class _Writer:
    """Writes blocks as lines."""

    def __init__(self, pictures: int, brief: bool) -> None:
        self._pictures = pictures
        self._brief = brief

    def lines(self, document: Document) -> Iterator[str]:
        """Yield the lines of the document."""
        yield f"# {_words(document.title)}"
        for section in document.sections:
            yield f'\n<a id="{section.id}"></a>\n## {_words(section.title)}'
            yield from self._blocks(section.blocks, 3)

    def _blocks(self, blocks: Sequence[Block], level: int) -> Iterator[str]:
        for block in blocks:
            yield ""
            yield from self._block(block, level)

    def _block(self, block: Block, level: int) -> Iterator[str]:
        match block:
            case Paragraph(words):
                yield _words(words)
            case Lead(verdict, words):
                yield f"**{verdict}** {_words(words)}"
            case Terms() | Table(matrix=True) | Table(minor=True) if self._brief:
                yield "In the HTML file only, as this text would be too long for a comment."
            case Terms(meanings):
                yield from (f"- {_inline(word)}: {_words(meaning)}" for word, meaning in meanings)
            case Items(minor=True) if self._brief:
                return
            case Items(items):
                yield from (f"- {_words(item)}" for item in items)
            case Command(line):
                yield from _fenced(line, "sh")
            case Plain(text):
                yield from _fenced(text)
            case Table():
                yield from _table(block)
            case Picture():
                yield from _fenced(f"{_plain(block.caption)}\n{block.text}")
            case Steps(pictures):
                yield from self._steps(pictures)
            case Part() if not block.folded:
                yield "".join(f'<a id="{id_}"></a>' for id_ in (block.id, *block.also))
                yield f"{'#' * min(level, 6)} {_words(block.title)}"
                yield from self._blocks(block.blocks, level + 1)

    def _steps(self, pictures: Sequence[Picture]) -> Iterator[str]:
        """Yield the last pictures, and the captions of all others."""
        drawn = pictures[len(pictures) - self._pictures :] if self._pictures else ()
        lines = [_plain(picture.caption) for picture in pictures if picture not in drawn]
        for picture in drawn:
            lines += ["", _plain(picture.caption), picture.text]
        yield from _fenced("\n".join(lines).strip())


def _table(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(map(_words, table.columns))} |"
    yield f"|{'|'.join('--:' if column in table.numbers else '---' for column in table.columns)}|"
    for row in table.rows:
        yield f"| {' | '.join(map(_words, row))} |"


def _fenced(text: str, language: str = "") -> list[str]:
    fence = "```"
    while fence in text:
        fence += "`"
    return [f"{fence}{language}", text, fence]


def _words(words: Words) -> str:
    return "".join(map(_inline, words)) if isinstance(words, tuple) else _inline(words)


def _inline(words: Inline) -> str:
    match words:
        case Badge(word):
            return f"**{word}**"
        case Link(to, text):
            return f"[{_escaped(text)}](#{to})"
        case WebLink(url, text):
            return f"[{_escaped(text)}]({url})"
        case Mark(id_, text):
            return f'<a id="{id_}"></a>{_escaped(text)}'
    return "".join(_code(part) if i % 2 else _escaped(part) for i, part in enumerate(words.split("`")))


def _code(text: str) -> str:
    return f"`{_on_one_line(text).replace('|', chr(92) + '|')}`"


def _escaped(text: str) -> str:
    """Escape characters that Markdown interprets."""
    return "".join(f"\\{c}" if c in "\\*_[]<>|#" else c for c in _on_one_line(text))


def _on_one_line(text: str) -> str:
    return " ".join(text.splitlines())


def _plain(words: Words) -> str:
    parts = words if isinstance(words, tuple) else (words,)
    return "".join(part if isinstance(part, str) else part.word if isinstance(part, Badge) else part.text for part in parts)
