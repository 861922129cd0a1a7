"""The progress of a command at a terminal: one line, however narrow the terminal is."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.cells import set_cell_size
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task
from rich.text import Text

BAR = 20  # columns
BESIDE = 3  # columns of the spinner and the gaps
ROOM_FOR_BAR = 100  # columns


@contextmanager
def progress_line(console: Console, title: str) -> Iterator[Callable[..., None]]:
    """Show one line, until the block ends. The value is a function of the share that is done, and what is being done."""
    plain, wide = console.options.ascii_only, console.width >= ROOM_FOR_BAR
    bar = [BarColumn(BAR)] if wide and not plain else []
    words = _Words(console.width - BESIDE - (BAR + 1) * len(bar))
    with Progress(SpinnerColumn("line" if plain else "dots"), *bar, words, console=console, transient=True) as line:
        task = line.add_task(title, total=1.0, what="")
        yield lambda share, what="": line.update(task, completed=share, what=what)


class _Words(ProgressColumn):
    """The share, the time, the title, and what is being done, as far as there is room."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width

    def render(self, task: Task) -> Text:
        """Return the line."""
        minutes, seconds = divmod(int(task.elapsed or 0), 60)
        words = f"{task.percentage:3.0f}% {minutes}:{seconds:02} {task.description} {task.fields['what']}".rstrip()
        return Text(set_cell_size(words, min(len(words), self._width)), no_wrap=True)
