"""Measures the resident memory per leaf, including the empty cache and without the buffer of the pool."""

import ctypes
import gc
import os
from contextlib import suppress

from radixcheck.verification.bench.driver import Driver, check
from radixcheck.verification.bench.streams import Make, leaf

LENGTHS = (16, 64)  # tokens of a leaf
WARM = 8  # leaves of a first cache, which pays the fixed costs
PAGE = 1


def run(make: Make, leaves: int) -> dict[str, float]:
    """Return the bytes per leaf of 16 and of 64 tokens."""
    kept = [make(PAGE, 1_024 * LENGTHS[0], "stub")]
    _fill(kept[0], WARM, LENGTHS[0])
    figures = {}
    for length in LENGTHS:
        before = resident()
        driver = make(PAGE, leaves * length, "stub")
        kept.append(driver)  # keep it: the next cache must not reuse its memory
        _fill(driver, leaves, length)
        check(driver.sizes() == (leaves * length, 0), f"evictable and protected tokens are {driver.sizes()}, of {leaves * length}")
        figures[f"bytes per leaf of {length}"] = (resident() - before - driver.pool.nbytes) / leaves
    return figures


def _fill(driver: Driver, leaves: int, length: int) -> None:
    for i in range(leaves):
        driver.insert(driver.prep(leaf(i, length)), driver.alloc(length), 0)


def resident() -> int:
    """Return the resident bytes of this process, after freed memory was returned to the system."""
    gc.collect()
    with suppress(OSError, AttributeError):  # another C library returns memory by itself
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
