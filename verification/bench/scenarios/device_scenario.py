"""Measures our cache with its slots on the device. Each call is timed in wall-clock time until the device has finished.

Processor time does not include the work of a device. Without a GPU the same calls are timed on the CPU. `tagged` is the checking mode in
which the device holds, for each slot, the prefix that its token ends: computed slots are tagged, and matched slots are compared.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from statistics import median
from time import perf_counter_ns
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from radixcheck.optimized import DevicePool, NoTags, RadixCache, Tags
from radixcheck.spec.values import Key
from radixcheck.verification.bench.clock import settle
from radixcheck.verification.bench.driver import check
from radixcheck.verification.bench.streams import LEAF, Make, leaf

Result = TypeVar("Result")


class Stopwatch:
    """Measures the microseconds of calls, including the device."""

    def __init__(self, device: torch.device) -> None:
        self._wait: Callable[[], Any] = torch.cuda.synchronize if device.type == "cuda" else lambda: None
        self.measured: dict[str, list[float]] = {}

    def time(self, name: str, call: Callable[[], Result]) -> Result:
        """Wait for earlier work of the device, then time the call."""
        self._wait()
        start = perf_counter_ns()
        result = call()
        self._wait()
        self.measured.setdefault(name, []).append((perf_counter_ns() - start) / 1e3)
        return result


def run(make: Make, leaves: int, page_size: int, steps: int) -> dict[str, float]:
    """Return medians in microseconds, without tags and with them. `cuda` is 1 on a device and 0 on the CPU."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    figures = {"cuda": float(device.type == "cuda")}
    for prefix, tags in (("", NoTags()), ("tagged ", Tags(leaves * LEAF, device))):
        cache = RadixCache(page_size, "lru", DevicePool(leaves * LEAF, page_size, device), tags)
        watch = Stopwatch(device)
        for i in range(leaves + steps):
            if i == leaves:  # the pool is full, and every call has been warmed up
                watch.measured.clear()
                settle()
            _step(cache, watch, i)
        figures |= {f"{prefix}{name}": median(times) for name, times in watch.measured.items()}
    return figures


def _step(cache: RadixCache, watch: Stopwatch, number: int) -> None:
    """Make room for a leaf, insert it and match it."""
    key = Key(cast(Any, array("Q", leaf(number))))
    if not cache.sizes().available:
        watch.time("evict", lambda: cache.evict(LEAF))
    slots = watch.time("alloc", lambda: cache.alloc(LEAF))
    watch.time("free", lambda: cache.free(slots))
    slots = cache.alloc(LEAF)
    watch.time("insert", lambda: _computed(cache, key, slots))
    found = watch.time("match", lambda: cache.match(key).slots)
    check(torch.equal(found, slots), "a match does not return the slots that were inserted")


def _computed(cache: RadixCache, key: Key, slots: Tensor) -> None:
    """Write and insert a prompt that is not cached."""
    cache.tags.write(slots, key, 0)
    cache.insert(key, slots)
