"""Times requests, and the calls of a cache, in a live engine. Runs in the engine's Python.

A cache runs in another process than the one that asks for requests, so that the sums lie in a small file that both map.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Sequence
from functools import wraps
from time import perf_counter, sleep, thread_time_ns
from typing import Any

METER = "RADIXCHECK_METER"  # a variable of the environment: the file
CALLS = (
    *("match_prefix", "touch_prefix", "path_device_indices", "prefix_device_indices", "lock", "unlock", "inc_lock_ref", "dec_lock_ref"),
    *("checkpoint", "evict", "evict_for_alloc", "on_release"),
)
FIELDS = 3  # of the file: calls, nanoseconds, and what reading the clock adds to a million calls
EMPTY_CALLS = 20_000
FLUSHES, PAUSE_SECONDS = 100, 0.05  # attempts to empty a cache: the last batch may still run


class Meter:
    """Sums of calls and of processor time, in a mapped file."""

    def __init__(self, path: str) -> None:
        """Map the file; make it, with zeros, if it is not there."""
        size = 8 * FIELDS
        with open(path, "ab") as file:
            file.write(bytes(max(0, size - file.tell())))
        with open(path, "r+b") as file:
            self.numbers = memoryview(mmap.mmap(file.fileno(), size)).cast("q")
        self._inside = False

    def timed(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """Return a call that adds its processor time, unless it is made by another one that does."""

        @wraps(call)
        def timing(*arguments: Any, **named: Any) -> Any:
            if self._inside:
                return call(*arguments, **named)
            self._inside = True
            start = thread_time_ns()
            try:
                return call(*arguments, **named)
            finally:
                self.numbers[1] += thread_time_ns() - start
                self.numbers[0] += 1
                self._inside = False

        return timing

    def calibrate(self) -> None:
        """Measure what reading the clock adds to a call, and begin to count."""
        empty = self.timed(_nothing)
        self.take()
        for _ in range(EMPTY_CALLS):
            empty()
        self.numbers[2] = self.numbers[1] * 1_000_000 // EMPTY_CALLS
        self.take()

    def take(self) -> dict[str, Any]:
        """Return calls and nanoseconds, less what reading the clock adds, and begin anew."""
        calls, nanoseconds, reading = self.numbers
        self.numbers[0] = self.numbers[1] = 0
        return {"calls": calls, "nanoseconds": nanoseconds - calls * reading / 1_000_000}


def _nothing() -> None:
    """Do what costs least."""


def metered(cache: Any, meter: Meter, names: Sequence[str] = CALLS) -> Any:
    """Return the cache, whose calls from outside are timed from now on."""
    for name in names:
        if hasattr(cache, name):
            setattr(cache, name, meter.timed(getattr(cache, name)))
    return cache


def serve(engine: Any, message: dict[str, Any]) -> dict[str, Any]:
    """Serve one prompt, each token the likeliest; return after how many seconds the first token and the last one came."""
    sampling = {"max_new_tokens": message["tokens"], "temperature": 0, "ignore_eos": True}
    first, last = 0.0, dict[str, Any]()
    start = perf_counter()
    for chunk in engine.generate(input_ids=message["prompt"], sampling_params=sampling, stream=True):
        first, last = first or perf_counter() - start, chunk
    seconds = perf_counter() - start
    return {"first": first, "seconds": seconds, "tokens": last["output_ids"], "cached": last["meta_info"]["cached_tokens"]}


def flush(engine: Any) -> dict[str, Any]:
    """Empty the cache; return what its calls have cost since the last time. Raise RuntimeError if it cannot be emptied."""
    for _ in range(FLUSHES):
        if engine.flush_cache().success:
            return Meter(os.environ[METER]).take()
        sleep(PAUSE_SECONDS)
    raise RuntimeError("the cache cannot be emptied")
