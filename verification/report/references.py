"""Where a name in a sentence leads: to the part of the page that has it, or to a public page outside."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from radixcheck.verification.report.blocks import Block as AnyBlock
from radixcheck.verification.report.blocks import Document, Inline, Items, Lead, Link, Mark, Paragraph, Part, Table, Terms, WebLink, anchor
from radixcheck.verification.review_6907.field_faults import FIELD_FAULTS

KINDS = ("question", "property", "claim", "fact", "cost", "mutant", "cache", "source")  # of anchors, in the order in which they are tried
FORGE = "https://github.com"
OWNERS = {"sglang": "sgl-project", "mini-sglang": "sgl-project", "sglang-omni": "sgl-project", "vllm": "vllm-project"}
# An id in prose is a capital letter with a number, or a word in capitals; so `base` and `order` in a sentence stay what they are.
_NAME = re.compile(
    r"(?P<fault>\bFB-\d\d\b)"
    r"|(?:(?P<owner>[\w.-]+)/)?(?P<repository>\b[\w.-]+)?#(?P<number>\d+)\b"
    r"|(?P<id>\b(?:[CQL]\d{1,2}\b(?!-)|[A-Z][A-Z0-9_]{3,}\b(?:-\w+)*|[A-Z][A-Z0-9]*(?:-\w+)+))"
)


@dataclass(frozen=True, slots=True)
class References:
    """The ids of a page."""

    ids: frozenset[str]

    @classmethod
    def of(cls, document: Document) -> "References":
        """Return the ids of a document."""
        return cls(frozenset(id_ for section in document.sections for id_ in (section.id, *_ids(section.blocks))))

    def inside(self, name: str) -> str:
        """Return the id that a name leads to; an empty string if it leads nowhere. The formula of `evict/COUNT` is COUNT."""
        for part in dict.fromkeys((name, name.rpartition("/")[2])):
            for kind in KINDS:
                if (found := anchor(kind, part)) in self.ids:
                    return found
        return ""

    def split(self, text: str) -> Iterator[str | Link | WebLink]:
        """Yield a text without code in parts: text, and references for the names in it."""
        at, repository = 0, ""
        for match in _NAME.finditer(text):
            repository = match["repository"] or repository
            found = self._reference(match, repository)
            if found is not None:
                yield text[at : match.start()]
                yield found
                at = match.end()
        yield text[at:]

    def _reference(self, match: re.Match[str], repository: str) -> Link | WebLink | None:
        """Return a reference for a name. A bare number is of the repository that was named before it."""
        text = match[0]
        if match["fault"]:
            return WebLink(FIELD_FAULTS[text].url, text) if text in FIELD_FAULTS else None
        if match["number"]:
            owner = match["owner"] or OWNERS.get(repository, "")
            return WebLink(f"{FORGE}/{owner}/{repository}/pull/{match['number']}", text) if owner and repository else None
        found = self.inside(text)
        return Link(found, text) if found else None


def _ids(blocks: Sequence[AnyBlock]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Part():
                yield from (block.id, *block.also, *_ids(block.blocks))
            case Table():
                yield from (word.id for row in block.rows for cell in row for word in _words(cell) if isinstance(word, Mark))
            case Items():
                yield from (word.id for item in block.items for word in _words(item) if isinstance(word, Mark))
            case Terms():
                yield from (word.id for word, _ in block.meanings if isinstance(word, Mark))
            case Paragraph() | Lead():
                yield from (word.id for word in _words(block.words) if isinstance(word, Mark))


def _words(words: Inline | tuple[Inline, ...]) -> tuple[Inline, ...]:
    return words if isinstance(words, tuple) else (words,)
