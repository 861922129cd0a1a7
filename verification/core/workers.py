"""Worker processes, each with one thread of torch."""

import os
import signal
import sys
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import active_children, get_context
from types import TracebackType
from typing import Any

from radixcheck.verification.core.subject import Subject

WORKERS = 2


def workers(count: int = WORKERS) -> ProcessPoolExecutor:
    """Return fresh interpreters, which inherit neither the state nor the devices of this one."""
    return Workers(count, get_context("spawn"), initializer=_prepare)


def workers_for(*subjects: Subject) -> Executor:
    """Return worker processes, or for a subject that they cannot be given an executor that runs each task in this process."""
    return workers() if all(subject.portable for subject in subjects) else Here()


class Workers(ProcessPoolExecutor):
    """Worker processes that are terminated, without waiting for their tasks, when the `with` block raises."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Wait for the tasks if the block raised nothing."""
        if kind is None:
            self.shutdown()
            return
        self.shutdown(wait=False, cancel_futures=True)
        for child in active_children():
            child.terminate()


class Here(Executor):
    """Runs each task in this process when it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Run the task; return a future that is done."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


def _prepare() -> None:
    """Use one thread of torch: small tensors gain nothing from more, and the processes share the cores.

    Redirect what a subject prints to standard error: standard output holds the answer of the command.
    """
    sys.stdout = sys.stderr
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal interrupts the whole process group; the parent ends its workers
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")  # torch says so; nothing here uses NumPy
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"  # read when torch is imported, if it ever is
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
