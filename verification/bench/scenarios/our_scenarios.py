"""Scenarios that measure our code only: each function is named as its scenario."""

from array import array
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter_ns
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from radixcheck.optimized import DevicePool, NoTags, RadixCache, Tags
from radixcheck.optimized.batch import HostBatches, StagedBatches
from radixcheck.reference.batch import flattened
from radixcheck.spec.values import Key
from radixcheck.verification.bench.driver import check
from radixcheck.verification.bench.streams import LEAF, Make, leaf, now, settle, summaries

Made = tuple[Tensor, Tensor]  # tokens, lengths


def ways(lists: list[list[int]]) -> dict[str, Callable[[], Made]]:
    """Return functions that make the same two tensors."""
    arrays = [array("q", tokens) for tokens in lists]
    host, staged = HostBatches(), StagedBatches("cpu")
    return {
        "sum": lambda: (torch.tensor(sum(lists, [])), lengths(lists)),  # noqa: RUF017 - as before sglang#6907
        "chain": lambda: (torch.tensor(flattened(lists)), lengths(lists)),
        "buffers": lambda: (torch.frombuffer(bytearray().join(arrays), dtype=torch.int64), lengths(arrays)),
        "lists": lambda: host.prepare(lists)[:2],
        "arrays": lambda: host.prepare(arrays)[:2],
        "staged lists": lambda: staged.prepare(lists)[:2],
        "staged arrays": lambda: staged.prepare(arrays)[:2],
    }


def lengths(requests: Sequence[Sequence[int]]) -> Tensor:
    """Return the lengths, computed as in sglang#6907 (C9)."""
    return torch.as_tensor([len(tokens) for tokens in requests], dtype=torch.int64)


def batch(make: Make, requests: int, tokens: int, steps: int) -> dict[str, float]:
    """Make one tensor of the tokens of requests, and another of their lengths, in several ways. No cache is involved.

    `sum` and `chain` flatten lists and make a tensor of the result, as before and after sglang#6907. `buffers` joins arrays and reads them
    without a copy. Ours, which also computes the start of each request, takes `lists` or `arrays`; `staged` uses the buffer that a device
    needs. Return the microseconds of each way, and how many times faster ours is than the others.
    """
    lists = [leaf(i, tokens) for i in range(requests)]
    expected = torch.tensor(flattened(lists)), lengths(lists)
    known = ways(lists)
    times: dict[str, list[int]] = {name: [] for name in known}
    settle()
    for _ in range(steps):
        for name, way in known.items():
            _timed(way, expected, times[name])
    figures = summaries(times)
    for ours, other in (("lists", "sum"), ("lists", "chain"), ("arrays", "sum"), ("arrays", "buffers")):
        figures[f"{other} / {ours}"] = figures[f"{other} p50"] / figures[f"{ours} p50"]
    return figures


def _timed(way: Callable[[], Made], expected: Made, times: list[int]) -> None:
    start = now()
    made = way()
    times.append(now() - start)
    check(all(map(torch.equal, made, expected)), "the tensors do not hold the tokens and lengths of the requests")


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


def device(make: Make, leaves: int, page_size: int, steps: int) -> dict[str, float]:
    """Time our cache with its slots on the device, each call in wall-clock time until the device has finished.

    Processor time does not include the work of a device. Without a GPU the same calls are timed on the CPU. `tagged` is the checking mode
    in which the device holds, for each slot, the prefix that its token ends: computed slots are tagged, and matched slots are compared.
    Return medians in microseconds, without tags and with them. `cuda` is 1 on a device and 0 on the CPU.
    """
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
