"""Caches that end their process, never return, keep threads or raise what ends a process, to be run in this folder.

radixcheck verify hostile:exits_in_match
"""

import ctypes
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from radixcheck.reference.tree import Walk
from radixcheck.spec.values import Key, Match
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.recorder import RECORDER
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Setup
from radixcheck.verification.search.run import new_checker
from radixcheck.verification.subjects.reference_subject import ReferenceSubject
from radixcheck.verification.subjects.registry import resolve

LONG = 10_000.0  # seconds: for ever


def in_match(deed: Callable[[], object]) -> Callable[[Setup], ReferenceSubject]:
    """The factory of a cache that does this in a match of more than two pages."""

    class Hostile(ReferenceSubject):
        def match(self, key: Key) -> Match[Any]:
            if len(key.tokens) > 2 * self.page_size:
                deed()
            return super().match(key)

    return Hostile.of


def raising(error: BaseException) -> Callable[[], object]:
    def deed() -> None:
        raise error

    return deed


def in_compiled_code() -> None:
    """Sleep without releasing the interpreter's lock: no Python code runs meanwhile."""
    ctypes.PyDLL(None).sleep(int(LONG))


exits_in_match = in_match(lambda: os._exit(0))
crashes_in_match = in_match(lambda: ctypes.string_at(0))
sleeps_in_match = in_match(lambda: time.sleep(LONG))
stays_in_compiled_code = in_match(in_compiled_code)
interrupts_in_match = in_match(raising(KeyboardInterrupt()))
leaves_in_match = in_match(raising(SystemExit(0)))
out_of_memory_in_match = in_match(raising(MemoryError()))


def exits_when_made(setup: Setup) -> None:
    os._exit(0)


def leaves_when_made(setup: Setup) -> None:
    raise SystemExit(0)


def sleeps_when_made(setup: Setup) -> None:
    time.sleep(LONG)


def made_in_compiled_code(setup: Setup) -> None:
    in_compiled_code()


def exits_in_a_thread(setup: Setup) -> ReferenceSubject:
    threading.Timer(0.5, os._exit, (0,)).start()
    return ReferenceSubject.of(setup)


def keeps_a_thread(setup: Setup) -> ReferenceSubject:
    threading.Thread(target=time.sleep, args=(LONG,)).start()
    return ReferenceSubject.of(setup)


class Slow(ReferenceSubject):
    """Half a second for each walk."""

    def _walk(self, *key: Any) -> Walk:
        time.sleep(0.5)
        return super()._walk(*key)


slow = Slow.of


# Tasks of worker processes.

CONFIG = Config("lru", 2, 12)
OPS = (Op("evict", amount=3), Op("peek"))


def recorded_then(number: int) -> None:
    """Perform some operations, begin another, and end by a signal."""
    checker = new_checker(resolve("reference"), CONFIG, 1)
    for op in OPS:
        checker.step(op)
    RECORDER.operation(1_000, OPS[0])  # of a cache whose beginning is not recorded
    checker.engine.perform(Op("match"))
    os.kill(os.getpid(), number)


def raises_what_cannot_be_pickled() -> object:
    class Local(Exception):
        """Cannot be pickled."""

    raise Local("words")
