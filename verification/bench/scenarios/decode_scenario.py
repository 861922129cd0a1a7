"""Decodes in a pool that is full of evictable leaves of 64 tokens: each step evicts one or more in one call, and inserts as many."""

from radixcheck.verification.bench.clock import now, settle, summary
from radixcheck.verification.bench.driver import check
from radixcheck.verification.bench.streams import LEAF, Make, leaf, paced


def run(make: Make, leaves: int, page_size: int, pool: str, victims: int, steps: int, seconds: float) -> dict[str, float]:
    """Return the figures of evict, alloc, insert and the whole step, in microseconds."""
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
