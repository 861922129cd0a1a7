"""The terminal: results on standard output, progress on standard error. Colours are used only at a terminal.

Elsewhere progress is one line every few seconds, so that a log shows that a command is alive, and what it has found so far.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from shutil import get_terminal_size
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any, TextIO

from radixcheck.verification.core.printable import printable
from radixcheck.verification.core.supervision import SUPERVISION

if TYPE_CHECKING:
    from rich.console import Console

PLAIN_TEXT: dict[str, Any] = {"markup": False, "emoji": False}  # `[red]` and `:warning:` in a text are shown as they are
PLAIN_WIDTH = 140  # columns without a terminal
NARROWEST, USUAL = 20, 80  # columns: less is not believed, and what a terminal has that does not say
HEARTBEAT_SECONDS = 10.0


def width(stream: TextIO | None) -> int:
    """Return the columns of a stream: those of the variable COLUMNS, else of the terminal; PLAIN_WIDTH for a file or a pipe."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return max(NARROWEST, int(given))
    if stream is None or not stream.isatty():  # None: it was closed when the program began
        return PLAIN_WIDTH
    with suppress(OSError, ValueError):
        return max(NARROWEST, os.get_terminal_size(stream.fileno()).columns or USUAL)
    return USUAL


class _Written(StringIO):
    """Text for a stream of some encoding."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of the stream."""
        return self._encoding


def _console(error: bool) -> "Console":
    from rich.console import Console

    columns = width(sys.stderr if error else sys.stdout)
    return Console(stderr=error, width=columns, height=get_terminal_size().lines, **PLAIN_TEXT)


def _moves(console: "Console") -> bool:
    """Return whether a line of this console can be written again, as a progress line is."""
    return console.is_terminal and not console.is_dumb_terminal


def show(parts: list[Any]) -> None:
    """Print renderables below one another. A line that is not to be wrapped, as a command to be copied, is printed to its end."""
    from radixcheck.verification.report.layout import Printable

    console = _console(error=False)
    if _moves(console):
        console.print(Printable(parts), highlight=False, crop=False)
    else:
        print(_text(parts, console.width, console.encoding))


def say(text: Any) -> None:
    """Print a renderable on standard error, where progress goes too."""
    lines = _text([text], width(sys.stderr), getattr(sys.stderr, "encoding", "utf-8") or "utf-8")
    with suppress(OSError, ValueError):  # it is closed or full
        print(lines, file=sys.stderr, flush=True)


def plain(parts: list[Any]) -> str:
    """Return renderables as text without colours."""
    return _text(parts, PLAIN_WIDTH, "utf-8").rstrip()


def _text(parts: list[Any], columns: int, encoding: str) -> str:
    """Return renderables as text without colours, and without spaces at the ends of lines."""
    from rich.console import Console

    from radixcheck.verification.report.layout import Printable

    written = _Written(encoding)
    console = Console(file=written, width=columns, force_terminal=False, color_system=None, **PLAIN_TEXT)
    console.print(Printable(parts), highlight=False, crop=False)
    return "\n".join(line.rstrip() for line in written.getvalue().split("\n")).removesuffix("\n")


@contextmanager
def _heartbeat(title: str) -> Iterator[list[Any]]:
    """Print the last report, a text or a renderable, every HEARTBEAT_SECONDS. The value is a list with the last report."""
    reported, ended, start = [""], Event(), monotonic()

    def beat() -> None:
        while not ended.wait(HEARTBEAT_SECONDS):
            said = reported[0] if isinstance(reported[0], str) else (plain([reported[0]]).splitlines() or [""])[-1]
            with suppress(OSError, ValueError):  # it is closed or full
                print(
                    ", ".join(filter(None, (f"{title}: {monotonic() - start:.0f} s", " ".join(said.split())))), file=sys.stderr, flush=True
                )

    thread = Thread(target=beat, name="radixcheck heartbeat", daemon=True)
    thread.start()
    try:
        yield reported
    finally:
        ended.set()


@contextmanager
def progress(title: str) -> Iterator[Any]:
    """Show progress, in one line. The value is a `Tell`: a function of the share that is done, and what is being done."""
    SUPERVISION.doing(title)
    title = printable(title)
    console = _console(error=True)
    if not _moves(console):
        with _heartbeat(title) as reported:
            yield lambda share, what="": reported.__setitem__(0, f"{share:.0%} {what}".rstrip())
        return
    from radixcheck.verification.report.progress_line import progress_line

    with progress_line(console, title) as tell:
        yield tell


@contextmanager
def live(title: str) -> Iterator[Any]:
    """Show a renderable that changes; elsewhere its last line. The value is a function that takes the present renderable."""
    SUPERVISION.doing(title)
    title = printable(title)
    console = _console(error=True)
    if not _moves(console):
        with _heartbeat(title) as reported:
            yield lambda shown: reported.__setitem__(0, shown)
        return
    from rich.live import Live

    with Live(console=console, transient=True) as shown:
        yield shown.update
