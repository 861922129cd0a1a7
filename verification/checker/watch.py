"""Ends calls that do not return: a cache that loops, or waits for itself, must not hang whoever checks it.

All calls are made in the main thread. Another thread looks at the clock, and wakes it by a signal whose handler raises. Nothing wakes a
cache that stays in compiled code which does not ask for signals; and where there are no signals, or calls come from another thread, nobody
is watched. A cache in a process of its own (`remote`) is watched from there.
"""

import signal
import threading
from collections.abc import Callable
from time import monotonic, sleep
from typing import Any, ParamSpec, TypeVar

from radixcheck.verification.core.timeouts import Patience

T = TypeVar("T")
P = ParamSpec("P")

SECONDS = 10.0  # of a call; those on the small trees of a search take a thousandth of one
LOOK_SECONDS = 0.1  # between two looks at the clock
SIGNAL = getattr(signal, "SIGVTALRM", None)  # nobody else uses it, as far as one can know; Windows has none


class CallHung(BaseException):
    """A call was given up. It is no `Exception`: a cache that catches all of those must not go on."""


class Watch:
    """One is enough for a process: at most one call is under way."""

    def __init__(self) -> None:
        self._limit = 0.0  # seconds of the call that is under way
        self._began: float | None = None  # None: no call is under way
        self._main: int | None = None  # the main thread, once it is watched
        self._patience: dict[type, Patience] = {}  # with each kind of cache: one that hangs must not cost another one its time

    def patience(self, subject: object) -> Patience:
        """How long a call of this subject may take."""
        return self._patience.setdefault(type(subject), Patience(SECONDS))

    def call(self, patience: Patience, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function returns or raises. Raises `CallHung` where that takes too long."""
        if self._main is None:
            self._begin()
        if threading.get_ident() != self._main:
            return function(*args, **kwargs)
        self._limit = patience.seconds
        self._began = monotonic()
        try:
            return function(*args, **kwargs)
        except CallHung:
            patience.in_vain()
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
            signal.signal(SIGNAL, self._woken)
            threading.Thread(target=self._look, args=(main.ident, SIGNAL), name="radixcheck watch", daemon=True).start()

    def _look(self, main: int, number: int) -> None:
        while True:
            sleep(LOOK_SECONDS)
            if self._overdue():
                signal.pthread_kill(main, number)

    def _woken(self, number: int, frame: Any) -> None:
        """In the main thread. It may have come back in the meantime."""
        if self._overdue():
            self._began = None
            raise CallHung


WATCH = Watch()
