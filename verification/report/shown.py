"""A trace in pictures: for a person at a terminal, as a page, and as JSON for machines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.padding import Padding
from rich.text import Text

from radixcheck.verification.catalogue import CATALOGUE
from radixcheck.verification.report.blocks import Document, Paragraph, Picture, Section, Steps
from radixcheck.verification.report.drawing import described, svg
from radixcheck.verification.report.frames import Frame
from radixcheck.verification.subjects.registry import UsageError
from radixcheck.verification.traces import Recorded

STYLES = {"new": "green", "evicted": "bold red", "cut off": "bold red", "stale": "dim", "lost": "bold red", "broken": "bold red"}


def status(found: Sequence[Frame]) -> int:
    """1: a property breaks at some step; 3: there is no step; 0: none does."""
    if any(frame.broken for frame in found):
        return 1
    return 0 if len(found) > 1 else 3


def title(frame: Frame) -> str:
    """What was done, and answered."""
    return f"{frame.number}  {frame.operation}: {frame.answer}" if frame.number else "0  before"


def text(name: str, recorded: Recorded, found: Sequence[Frame]) -> list[Any]:
    """One picture below the other; what is wrong is coloured, and said in words."""
    parts: list[Any] = [Text(f"{name}, {len(recorded.trace)} operations under {recorded.config}", "bold")]
    for frame in found:
        picture = Text(described(frame))
        for line in picture.plain.splitlines():
            for word, style in STYLES.items():
                if f"  {word}" in line or line.startswith(word) or f" {word}:" in line:
                    start = picture.plain.index(line)
                    picture.stylize(style, start, start + len(line))
        parts += [Text(title(frame), "bold"), Padding(picture, (0, 0, 1, 3))]
    broken = dict.fromkeys(violation.property for frame in found for violation in frame.broken)
    parts += [Text(f"{id_}: {CATALOGUE[id_].sentence}") for id_ in broken]
    return [*parts, Text(f"{name} breaks {', '.join(broken)}", "bold red") if broken else Text("no property breaks here", "green")]


def document(name: str, recorded: Recorded, found: Sequence[Frame]) -> Document:
    """The same for a browser."""
    pictures = [Picture(svg(frame, f"step-{frame.number}"), title(frame), described(frame)) for frame in found]
    intro = Paragraph(f"{len(recorded.trace)} operations under {recorded.config}.")
    return Document(f"radixcheck show: {name}", [Section("trace", recorded.property or "Trace", [intro, Steps(pictures)])])


def write(out: Path, name: str, recorded: Recorded, found: Sequence[Frame]) -> None:
    """The page, whole or not at all. Raises `UsageError`."""
    from radixcheck.verification.report.html import html

    unfinished = out.with_name(out.name + ".part")
    try:
        unfinished.write_text(html(document(name, recorded, found)), encoding="utf-8")
        unfinished.replace(out)
    except OSError as error:
        raise UsageError(f"--html {out}: cannot be written ({error.strerror}); give another file") from error


def to_json(name: str, recorded: Recorded, found: Sequence[Frame]) -> dict[str, Any]:
    """Everything that the pictures show, as text."""
    config = recorded.config
    steps = [
        {
            **{"step": frame.number, "operation": frame.operation, "answer": frame.answer, "picture": described(frame)},
            "broken": [{"property": v.property, "text": v.text} for v in frame.broken],
        }
        for frame in found
    ]
    head = {"subject": name, "policy": config.policy, "page_size": config.page_size, "pool": config.pool}
    return head | {"status": status(found), "steps": steps}
