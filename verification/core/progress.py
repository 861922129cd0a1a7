"""Progress of a job."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

Tell = Callable[[float, str], None]  # reports the share that is done, and what is being done
Progress = Callable[[str], AbstractContextManager[Any]]  # opens a progress bar with this title; its value is a Tell


def silent(title: str) -> AbstractContextManager[Any]:
    """Report nothing: the `Progress` of a job for which none is given."""
    return nullcontext(lambda share, what="": None)
