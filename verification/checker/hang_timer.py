"""The timer of calls: interrupts calls that do not return, so that a cache that loops or deadlocks does not block its checker.

Calls are made in the main thread. A second thread checks the clock and sends the main thread a signal whose handler raises. Not interrupted
are compiled code that does not check for signals, calls from other threads, and any call on a platform without signals. A worker process is
killed then (`core/workers.py`), and a cache in a process of its own has the timeout of `remote/`.
"""

import signal
import threading
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, ParamSpec, TypeVar

from radixcheck.verification.core.timeouts import Timeout

T = TypeVar("T")
P = ParamSpec("P")

SECONDS = 10.0  # for a call; on the small trees of a search a call takes about a millisecond
POLL_SECONDS = 0.1  # between two checks of the clock
SIGNAL = getattr(signal, "SIGVTALRM", None)  # rarely used by other code; Windows has none


class CallHung(BaseException):
    """A call did not return in time. Not an `Exception`: a cache that catches every Exception must not continue."""


class HangTimer:
    """The timer of this process: at most one call runs at a time."""

    def __init__(self) -> None:
        self._limit = 0.0  # seconds, for the running call
        self._began: float | None = None  # None: no call runs
        self._main: int | None = None  # id of the main thread; None before the first call; 0: it cannot be interrupted
        self._timeouts: dict[type, Timeout] = {}  # by type of cache: one that hangs must not shorten the timeout of another

    def forget(self) -> None:
        """Give every type of cache the whole timeout again."""
        self._timeouts.clear()

    def timeout(self, subject: object) -> Timeout:
        """Return the timeout for calls of this subject."""
        return self._timeouts.setdefault(type(subject), Timeout(SECONDS))

    def call(self, timeout: Timeout, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function; return or raise what it does. Raise CallHung if it does not return in time."""
        if self._main is None:
            self._begin()
        if threading.get_ident() != self._main:
            return function(*args, **kwargs)
        self._limit = timeout.seconds
        self._began = monotonic()
        try:
            return function(*args, **kwargs)
        except CallHung:
            timeout.expired()
            raise
        finally:
            self._began = None

    def _overdue(self) -> bool:
        began = self._began
        return began is not None and monotonic() - began > self._limit

    def _begin(self) -> None:
        main = threading.main_thread()
        self._main = 0
        if SIGNAL is not None and threading.current_thread() is main and main.ident is not None:
            self._main = main.ident
            signal.signal(SIGNAL, self._interrupt)
            threading.Thread(target=self._poll, args=(main.ident, SIGNAL), name="radixcheck hang timer", daemon=True).start()

    def _poll(self, main: int, number: int) -> None:
        while True:
            sleep(POLL_SECONDS)
            if self._overdue():
                signal.pthread_kill(main, number)

    def _interrupt(self, number: int, frame: Any) -> None:
        """The signal handler, in the main thread. The call may have returned in the meantime."""
        if self._overdue():
            self._began = None
            raise CallHung


HANG_TIMER = HangTimer()
