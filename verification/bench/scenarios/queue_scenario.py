"""Ranks a thousand waiting requests in each round by their cached tokens; between rounds sequences come and go.

A waiting prompt is the prefix of its group, then an entry that it shares with a part of its group and that may be cached, then its own
tokens.
"""

from radixcheck.verification.bench.clock import microseconds, now, settle, summary
from radixcheck.verification.bench.driver import Driver, check
from radixcheck.verification.bench.streams import OWN, PREFIX, PROMPT, SHARED, Make, row_of

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


def run(make: Make, requests: int, rounds: int, page_size: int) -> dict[str, float]:
    """Return the microseconds of one round over all waiting requests, except the first round, and of adding a request."""
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
    queue = [driver.wait(tokens) for tokens in prompts]
    begun = microseconds(now() - start)
    times, found, walked = [], list[int](), list[int]()
    settle()
    for one in range(rounds):
        start = now()
        found = driver.lengths(queue)
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
