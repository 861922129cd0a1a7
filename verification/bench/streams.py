"""The tokens of the scenarios, the same for every cache and in every run, and the clock that times calls.

The clock is the processor time of this thread, which leaves out preemption on a shared machine, less the cost of reading it.
"""

import gc
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean
from time import monotonic

import torch
from torch import Tensor

from radixcheck.verification.bench.driver import Driver

Make = Callable[[int, int, str], Driver]  # page size, capacity in tokens, stub or real
LEAF = 64  # tokens
PROMPT, PREFIX = 2_048, 1_536  # tokens of a prompt, and how many of them its group shares
STEPS_MIN = 30
SHARED, OWN = 10_000_000, 20_000_000  # first token of each kind


def leaf(i: int, tokens: int = LEAF) -> list[int]:
    """Return tokens that no other leaf has."""
    return list(range(1_000 + i * tokens, 1_000 + (i + 1) * tokens))


def prompt(group: int, request: int) -> list[int]:
    """Return the prefix of a group, and then the tokens of this request."""
    own = PROMPT - PREFIX
    return [*range(SHARED + group * PREFIX, SHARED + (group + 1) * PREFIX), *range(OWN + request * own, OWN + (request + 1) * own)]


def row_of(driver: Driver, cached: Tensor | None, fresh: Tensor | None) -> Tensor:
    """Return the row of a request as its engine keeps it. Not timed."""
    parts = [part.to(driver.rows) for part in (cached, fresh) if part is not None]
    return torch.cat(parts)


def paced(steps: int, seconds: float) -> Iterator[int]:
    """Yield steps until the time is up, but at least enough for the quantiles."""
    end = monotonic() + seconds
    for step in range(steps):
        if step >= STEPS_MIN and monotonic() > end:
            return
        yield step


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
