"""Worker processes. A task whose process ends, or whose call to a subject does not return, raises `WorkerLost`.

The next task gets a new process.
"""

import os
import pickle
import shutil
import signal
import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from tempfile import mkdtemp
from types import TracebackType
from typing import Any

from radixcheck.verification.core.printable import error_text
from radixcheck.verification.core.recorder import RECORDER, recorded, stalled
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.traces import Recorded

WORKERS = 2
POLL_SECONDS = 0.5
STALLED_SECONDS = 15.0  # a call that Python code can interrupt is interrupted after 10 s: see checker/engine.py
_SPAWN = get_context("spawn")  # a fresh interpreter, which inherits neither the state nor the devices of this one


class WorkerLost(Exception):
    """The process that ran a task has ended, or was killed because a call did not return. The message says which."""

    def __init__(self, how: str, last: Recorded | None) -> None:
        super().__init__(how)
        self.last = last  # what it was doing; None: it had called no subject

    @property
    def where(self) -> str:
        """The subject and the operation that the process was performing, as far as they are known."""
        if self.last is None or not self.last.trace:
            return "a worker process"
        return f"{self.last.subject or 'a cache'} in operation {len(self.last.trace)} ({self.last.trace[-1].name}) under {self.last.config}"


class Worker:
    """One worker process, which performs one task at a time."""

    def __init__(self, record: str) -> None:
        self._record = record
        self._connection, theirs = _SPAWN.Pipe()
        self._process: SpawnProcess = _SPAWN.Process(target=_serve, args=(theirs, record))
        self._process.start()
        theirs.close()

    def perform(self, task: bytes) -> Any:
        """Perform a pickled task; return or raise what it does. Raise WorkerLost if the process is lost."""
        with suppress(OSError):  # it has ended, as is seen below
            self._connection.send_bytes(task)
        while not wait((self._connection, self._process.sentinel), POLL_SECONDS):
            if stalled(self._record) > STALLED_SECONDS:
                self.kill()
                raise WorkerLost(f"a call did not return within {STALLED_SECONDS:g} s", recorded(self._record))
        try:
            done, value = pickle.loads(self._connection.recv_bytes())
        except (EOFError, OSError) as error:
            raise WorkerLost(self._how_it_ended(), recorded(self._record)) from error
        if not done:
            raise value
        return value

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call the function in the process, as `perform` does."""
        return self.perform(pickle.dumps((function, arguments, {})))

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._process.pid is not None
        return self._process.pid

    def kill(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()

    def _how_it_ended(self) -> str:
        self._process.join(1)
        status = self._process.exitcode
        if status is None:
            self.kill()
            return "the process closed its connection"
        return f"the process was ended by {signal.Signals(-status).name}" if status < 0 else f"the process ended with status {status}"


class Workers(Executor):
    """Worker processes. When the `with` block ends, they are killed without waiting: a subject may have left threads that never end."""

    def __init__(self, count: int) -> None:
        self._folder = mkdtemp(prefix="radixcheck-")
        self._threads = ThreadPoolExecutor(count)  # each passes its tasks on to a process of its own
        self._mine = threading.local()
        self._started: list[Worker] = []  # each is killed at the end
        self._closed = threading.Event()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Perform the function in a worker process."""
        return self._threads.submit(self._perform, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes. With `wait`, first finish the tasks."""
        if wait:
            self._threads.shutdown(cancel_futures=cancel_futures)
        self._closed.set()
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._started:
            worker.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """End the processes."""
        self.shutdown(wait=False)

    def _perform(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        task = pickle.dumps((function, args, kwargs))
        try:
            return self._worker().perform(task)
        except WorkerLost:
            self._mine.worker = None
            raise

    def _worker(self) -> Worker:
        """Return the process of this thread; start it if there is none."""
        worker: Worker | None = getattr(self._mine, "worker", None)
        if worker is None:
            if self._closed.is_set():
                raise WorkerLost("the worker processes were ended", None)
            worker = self._mine.worker = Worker(os.path.join(self._folder, f"{threading.get_ident()}"))
            self._started.append(worker)
            if self._closed.is_set():
                worker.kill()
        return worker


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


def workers(count: int = WORKERS) -> Workers:
    """Return worker processes, each with one thread of torch."""
    return Workers(count)


def workers_for(*subjects: Subject) -> Executor:
    """Return worker processes, or for a subject that they cannot be given an executor that runs each task in this process."""
    return workers() if all(subject.portable for subject in subjects) else Here()


def _serve(connection: Connection, record: str) -> None:
    """Perform tasks until the parent process closes the connection or has ended."""
    _prepare(record)
    with suppress(EOFError, OSError):
        while True:
            task = connection.recv_bytes()
            RECORDER.clear()
            connection.send_bytes(_performed(task))
    os._exit(0)  # a subject may have left threads that never end


def _performed(task: bytes) -> bytes:
    """Return whether the task was done, and its result or the exception, pickled."""
    try:
        function, args, kwargs = pickle.loads(task)
        return pickle.dumps((True, function(*args, **kwargs)))
    except BaseException as error:  # also what a subject raises to end the process
        raised = error if isinstance(error, Exception) else RuntimeError(error_text(error))
        try:
            return pickle.dumps((False, pickle.loads(pickle.dumps(raised)) and raised))
        except Exception:  # an exception that cannot be pickled, or not be made again
            return pickle.dumps((False, RuntimeError(error_text(error))))


def _prepare(record: str) -> None:
    """Use one thread of torch: small tensors gain nothing from more, and the processes share the cores.

    Redirect what a subject prints to standard error: standard output holds the answer of the command.
    """
    RECORDER.open(record)
    sys.stdout = sys.stderr
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal interrupts the whole process group; the parent ends its workers
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy")  # torch says so; nothing here uses NumPy
    os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"  # read when torch is imported, if it ever is
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
