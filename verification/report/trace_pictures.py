"""Pictures of a whole trace: at the terminal, as JSON, as a page or one drawing in a file."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

from rich.padding import Padding
from rich.text import Text

from radixcheck.verification.core.catalogue import CATALOGUE
from radixcheck.verification.core.status import Status
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.replay.stepped import replicas
from radixcheck.verification.report import verify_files as files
from radixcheck.verification.report.alt_text import HIDDEN, NODES, below, clean, title, to_json
from radixcheck.verification.report.drawing import STYLE, THEME, stacked, svg
from radixcheck.verification.report.frames import EVICTED, NEW, SPLIT, Frame, frames
from radixcheck.verification.report.pictures import tree

PAGE, DRAWING = ".html", ".svg"  # how the name of a file ends
STYLES = {"plain": "", "entry": "", "soft": "dim", "bad": "bold red"}
MARKED = {NEW: "green", SPLIT: "green", EVICTED: "red"}  # any other: yellow


@dataclass(frozen=True, slots=True)
class Shown:
    """The pictures of a trace."""

    subject: str  # its name
    trace: str  # the file
    recorded: Recorded
    frames: tuple[Frame, ...]  # all of them
    chosen: tuple[Frame, ...]  # to be shown

    @property
    def status(self) -> Status:
        """REFUTED if a step breaks a property, shown or not."""
        return Status.REFUTED if any(frame.broken for frame in self.frames) else Status.HOLDS

    @property
    def heading(self) -> str:
        """Which trace this is."""
        count = len(self.recorded.trace)
        return clean(f"{self.trace} through {self.subject}: {count:,} operation{'s' * (count != 1)} under {self.recorded.config}")

    @property
    def lines(self) -> list[str]:
        """What the pictures come to, one sentence for each property that breaks."""
        first: dict[str, int] = {}
        for frame in self.frames:
            for violation in frame.broken:
                first.setdefault(violation.property, frame.number)
        said = [f"{id_} breaks at step {number}. {CATALOGUE[id_].sentence}" for id_, number in first.items()]
        rest = len(self.recorded.trace) - self.frames[-1].number
        if rest:
            said.append(f"the other {rest:,} operations were not performed: after this nothing can be judged")
        return said or ["no property breaks"]

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        names = {"subject": self.subject, "trace": self.trace, "status": self.status}
        return names | {"config": self.recorded.config.to_json(), "steps": [to_json(frame) for frame in self.chosen]}

    def parts(self, saved: str) -> list[Any]:
        """For a person at a terminal."""
        parts: list[Any] = [Text(self.heading), Text()]
        for frame in self.chosen:
            parts += [Text(title(frame), "bold"), Padding(_picture(frame), (0, 0, 0, 3), expand=False), Text()]
        style = "bold red" if self.status else "green"
        return [*parts, *(Text(clean(line), style) for line in self.lines), *([Text(saved)] if saved else [])]


def shown(trace: str, recorded: Recorded, subject: Subject, steps: Sequence[int]) -> Shown:
    """Perform a trace and look after each operation; `steps`: which to show, all if there are none."""
    found = frames(subject, recorded.config, recorded.trace)
    differing = None if any(frame.broken for frame in found) else replicas(subject, recorded)
    if differing:
        number, violation = differing
        found = tuple(replace(frame, broken=(violation,)) if frame.number == number else frame for frame in found)
    return Shown(subject.name, trace, recorded, found, tuple(frame for frame in found if not steps or frame.number in steps))


def _picture(frame: Frame) -> Text:
    lines = [Text(HIDDEN)] if frame.seen is None else [_coloured(clean(line)) for line in tree(frame.seen, frame.marks, NODES).splitlines()]
    lines += [_below(clean(text), style) for text, style in below(frame)]
    return Text("\n").join(lines)


def _below(text: str, style: str) -> Text:
    """A stale entry is struck through; the reason, which is true, is not."""
    if style != "struck":
        return Text(("  " if style == "entry" else "") + text, STYLES[style])
    entry, mark, why = text.partition("  stale")
    return Text.assemble("  ", (entry, "dim strike"), (mark + why, "dim"))


def _coloured(line: str) -> Text:
    """A node's mark stands at the end of its line."""
    node, gap, mark = line.rpartition("  ")
    colour = MARKED.get(mark, "yellow" if mark in ("cut off", "forgotten") else "")
    return Text.assemble(node + gap, (mark, colour)) if colour else Text(line)


def check_out(out: Path) -> None:
    """Whether pictures can be written there, before anything is run. Raises `UsageError`."""
    if out.suffix not in (PAGE, DRAWING):
        raise UsageError(f"--svg {out}: give a file that ends in {PAGE}, a page, or in {DRAWING}, one drawing")
    files.check_new("--svg", out)


def written(out: Path, pictures: Shown) -> None:
    """Write the chosen pictures as what the name of the file asks for."""
    text = page(pictures) if out.suffix == PAGE else stacked(pictures.chosen, "step")
    with out.open("x", encoding="utf-8") as file:
        file.write(text)


def page(pictures: Shown) -> str:
    """A page that needs nothing else."""
    figures = "\n".join(_figure(frame) for frame in pictures.chosen)
    said = "".join(f"<li>{escape(clean(line))}</li>" for line in pictures.lines)
    return PAGE_TEXT.format(title=escape(pictures.heading), style=THEME + STYLE + LAYOUT, said=said, figures=figures)


def _figure(frame: Frame) -> str:
    return f"<figure><figcaption>{escape(title(frame))}</figcaption>{svg(frame, f'step-{frame.number}')}</figure>"


LAYOUT = """
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:74rem;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
body,figcaption{overflow-wrap:anywhere}
h1{font-size:1.15rem;line-height:1.3;margin:0 0 .5rem}
ul{margin:.4rem 0 1.2rem;padding-left:1.2rem}
.steps{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:1.5rem 2rem;align-items:start}
figure{margin:0;min-width:0;max-width:26rem;break-inside:avoid}
figcaption{font:600 .85rem/1.35 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
figcaption{margin-bottom:.4rem;padding-top:.4rem;border-top:2px solid var(--rule)}
svg{width:100%;max-width:100%;height:auto;display:block}
"""

PAGE_TEXT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
<ul>{said}</ul>
<div class="steps">
{figures}
</div>
</body>
</html>
"""
