"""Worker processes: one for each core that the project plans for, each with one thread of torch."""

import os
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

WORKERS = 2


def workers(count: int = WORKERS) -> ProcessPoolExecutor:
    """Fresh interpreters: nothing of the parent's state, and of its devices, is inherited."""
    return ProcessPoolExecutor(count, get_context("spawn"), initializer=_prepare)


class Here(Executor):
    """Does each task in this process, when it is submitted: for a cache that no other process can import."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """The future is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def _prepare() -> None:
    """Small tensors gain nothing from threads, and two processes with two threads each fight over two cores.

    What a subject prints goes to standard error: standard output is this command's answer.
    """
    sys.stdout = sys.stderr
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")  # torch says so; nothing here uses NumPy
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"  # read when torch is imported, if it ever is
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
