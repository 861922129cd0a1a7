"""Scenarios that time the calls of one cache: each function is named as its scenario."""

import ctypes
import gc
import os
from contextlib import suppress

import torch

from radixcheck.verification.bench.driver import Driver, check
from radixcheck.verification.bench.streams import (
    LEAF,
    OWN,
    PREFIX,
    PROMPT,
    SHARED,
    Make,
    leaf,
    microseconds,
    now,
    paced,
    prompt,
    row_of,
    settle,
    summaries,
    summary,
)

ADMIT_CALLS = ("match", "indices", "lock", "insert", "unlock")


def admit(make: Make, groups: int, per_group: int, page_size: int) -> dict[str, float]:
    """Admit prompts of 2,048 tokens, 1,536 of which are shared within a group, one after the other, with room for all of them.

    Return the figures of each call and of their sum, in microseconds. The first prompt of a group misses, the second splits.
    """
    requests = groups * per_group
    driver = make(page_size, requests * PROMPT, "stub")
    times: dict[str, list[int]] = {call: [] for call in ADMIT_CALLS}
    firsts: dict[int, torch.Tensor] = {}
    settle()
    for i in range(requests):
        tokens = driver.prep(prompt(i % groups, i))
        start = now()
        length, handle = driver.match(tokens)
        matched = now()
        slots = driver.indices(handle, length) if length else None
        read = now()
        lock = driver.lock(handle)
        locked = now()
        row = row_of(driver, slots, driver.alloc(PROMPT - length))
        ready = now()
        driver.insert(tokens, row, length)
        inserted = now()
        driver.unlock(lock)
        end = now()
        check(length == (PREFIX if i >= groups else 0), f"{length} tokens of request {i} were found")
        first = firsts.setdefault(i % groups, row[:PREFIX])
        check(bool(torch.equal(first, row[:PREFIX])), f"the slots of request {i} are not those of the first of its group")
        for call, time in zip(ADMIT_CALLS, (matched - start, read - matched, locked - read, inserted - ready, end - inserted), strict=True):
            times[call].append(time)
    held = groups * PREFIX + requests * (PROMPT - PREFIX)
    check(driver.sizes() == (held, 0), f"evictable and protected tokens are {driver.sizes()} at the end, of {held}")
    check(driver.available() == requests * PROMPT - held, f"{driver.available()} slots are free at the end")
    whole = list(map(sum, zip(*times.values(), strict=True)))
    return {**summary("total", whole, len(ADMIT_CALLS)), **summaries(times)}


def decode(make: Make, leaves: int, page_size: int, pool: str, victims: int, steps: int, seconds: float) -> dict[str, float]:
    """Decode in a pool that is full of evictable leaves of 64 tokens: each step evicts one or more in one call, and inserts as many.

    Return the figures of evict, alloc, insert and the whole step, in microseconds.
    """
    driver = make(page_size, leaves * LEAF, pool)
    for i in range(leaves):
        driver.insert(driver.prep(leaf(i)), driver.alloc(LEAF), 0)
    check(driver.available() == 0, f"{driver.available()} slots are free after the pool was filled")
    evicting, taking, inserting = [], [], []
    present = 0
    settle()
    for step in paced(steps, seconds):
        keys = [driver.prep(leaf(leaves + step * victims + i)) for i in range(victims)]
        start = now()
        driver.evict(LEAF * victims)
        evicted = now()
        rows = [driver.alloc(LEAF) for _ in keys]
        taken = now()
        for tokens, row in zip(keys, rows, strict=True):
            present += driver.insert(tokens, row, 0)
        end = now()
        evicting.append(evicted - start)
        taking.append(taken - evicted)
        inserting.append(end - taken)
    check(present == 0, f"{present} tokens were cached before they were inserted")
    check(driver.sizes() == (leaves * LEAF, 0), f"evictable and protected tokens are {driver.sizes()} at the end, of {leaves * LEAF}")
    check(driver.available() == 0, f"{driver.available()} slots are free at the end")
    last = leaves + len(evicting) * victims
    kept = [driver.length(driver.prep(leaf(i))) for i in (last - 1, last - leaves, last - leaves - 1)]
    check(kept == [LEAF, LEAF, 0], f"of the newest leaf, the oldest that stays and the last victim {kept} tokens are cached")
    whole = list(map(sum, zip(evicting, taking, inserting, strict=True)))
    figures = {**summary("evict", evicting), **summary("alloc", taking), **summary("insert", inserting), **summary("step", whole, 3)}
    return figures | {"steps": len(whole)}


SEGMENT = 16  # tokens
DEEP_CALLS = ("match", "lock", "unlock", "insert", "evict")


def deep(make: Make, nodes: int, steps: int) -> dict[str, float]:
    """Return the figures of each call along a chain of many nodes of 16 tokens, in microseconds.

    The time of a lock includes reading exact sizes.
    """
    tokens = list(range(1_000, 1_000 + (nodes + 1) * SEGMENT))
    driver = make(1, (nodes + 1) * SEGMENT, "stub")
    row = driver.alloc(SEGMENT).to(driver.rows)
    driver.insert(driver.prep(tokens[:SEGMENT]), row, 0)
    for i in range(2, nodes + 1):
        row = row_of(driver, row, driver.alloc(SEGMENT))
        driver.insert(driver.prep(tokens[: i * SEGMENT]), row, (i - 1) * SEGMENT)
    held = nodes * SEGMENT
    times: dict[str, list[int]] = {call: [] for call in DEEP_CALLS}
    settle()
    for _ in range(steps):
        key, longer = driver.prep(tokens[:held]), driver.prep(tokens)
        longer_row = row_of(driver, row, driver.alloc(SEGMENT))
        start = now()
        length, handle = driver.match(key)
        matched = now()
        lock = driver.lock(handle)
        sizes = driver.sizes()
        locked = now()
        driver.unlock(lock)
        unlocked = now()
        present = driver.insert(longer, longer_row, held)
        inserted = now()
        driver.evict(SEGMENT)
        end = now()
        check((length, present) == (held, held), f"{length} tokens were matched and {present} present, of {held}")
        check(sizes == (0, held), f"evictable and protected tokens are {sizes} while all of {held} are locked")
        check(driver.sizes() == (held, 0), f"evictable and protected tokens are {driver.sizes()} after the leaf was evicted, of {held}")
        check(driver.available() == SEGMENT, f"{driver.available()} slots are free after the leaf was evicted")
        for call, time in zip(
            DEEP_CALLS, (matched - start, locked - matched, unlocked - locked, inserted - unlocked, end - inserted), strict=True
        ):
            times[call].append(time)
    return summaries(times)


GROUPS = 32
ENTRIES = 8  # of each group
ENTRY = 256  # tokens
COMING = 10  # sequences that come between rounds, and as many go
ASIDE = 30_000_000  # first token of the sequences that are not waiting


def deeper(i: int) -> list[int]:
    """Return the prefix of a group, and one of its entries."""
    group, entry = i % GROUPS, i // GROUPS % ENTRIES
    start = OWN + (group * ENTRIES + entry) * ENTRY
    return [*range(SHARED + group * PREFIX, SHARED + (group + 1) * PREFIX), *range(start, start + ENTRY)]


def waiting(i: int) -> list[int]:
    """Return a waiting prompt."""
    rest = PROMPT - PREFIX - ENTRY
    return [*deeper(i), *range(OWN * 2 + i * rest, OWN * 2 + (i + 1) * rest)]


def aside(i: int) -> list[int]:
    """Return a sequence that is not waiting."""
    return list(range(ASIDE + i * ENTRY, ASIDE + (i + 1) * ENTRY))


def queue(make: Make, requests: int, rounds: int, page_size: int) -> dict[str, float]:
    """Rank a thousand waiting requests in each round by their cached tokens; between rounds sequences come and go.

    A waiting prompt is the prefix of its group, then an entry that it shares with a part of its group and that may be cached, then its own
    tokens. Return the microseconds of one round over all waiting requests, except the first round, and of adding a request.
    """
    spare = 2 * COMING * rounds
    capacity = GROUPS * PREFIX + (GROUPS * ENTRIES // 2 + spare) * ENTRY
    driver = make(page_size, capacity, "stub")
    for i in range(spare):
        _come(driver, aside(i))
    for i in range(GROUPS * ENTRIES // 2):
        _come(driver, deeper(i))
    check(driver.available() == 0, f"{driver.available()} slots are free after the pool was filled")
    prompts = [driver.prep(waiting(i)) for i in range(requests)]
    start = now()
    queued = [driver.wait(tokens) for tokens in prompts]
    begun = microseconds(now() - start)
    times, found, walked = [], list[int](), list[int]()
    settle()
    for one in range(rounds):
        start = now()
        found = driver.lengths(queued)
        times.append(now() - start)
        walked = [driver.length(tokens) for tokens in prompts]
        wrong = sum(a != b for a, b in zip(found, walked, strict=True))
        check(wrong == 0, f"{wrong} of {requests} lengths of round {one} are not those of a walk from the root")
        if one == 0:
            expected = [PREFIX + (ENTRY if i % (GROUPS * ENTRIES) < GROUPS * ENTRIES // 2 else 0) for i in range(requests)]
            check(found == expected, "the lengths of the first round are not those that were inserted")
        _between(driver, one, spare)
        held = sum(driver.sizes()) + driver.available()
        check(held == capacity, f"{held} tokens are free or cached after round {one}, of {capacity}")
    first, *later = times
    once = {"enqueue": begun / requests, "first round": microseconds(first)}
    return {**summary("round", later), **once, "cached tokens": sum(walked) / requests}


def _between(driver: Driver, one: int, spare: int) -> None:
    """Insert sequences, for which as many tokens are evicted. Half of the sequences are parts of waiting prompts."""
    entries = GROUPS * ENTRIES
    coming = [deeper(entries // 2 + (one * COMING // 2 + i) % (entries // 2)) for i in range(COMING // 2)]
    coming += [aside(spare + one * COMING + i) for i in range(COMING - len(coming))]
    for tokens in coming:
        _come(driver, tokens)


def _come(driver: Driver, tokens: list[int]) -> None:
    """Insert a computed sequence, after evicting what is needed."""
    key = driver.prep(tokens)
    length, handle = driver.match(key)
    lock = driver.lock(handle)
    slots = driver.indices(handle, length) if length else None
    short = len(tokens) - length - driver.available()
    if short > 0:
        driver.evict(short)
    fresh = driver.alloc(len(tokens) - length) if length < len(tokens) else None
    driver.insert(key, row_of(driver, slots, fresh), length)
    driver.unlock(lock)


LENGTHS = (16, 64)  # tokens of a leaf
WARM = 8  # leaves of a first cache, which pays the fixed costs
PAGE = 1


def memory(make: Make, leaves: int) -> dict[str, float]:
    """Return the resident bytes per leaf of 16 and of 64 tokens, including the empty cache and without the buffer of the pool."""
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
