"""Scenarios for caches with a host tier: each function is named as its scenario. Copies are complete as soon as they are submitted."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from radixcheck.verification.bench.driver import check
from radixcheck.verification.bench.host_driver import HostDriver
from radixcheck.verification.bench.streams import COST, LEAF, leaf, microseconds, now, paced, quantile, settle, summaries

MakeHost = Callable[[int, int, int, str], HostDriver]  # page size, capacity of the device and of the host in tokens, stub or real
AT_ONCE = 16  # nodes that are inserted between two flushes while the pools are filled


@dataclass(slots=True)
class Tiers:
    """Leaves that no other sequence shares a token with, and where they must be: the least recently used first."""

    driver: HostDriver
    device: deque[int] = field(default_factory=deque)  # on both tiers
    host: deque[int] = field(default_factory=deque)  # on the host alone
    gone: int = -1  # the last one that left the host
    number: int = 0  # of leaves so far
    times: dict[str, list[int]] = field(default_factory=dict)  # nanoseconds for each node, and of a flush and a poll

    def insert(self, leaves: int, capacity: int) -> None:
        """Insert leaves, whose copies to the host are submitted and arrive. Demote as many as are too many for the device."""
        self.demote(len(self.device) + leaves - capacity)
        driver, new = self.driver, range(self.number, self.number + leaves)
        keys = [driver.prep(leaf(i)) for i in new]
        rows = [driver.alloc(LEAF) for _ in new]
        start = now()
        present = [driver.insert(key, row, 0) for key, row in zip(keys, rows, strict=True)]
        self._arrive("backup", start, leaves)
        check(not any(present), f"of new leaves {present} tokens were cached before they were inserted")
        self.number = new.stop
        self.device.extend(new)

    def load(self, leaves: int) -> None:
        """Load the leaves back that are in the middle of those on the host alone. There is room for them."""
        driver, at = self.driver, len(self.host) // 2
        chosen = [self.host[at + i] for i in range(leaves)]
        keys, found = [driver.prep(leaf(i)) for i in chosen], []
        start = now()
        for key in keys:
            found.append(driver.match(key))
        self._timed("match", start, leaves)
        places = {(length, driver.behind(handle)) for length, handle in found}
        check(places == {(0, LEAF)}, f"of leaves on the host {places} tokens were found on the device and behind it")
        start = now()
        loaded = [driver.load_back(handle)[0] for _, handle in found]
        self._arrive("load-back", start, leaves)
        check(loaded == [LEAF] * leaves, f"of leaves on the host {loaded} tokens were loaded")
        for _ in chosen:
            del self.host[at]
        self.device.extend(chosen)

    def demote(self, leaves: int) -> None:
        """Evict leaves from the device. They stay on the host."""
        if leaves > 0:
            free = self.driver.available()
            start = now()
            self.driver.evict(leaves * LEAF)
            self._timed("demote", start, leaves)
            freed = self.driver.available() - free
            check(freed == leaves * LEAF, f"{freed} tokens were freed on the device, of {leaves * LEAF}")
            self.host.extend(self.device.popleft() for _ in range(leaves))

    def evict_host(self, leaves: int) -> None:
        """Evict leaves from the host, and so from the tree."""
        free = self.driver.host_available()
        start = now()
        self.driver.evict_host(leaves * LEAF)
        self._timed("evict_host", start, leaves)
        freed = self.driver.host_available() - free
        check(freed == leaves * LEAF, f"{freed} tokens were freed on the host, of {leaves * LEAF}")
        for _ in range(leaves):
            self.gone = self.host.popleft()

    def _arrive(self, name: str, start: int, leaves: int) -> None:
        """Submit the copies of an operation, and let the cache learn that they have arrived; both are a part of its cost."""
        issued = now()
        self.driver.flush()
        flushed = now()
        self.driver.poll()
        end = now()
        self._add(name, end - start, leaves, 3)
        self._add(f"{name} issue", issued - start, leaves)
        self._add("flush", flushed - issued)
        self._add("poll", end - flushed)

    def _timed(self, name: str, start: int, leaves: int) -> None:
        self._add(name, now() - start, leaves)

    def _add(self, name: str, time: int, leaves: int = 1, intervals: int = 1) -> None:
        """Add the time of one leaf, with the cost of one reading of the clock, which the summaries subtract."""
        self.times.setdefault(name, []).append((time - intervals * COST) // leaves + COST)

    def where(self, number: int) -> tuple[int, int]:
        """Return how many tokens of a leaf are on the device, and on the host alone."""
        length, handle = self.driver.match(self.driver.prep(leaf(number)))
        return length, self.driver.behind(handle)

    def check(self, loads: int) -> None:
        """Check where the leaves are, and the sizes of both tiers; all leaves that came have been copied, and so many were loaded."""
        driver, held = self.driver, len(self.device) * LEAF
        check(driver.sizes() == (held, 0), f"evictable and protected tokens are {driver.sizes()} at the end, of {held}")
        free = driver.available(), driver.host_available()
        check(free == (0, 0), f"{free} slots of the device and the host are free at the end")
        copied, expected = (driver.copied.down, driver.copied.up), (self.number * LEAF, loads * LEAF)
        check(copied == expected, f"{copied} tokens were copied to the host and to the device, instead of {expected}")
        ends = (self.device[-1], self.device[0], self.host[-1], self.host[0], self.gone)
        places = [self.where(number) for number in ends]
        expected_places = [(LEAF, 0), (LEAF, 0), (0, LEAF), (0, LEAF), (0, 0)]
        check(places == expected_places, f"the leaves at the ends of the orders are at {places}, of {expected_places}")


def cycled(tiers: Sequence[Tiers], at_once: int, steps: int, seconds: float) -> None:
    """Run steps on caches whose pools are full, in turn, so that a drift of the machine affects all of them. Check each at the end.

    A step demotes leaves, loads others back in their place, demotes again, evicts as many from the host, and inserts as many new ones.
    """
    done = 0
    settle()
    for _ in paced(steps, seconds):
        for one in tiers:
            one.demote(at_once)
            one.load(at_once)
            one.demote(at_once)
            one.evict_host(at_once)
            one.insert(at_once, len(one.device) + at_once)
        done += at_once
    for one in tiers:
        one.check(done)


def filled(make: MakeHost, device: int, host: int, page_size: int, pool: str) -> Tiers:
    """Return a cache with so many leaves on both tiers, and so many on the host alone; both pools are full."""
    tiers = Tiers(make(page_size, device * LEAF, (device + host) * LEAF, pool))
    at_once = min(AT_ONCE, device)
    for first in range(0, device + host, at_once):
        tiers.insert(min(at_once, device + host - first), device)
    tiers.times.clear()
    return tiers


def host(make: MakeHost, leaves: int, page_size: int, pool: str, at_once: int, steps: int, seconds: float) -> dict[str, float]:
    """Return the microseconds for each node of a backup, a load-back, a demotion and an eviction from the host, so many nodes at a time.

    A backup includes the insertion of the node. Backup and load-back include the flush and the poll, which are shown apart as well.
    """
    tiers = filled(make, leaves, leaves, page_size, pool)
    cycled([tiers], at_once, steps, seconds)
    return {**summaries(tiers.times), "steps": len(tiers.times["backup"])}


GROWING = ("backup", "demote", "evict_host")


def growth(make: MakeHost, sizes: Sequence[int], device: int, page_size: int, steps: int, seconds: float) -> dict[str, float]:
    """Return the cost of operations with few and with many leaves on the host alone, and how many times as large it becomes.

    The growth is the largest median by the smallest, over all sizes; of the means as well, which include what is done rarely.
    """
    tiers = [filled(make, device, size, page_size, "stub") for size in sizes]
    cycled(tiers, 1, steps, seconds)
    figures: dict[str, float] = {}
    for name in GROWING:
        medians = [quantile(sorted(map(microseconds, one.times[name])), 0.5) for one in tiers]
        figures |= {f"{name} {size:,}": cost for size, cost in zip(sizes, medians, strict=True)}
        figures |= {f"{name} first": medians[0], f"{name} last": medians[-1], f"{name} growth": max(medians) / min(medians)}
        means = [fmean(map(microseconds, one.times[name])) for one in tiers]
        figures[f"{name} mean growth"] = max(means) / min(means)
    return figures
