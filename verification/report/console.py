"""The terminal: results on standard output, progress on standard error. Colours are used only at a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

PLAIN_WIDTH = 140  # columns without a terminal


def _console(error: bool) -> Console:
    found = Console(stderr=error)
    return found if found.is_terminal else Console(stderr=error, width=PLAIN_WIDTH)


def show(parts: list[Any]) -> None:
    """Print renderables below one another."""
    _console(error=False).print(Group(*parts), highlight=False)


def plain(parts: list[Any]) -> str:
    """Return renderables as text without colours."""
    written = StringIO()
    Console(file=written, width=PLAIN_WIDTH, color_system=None).print(Group(*parts), highlight=False)
    return "\n".join(line.rstrip() for line in written.getvalue().rstrip().splitlines())


@contextmanager
def progress(title: str) -> Iterator[Any]:
    """Show a progress bar. The value is a `Tell`: a function of the share that is done, and what is being done."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[what]}"), TimeElapsedColumn())
    with Progress(*columns, console=_console(error=True), transient=True) as bar:
        task = bar.add_task(title, total=1.0, what="")
        yield lambda share, what="": bar.update(task, completed=share, what=what)


@contextmanager
def live() -> Iterator[Any]:
    """Show a renderable that changes, if there is a terminal. The value is a function that takes the present renderable."""
    console = _console(error=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with Live(console=console, transient=True) as shown:
        yield shown.update
