"""Admits prompts of 2,048 tokens, 1,536 of which are shared within a group, one after the other, with room for all of them."""

import torch

from radixcheck.verification.bench.clock import now, settle, summaries, summary
from radixcheck.verification.bench.driver import check
from radixcheck.verification.bench.streams import PREFIX, PROMPT, Make, prompt, row_of

CALLS = ("match", "indices", "lock", "insert", "unlock")


def run(make: Make, groups: int, per_group: int, page_size: int) -> dict[str, float]:
    """Return the figures of each call and of their sum, in microseconds. The first prompt of a group misses, the second splits."""
    requests = groups * per_group
    driver = make(page_size, requests * PROMPT, "stub")
    times: dict[str, list[int]] = {call: [] for call in CALLS}
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
        for call, time in zip(CALLS, (matched - start, read - matched, locked - read, inserted - ready, end - inserted), strict=True):
            times[call].append(time)
    held = groups * PREFIX + requests * (PROMPT - PREFIX)
    check(driver.sizes() == (held, 0), f"evictable and protected tokens are {driver.sizes()} at the end, of {held}")
    check(driver.available() == requests * PROMPT - held, f"{driver.available()} slots are free at the end")
    whole = list(map(sum, zip(*times.values(), strict=True)))
    return {**summary("total", whole, len(CALLS)), **summaries(times)}
