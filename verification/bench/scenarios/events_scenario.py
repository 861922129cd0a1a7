"""What KV events cost: the same insertions and evictions in a cache without events and in one with them, in turn in the same run."""

from array import array
from statistics import median
from typing import Any, cast

from radixcheck.optimized import DevicePool, RadixCache
from radixcheck.spec.events.event_values import Event, Removed, Stored
from radixcheck.spec.values import Key
from radixcheck.verification.bench.driver import check
from radixcheck.verification.bench.streams import COST, Make, leaf, now, settle

ROUNDS_MIN = 5


class Side:
    """One cache, and the times of its calls."""

    def __init__(self, capacity: int, page_size: int, emits: bool) -> None:
        self.events: list[Event] | None = [] if emits else None
        self.cache = RadixCache(page_size, "lru", DevicePool(capacity, page_size), events=self.events)
        self.times: dict[str, list[float]] = {"insert": [], "evict": []}  # microseconds for each leaf

    def round(self, first: int, leaves: int, tokens: int) -> None:
        """Insert leaves, and evict them all."""
        cache = self.cache
        keys = [Key(cast(Any, array("Q", leaf(number, tokens)))) for number in range(first, first + leaves)]
        slots = [cache.alloc(tokens) for _ in keys]
        start = now()
        for key, given in zip(keys, slots, strict=True):
            cache.insert(key, given)
        middle = now()
        freed = cache.evict(leaves * tokens)
        end = now()
        check(freed == leaves * tokens, f"{freed} tokens were evicted of {leaves} leaves of {tokens}")
        for name, taken in (("insert", middle - start), ("evict", end - middle)):
            self.times[name].append((taken - COST) / leaves / 1e3)
        if self.events is not None:
            self._check_events(leaves * tokens // cache.page_size)

    def _check_events(self, pages: int) -> None:
        assert self.events is not None, "it emits"
        stored = [id_ for event in self.events if isinstance(event, Stored) for id_ in event.ids]
        removed = [id_ for event in self.events if isinstance(event, Removed) for id_ in event.ids]
        check(len(stored) == pages and set(stored) == set(removed), "the events do not give the pages that were inserted and evicted")
        self.events.clear()


def events(make: Make, pages: int, page_size: int, leaves: int, rounds: int) -> dict[str, float]:
    """Insert and evict leaves of so many pages, in a cache without events and in one with them, in turn; each leaf is new.

    Return the medians of both in microseconds for each leaf, how many times as long it takes with events, and what events add for each
    page that is inserted and evicted.
    """
    tokens = pages * page_size
    off, on = (Side(leaves * tokens, page_size, emits) for emits in (False, True))
    for number in range(rounds + ROUNDS_MIN):
        if number == ROUNDS_MIN:  # every call has been warmed up
            for times in (*off.times.values(), *on.times.values()):
                times.clear()
        settle()
        for side in (off, on):
            side.round(number * leaves, leaves, tokens)
    figures, added = dict[str, float](), 0.0
    for name in off.times:
        without, emitting = median(off.times[name]), median(on.times[name])
        added += emitting - without
        figures |= {f"{name} off": without, f"{name} on": emitting, f"{name} on / off": emitting / without}
    return {**figures, "us/page": added / pages}
