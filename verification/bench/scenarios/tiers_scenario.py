"""Replays a trace whose working set is ten times the device and twice the host: what is missing on the device is loaded back from the host.

At each step the cache learns which copies have arrived, the running requests grow, and one request arrives: it is matched, loaded back,
locked and inserted, and the queued copies are submitted. Only time inside the cache and its pools counts.
"""

from collections.abc import Sequence

from radixcheck.verification.bench.driver import check
from radixcheck.verification.bench.drivers.host_floor_driver import HostFloor
from radixcheck.verification.bench.host_driver import HostDriver
from radixcheck.verification.bench.scenarios.host_scenarios import MakeHost
from radixcheck.verification.bench.scenarios.trace_scenario import Replay, Running, play, recorded
from radixcheck.verification.bench.streams import COST, now, row_of
from radixcheck.verification.trace_replay.mooncake import TraceRequest
from radixcheck.verification.trace_replay.sample import generate

CALLS = ("load", "flush", "poll")  # beside those of a trace
DEVICE, HOST = 10, 2  # the working set by the capacity of a tier
SAME_COPIES = 2.0  # per cent by which the copied tokens may differ
SAME = 0.5  # points by which a share of hits may differ from that of the floor, whose order differs where a copy is released


def tiers(make: MakeHost, path: str, block: int, page_size: int, requests: int, running: int, seconds: float) -> dict[str, float]:
    """Return the requests per second, the microseconds per request, and the shares of prompt tokens that were cached on each tier.

    Without a path the trace is generated. The shares of hits must be those of the floor, which has the same policy.
    """
    found = recorded(path, requests) if path else generate(requests)
    capacities = capacities_for(found, block, page_size)
    replay = TieredReplay(make(page_size, *capacities, "stub"), capacities[0], page_size)
    play(replay, found, block, page_size, running, seconds)
    replay.end(capacities[1])
    same = replay.counts.done + replay.counts.skipped
    floor = TieredReplay(HostFloor.over("stub", page_size, *capacities), capacities[0], page_size)
    play(floor, found[:same], block, page_size, running, float("inf"))
    figures, expected = replay.figures(len(found)), floor.figures(same)
    for share in ("device hit %", "host hit %"):
        apart = abs(figures[share] - expected[share])
        check(apart <= SAME, f"{share}: {figures[share]:.2f}, where the floor has {expected[share]:.2f}")
    for copied in ("loaded tokens", "backed up tokens"):
        ratio = 100 * figures[copied] / expected[copied]
        check(abs(ratio - 100) <= SAME_COPIES, f"{copied}: {figures[copied]:,}, where the floor has {expected[copied]:,}")
    return figures


def capacities_for(trace: Sequence[TraceRequest], block: int, page_size: int) -> tuple[int, int]:
    """Return the capacity of the device and of the host, in tokens, of which the working set of these prompts is ten times and twice."""
    tokens = len({i for one in trace for i in one.hash_ids}) * block
    return tokens // DEVICE // page_size * page_size, tokens // HOST // page_size * page_size


class TieredReplay(Replay):
    """The state of the replay of a trace over two tiers."""

    driver: HostDriver

    def __init__(self, driver: HostDriver, capacity: int, page_size: int) -> None:
        super().__init__(driver, capacity, page_size)
        self._spent |= dict.fromkeys(CALLS, 0)
        self._loaded = self._hits = 0  # tokens, of all requests and of those that were admitted

    def arrive(self, tokens: list[int], answer: int, tick: int) -> None:
        """Poll, let the running requests grow, then admit this one."""
        driver, need = self.driver, len(tokens)
        if need + answer > self.capacity // 2:
            self.counts.skipped += 1
            return
        self._poll()
        self._grow()
        key = driver.prep(tokens)
        start = now()
        length, handle = driver.match(key)
        matched = now()
        loaded, handle = driver.load_back(handle) if driver.behind(handle) else (0, handle)
        there = now()
        self._loaded += loaded
        cached = length + loaded
        slots = driver.indices(handle, cached) if cached else None
        read = now()
        lock = driver.lock(handle)
        end = now()
        check(slots is None or slots.numel() == cached, f"of {cached} cached tokens there are other slots than one for each")
        for call, time in zip(
            ("match", "load", "indices", "lock"), (matched - start, there - matched, read - there, end - read), strict=True
        ):
            self._spent[call] += time - COST
        if not self._room(need - cached):  # too many requests are running
            driver.unlock(lock)
            driver.flush()
            while self.active:
                self.finish()
            self.counts.skipped += 1
            return
        row = row_of(driver, slots, self._take(need - cached) if need > cached else None)
        start = now()
        lock = driver.checkpoint(key, row, cached, lock)
        inserted = now()
        driver.flush()
        end = now()
        self._spent["insert"] += inserted - start - COST
        self._spent["flush"] += end - inserted - COST
        self.active.append(Running(tokens, row, lock, answer, tick))
        self.counts.admit(need, cached)
        self._hits += loaded

    def _poll(self) -> None:
        start = now()
        self.driver.poll()
        self._spent["poll"] += now() - start - COST

    def end(self, host: int) -> None:
        """Finish all requests, and check that nothing is lost: the prompts are cached, and both tiers can be emptied."""
        driver, last = self.driver, [one.prompt for one in self.active]
        while self.active:
            self.finish()
        driver.flush()
        driver.poll()
        check(self.counts.done > 0, "no request of the trace fits")
        lost = [len(tokens) for tokens in last if driver.length(driver.prep(tokens)) != len(tokens)]
        check(not lost, f"{len(lost)} of the last {len(last)} prompts are not completely cached")
        check(driver.copied.up == self._loaded > 0, f"{driver.copied.up} tokens were copied to the device, and {self._loaded} were loaded")
        driver.evict(self.capacity)
        driver.evict_host(host)
        free, whole = (driver.available(), driver.host_available(), *driver.sizes()), (self.capacity, host, 0, 0)
        check(
            free == whole, f"free tokens of the device and the host, evictable and protected are {free}, of {whole}, after all was evicted"
        )

    def figures(self, recorded: int) -> dict[str, float]:
        """Return the figures, with the hits of each tier."""
        share = 100 * self._hits / self.counts.tokens
        figures = super().figures(recorded)
        copied = {"loaded tokens": self._loaded, "backed up tokens": self.driver.copied.down}
        return {**figures, "device hit %": figures["hit %"] - share, "host hit %": share, **copied}
