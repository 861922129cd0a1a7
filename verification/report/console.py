"""The terminal: results on standard output, progress on standard error. Colours are used only at a terminal.

Elsewhere progress is one line every few seconds, so that a log shows that a command is alive, and what it has found so far.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import StringIO
from threading import Event, Thread
from time import monotonic
from typing import Any

from rich.console import Console, ConsoleOptions, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.segment import Segment

from radixcheck.verification.core.printable import printable
from radixcheck.verification.core.supervision import SUPERVISION

PLAIN_TEXT: dict[str, Any] = {"markup": False, "emoji": False}  # `[red]` and `:warning:` in a text are shown as they are
LONGEST_ESCAPE = len(r"\U00000000")
PLAIN_WIDTH = 140  # columns without a terminal
HEARTBEAT_SECONDS = 10.0


class Printable:
    """Renderables below one another. What a terminal would obey is escaped, whoever wrote it."""

    def __init__(self, parts: Sequence[Any]) -> None:
        self._parts = Group(*parts)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        """Yield the text in pieces of one style."""
        for text, style, control in console.render(self._parts, options):
            yield Segment("\n".join(printable(line, len(line) * LONGEST_ESCAPE) for line in text.split("\n")), style, control)


def _console(error: bool) -> Console:
    found = Console(stderr=error, **PLAIN_TEXT)
    return found if found.is_terminal else Console(stderr=error, width=PLAIN_WIDTH, **PLAIN_TEXT)


def show(parts: list[Any]) -> None:
    """Print renderables below one another. A line that is not to be wrapped, as a command to be copied, is printed to its end."""
    _console(error=False).print(Printable(parts), highlight=False, crop=False)


def plain(parts: list[Any]) -> str:
    """Return renderables as text without colours."""
    written = StringIO()
    Console(file=written, width=PLAIN_WIDTH, color_system=None, **PLAIN_TEXT).print(Printable(parts), highlight=False)
    return "\n".join(line.rstrip() for line in written.getvalue().rstrip().splitlines())


@contextmanager
def _heartbeat(title: str) -> Iterator[list[Any]]:
    """Print the last report, a text or a renderable, every HEARTBEAT_SECONDS. The value is a list with the last report."""
    reported, ended, start = [""], Event(), monotonic()

    def beat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            lines = plain([reported[0]]).splitlines() or [""]
            with suppress(OSError, ValueError):  # it is closed or full
                print(f"{title}: {monotonic() - start:.0f} s, {' '.join(lines[-1].split())}", file=sys.stderr, flush=True)

    thread = Thread(target=beat, name="radixcheck heartbeat", daemon=True)
    thread.start()
    try:
        yield reported
    finally:
        ended.set()


@contextmanager
def progress(title: str) -> Iterator[Any]:
    """Show progress. The value is a `Tell`: a function of the share that is done, and what is being done."""
    SUPERVISION.doing(title)
    title = printable(title)
    if not _console(error=True).is_terminal:
        with _heartbeat(title) as reported:
            yield lambda share, what="": reported.__setitem__(0, f"{share:.0%} {what}".rstrip())
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[what]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=_console(error=True), transient=True) as bar:
        task = bar.add_task(title, total=1.0, what="")
        yield lambda share, what="": bar.update(task, completed=share, what=what)


@contextmanager
def live(title: str) -> Iterator[Any]:
    """Show a renderable that changes; elsewhere its last line. The value is a function that takes the present renderable."""
    SUPERVISION.doing(title)
    title = printable(title)
    console = _console(error=True)
    if not console.is_terminal:
        with _heartbeat(title) as reported:
            yield lambda shown: reported.__setitem__(0, shown)
        return
    with Live(console=console, transient=True) as shown:
        yield shown.update
