"""Worker processes: one for each core that the project plans for, each with one thread of torch."""

import os
import signal
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import active_children, get_context
from types import TracebackType
from typing import Any

WORKERS = 2


def workers(count: int = WORKERS) -> ProcessPoolExecutor:
    """Fresh interpreters: nothing of the parent's state, and of its devices, is inherited."""
    return Workers(count, get_context("spawn"), initializer=_prepare)


class Workers(ProcessPoolExecutor):
    """Ends at once where what they work for has failed or was interrupted: nobody waits for what they still do."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Wait for them if all is well."""
        if kind is None:
            self.shutdown()
            return
        self.shutdown(wait=False, cancel_futures=True)
        for child in active_children():
            child.terminate()


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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal interrupts them too; whom they work for ends them
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")  # torch says so; nothing here uses NumPy
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"  # read when torch is imported, if it ever is
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
