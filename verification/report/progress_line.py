"""The progress of a command at a terminal: one line, whatever the terminal is like."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column

ROOM_FOR_BAR = 100  # columns


@contextmanager
def progress_line(console: Console, title: str) -> Iterator[Callable[..., None]]:
    """Show one line, until the block ends. The value is a function of the share that is done, and what is being done."""
    with Progress(*_columns(console), console=console, transient=True) as line:
        task = line.add_task(title, total=1.0, what="")
        yield lambda share, what="": line.update(task, completed=share, what=what)


def _columns(console: Console) -> list[ProgressColumn]:
    """Return what is shown: the share always, what is being done where there is room for it."""
    wide, plain = console.width >= ROOM_FOR_BAR, console.options.ascii_only
    cut = Column(no_wrap=True, overflow="crop", ratio=1)
    title = TextColumn("{task.description}", markup=False)
    share = TextColumn("{task.percentage:>3.0f}%", markup=False)
    what = TextColumn("{task.fields[what]}", markup=False, table_column=cut)
    spinner = SpinnerColumn("line" if plain else "dots")
    if not wide:
        return [share, TimeElapsedColumn(), title, what]
    return [spinner, title, *([] if plain else [BarColumn()]), share, TimeElapsedColumn(), what]
