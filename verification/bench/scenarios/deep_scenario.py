"""Measures the costs along a chain of many nodes of 16 tokens."""

from radixcheck.verification.bench.clock import now, settle, summaries
from radixcheck.verification.bench.driver import check
from radixcheck.verification.bench.streams import Make, row_of

SEGMENT = 16  # tokens
CALLS = ("match", "lock", "unlock", "insert", "evict")


def run(make: Make, nodes: int, steps: int) -> dict[str, float]:
    """Return the figures of each call, in microseconds. The time of a lock includes reading exact sizes."""
    tokens = list(range(1_000, 1_000 + (nodes + 1) * SEGMENT))
    driver = make(1, (nodes + 1) * SEGMENT, "stub")
    row = driver.alloc(SEGMENT).to(driver.rows)
    driver.insert(driver.prep(tokens[:SEGMENT]), row, 0)
    for i in range(2, nodes + 1):
        row = row_of(driver, row, driver.alloc(SEGMENT))
        driver.insert(driver.prep(tokens[: i * SEGMENT]), row, (i - 1) * SEGMENT)
    held = nodes * SEGMENT
    times: dict[str, list[int]] = {call: [] for call in CALLS}
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
            CALLS, (matched - start, locked - matched, unlocked - locked, inserted - unlocked, end - inserted), strict=True
        ):
            times[call].append(time)
    return summaries(times)
