"""The processor time of this thread, which leaves out preemption on a shared machine, less the cost of reading it."""

import gc
import time
from collections.abc import Mapping, Sequence
from statistics import fmean

READS = 4_001
now = time.thread_time_ns


def _cost() -> int:
    """Return the median of the nanoseconds between two successive readings."""
    pairs = [(now(), now()) for _ in range(READS)]
    return sorted(second - first for first, second in pairs)[READS // 2]


COST = _cost()


def settle() -> None:
    """Collect garbage, so that a timed loop pays only for its own."""
    gc.collect()


def microseconds(nanoseconds: int, intervals: int = 1) -> float:
    """Convert a sum of so many intervals to microseconds, less the cost of the readings."""
    return max(0, nanoseconds - intervals * COST) / 1e3


def summary(name: str, measured: Sequence[int], intervals: int = 1) -> dict[str, float]:
    """Return median, 99th percentile and mean in microseconds of times in nanoseconds, each the sum of so many intervals.

    >>> sorted(summary("lock", [1, 2, 3]))
    ['lock mean', 'lock p50', 'lock p99']
    """
    times = sorted(microseconds(one, intervals) for one in measured)
    return {f"{name} p50": quantile(times, 0.5), f"{name} p99": quantile(times, 0.99), f"{name} mean": fmean(times)}


def summaries(times: Mapping[str, Sequence[int]]) -> dict[str, float]:
    """Return the figures of each call by its name."""
    figures: dict[str, float] = {}
    for name, measured in times.items():
        figures |= summary(name, measured)
    return figures


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which this share of the others lies.

    >>> quantile([1, 2, 3, 4], 0.5), quantile([1, 2, 3, 4], 0.99)
    (3, 4)
    """
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
