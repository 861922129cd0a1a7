"""This thread's processor time, so that being preempted on a shared machine does not count, less what it costs to read it."""

import gc
import time
from collections.abc import Sequence
from statistics import fmean

READS = 4_001
now = time.thread_time_ns


def _cost() -> int:
    """Nanoseconds between two readings one after the other: the median."""
    pairs = [(now(), now()) for _ in range(READS)]
    return sorted(second - first for first, second in pairs)[READS // 2]


COST = _cost()


def settle() -> None:
    """Collect garbage, so that a timed loop pays for its own only."""
    gc.collect()


def microseconds(nanoseconds: int, intervals: int = 1) -> float:
    """What was measured in so many intervals, without the readings."""
    return max(0, nanoseconds - intervals * COST) / 1e3


def summary(name: str, measured: Sequence[int], intervals: int = 1) -> dict[str, float]:
    """Figures in microseconds of times in nanoseconds, each the sum of so many intervals.

    >>> sorted(summary("lock", [1, 2, 3]))
    ['lock mean', 'lock p50', 'lock p99']
    """
    times = sorted(microseconds(one, intervals) for one in measured)
    return {f"{name} p50": quantile(times, 0.5), f"{name} p99": quantile(times, 0.99), f"{name} mean": fmean(times)}


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which this share of the others lies.

    >>> quantile([1, 2, 3, 4], 0.5), quantile([1, 2, 3, 4], 0.99)
    (3, 4)
    """
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
