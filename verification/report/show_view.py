"""The result of `radixcheck show`: at the terminal, as a page, or as one drawing."""

from html import escape
from pathlib import Path
from typing import Any

from rich.padding import Padding
from rich.text import Text

from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.printable import printable
from radixcheck.verification.core.tree_text import tree
from radixcheck.verification.report.drawing import STYLE, THEME, stacked, svg
from radixcheck.verification.report.style import COLOURS, Tone, status_colour
from radixcheck.verification.report.wording import WRONG
from radixcheck.verification.runs.trace_results import ShowOutcome
from radixcheck.verification.trace_replay.alt_text import HIDDEN, NODES, below, title
from radixcheck.verification.trace_replay.frame_results import CUT_OFF, DEMOTED, EVICTED, FORGOTTEN, LOADED, NEW, SPLIT, Frame

PAGE, DRAWING = ".html", ".svg"  # how the name of a file ends
STYLES = {"plain": "", "entry": "", "soft": "dim", "bad": COLOURS[Tone.BAD]}
MARKED = {NEW: "green", SPLIT: "green", LOADED: "green", EVICTED: "red", **dict.fromkeys((DEMOTED, CUT_OFF, FORGOTTEN), "yellow")}


def show(outcome: ShowOutcome) -> list[Any]:
    """Return the chosen frames, and which properties break."""
    parts: list[Any] = [Text(heading(outcome)), Text()]
    for frame in outcome.chosen:
        parts += [
            Text.assemble((title(frame), "bold"), (WRONG, COLOURS[Tone.BAD]) if frame.broken else ""),
            Padding(_picture(frame), (0, 0, 0, 3), expand=False),
            Text(),
        ]
    return [*parts, *(Text(printable(line), status_colour(outcome.status)) for line in breaks(outcome))]


def heading(outcome: ShowOutcome) -> str:
    """Return the name of the trace, the subject and the configuration."""
    count = len(outcome.recorded.trace)
    return printable(f"{outcome.trace} through {outcome.subject}: {count:,} operation{'s' * (count != 1)} under {outcome.recorded.config}")


def breaks(outcome: ShowOutcome) -> list[str]:
    """Return one sentence for each property that breaks."""
    first: dict[str, int] = {}
    for frame in outcome.frames:
        for violation in frame.broken:
            first.setdefault(violation.property, frame.number)
    lines = [f"{id_} breaks at step {number}. {EVERY[id_].sentence}" for id_, number in first.items()]
    rest = len(outcome.recorded.trace) - outcome.frames[-1].number
    if rest:
        lines.append(f"the other {rest:,} operations were not performed: after this nothing can be judged")
    return lines or ["no property breaks"]


def _picture(frame: Frame) -> Text:
    lines = [Text(HIDDEN)] if frame.seen is None else []
    if frame.shown is not None:
        lines += [_coloured(printable(line)) for line in tree(frame.shown, frame.labels, NODES).splitlines()]
    lines += [_below(printable(text), style) for text, style in below(frame)]
    return Text("\n").join(lines)


def _below(text: str, style: str) -> Text:
    """Return a line; a stale entry is struck through, the reason is not."""
    if style != "struck":
        return Text(("  " if style == "entry" else "") + text, STYLES[style])
    entry, mark, why = text.partition("  stale")
    return Text.assemble("  ", (entry, "dim strike"), (mark + why, "dim"))


def _coloured(line: str) -> Text:
    """Return a line of a tree; the mark of the node, at its end, is coloured."""
    node, gap, mark = line.rpartition("  ")
    colour = MARKED.get(mark, "")
    return Text.assemble(node + gap, (mark, colour)) if colour else Text(line)


def write(out: Path, outcome: ShowOutcome) -> None:
    """Write the chosen frames to a new file, as a page or as one drawing, by its suffix."""
    text = page(outcome) if out.suffix == PAGE else stacked(outcome.chosen, "step")
    with out.open("x", encoding="utf-8") as file:
        file.write(text)


def page(outcome: ShowOutcome) -> str:
    """Return an HTML page without external resources."""
    figures = "\n".join(_figure(frame) for frame in outcome.chosen)
    lines = "".join(f"<li>{escape(printable(line))}</li>" for line in breaks(outcome))
    return PAGE_TEXT.format(title=escape(heading(outcome)), style=THEME + STYLE + LAYOUT, lines=lines, figures=figures)


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
<ul>{lines}</ul>
<div class="steps">
{figures}
</div>
</body>
</html>
"""
