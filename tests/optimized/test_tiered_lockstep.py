"""The optimized cache with a host tier beside the reference: the same random calls, and every node, size and copy after each."""

from collections import Counter
from collections.abc import Callable
from itertools import product
from random import Random
from typing import Any

import pytest
from numbered_copies import Numbered
from tier_shape import by_prefix, check_counters

from radixcheck.optimized import DevicePool, TieredCache
from radixcheck.optimized.heap import POLICIES
from radixcheck.optimized.tier_memory import THRESHOLDS
from radixcheck.reference import SlotPool
from radixcheck.reference import TieredCache as Readable
from radixcheck.spec.values import CacheError, Key

CALLS = 120
PAGES = 8
VERBS = (
    *("insert", "insert", "insert", "match", "peek", "start", "start", "chunk", "decode", "finish", "abort", "lock", "unlock"),
    *("evict", "alloc", "free", "reset", "offload", "load_back", "load_back", "backup", "evict_host"),
    *("complete", "complete", "poll", "poll", "run"),
)


class Pair:
    """The two caches, and random calls on both."""

    def __init__(self, policy: str, mode: str, page_size: int, host_pages: int, seed: int, device: str) -> None:
        sizes = (PAGES * page_size, host_pages * page_size)
        self.rng, self.page_size, self.copiers = Random(seed), page_size, (Numbered(), Numbered())
        self.fast = TieredCache(
            page_size, policy, DevicePool(sizes[0], page_size, device), DevicePool(sizes[1], page_size, "cpu"), self.copiers[0], mode
        )
        self.slow = Readable(page_size, policy, SlotPool(sizes[0], page_size), SlotPool(sizes[1], page_size), self.copiers[1], mode)
        self.held: dict[str, list[Any]] = {"lock": [], "loan": [], "request": []}
        self.lookups: list[tuple[Key, Any]] = []
        self.made = 0
        self.seen = Counter[str]()

    def both(self, call: Callable[[Any, Numbered, int], Any]) -> tuple[Any, Any] | None:
        """Make a call of each; return the answers, or None if both refuse for the same reason."""
        answers, errors = list[Any](), list[type[CacheError]]()
        for i, cache in enumerate((self.fast, self.slow)):
            try:
                answers.append(call(cache, self.copiers[i], i))
            except CacheError as error:
                errors.append(type(error))
        if errors:
            assert not answers
            assert errors[0] is errors[1]
            self.seen[errors[0].__name__] += 1
            return None
        return answers[0], answers[1]

    def same(self, call: Callable[[Any, Numbered], Any]) -> Any:
        """Make a call of each; both must answer the same."""
        found = self.both(lambda cache, copier, _: call(cache, copier))
        assert found is None or found[0] == found[1]
        return None if found is None else found[0]

    def key(self) -> Key:
        """A key of up to four pages, each of one letter, and perhaps a part of a page."""
        rng, size = self.rng, self.page_size
        pages = [(rng.randint(0, 1),) * size for _ in range(rng.randint(0, 4))]
        return Key((*sum(pages, ()), *(0,) * rng.randrange(size)), ("a",) if rng.random() < 0.1 else ())

    def step(self) -> None:
        """Make one call."""
        name = self.rng.choice(VERBS)
        self.seen[name] += 1
        getattr(self, name)()
        self.compare()

    def compare(self) -> None:
        """Compare what both hold, and check what the fast one counts."""
        assert by_prefix(self.fast) == by_prefix(self.slow)
        assert self.fast.sizes() == self.slow.sizes()
        assert self.fast.host_available() == self.slow.host_available()
        self.same(lambda cache, copier: [(copy.up, len(copy.sources), *copier.numbers([copy.ticket])) for copy in cache.copies])
        check_counters(self.fast)
        for key, lookup in self.lookups:
            assert self.fast.match_many([lookup]) == [self.slow.peek(key)]

    def insert(self) -> None:
        """Insert what an alloc gives, and free the rest."""
        key, priority = self.key(), self.rng.randint(0, 2)
        size = self.page_size
        loan = self.both(lambda cache, _c, _i: cache.alloc(len(key.tokens)))
        if loan is None:
            return
        present = self.both(lambda cache, _c, i: cache.insert(key, loan[i], priority))
        assert present is not None
        assert present[0] == present[1]
        whole = len(key.tokens) // size * size
        for cache, slots in ((self.fast, loan[0]), (self.slow, loan[1])):
            first, rest = slots[: present[0]], slots[whole:]
            cache.free(first)
            cache.free(rest)

    def match(self) -> None:
        """Match a key."""
        key = self.key()
        self.same(lambda cache, _: _matched(cache.match(key)))

    def peek(self) -> None:
        """Peek, and look this key up from now on."""
        key = self.key()
        self.same(lambda cache, _: cache.peek(key))
        self.lookups = [*self.lookups[-5:], (key, self.fast.lookup(key))]

    def start(self) -> None:
        """Start a request."""
        self.begin(self.key())

    def begin(self, key: Key) -> None:
        """Start a request with a key, and run it if that is possible."""
        self.made += 1
        number, priority = self.made, self.rng.randint(0, 2)
        if self.same(lambda cache, copier: _row(cache.start(number, key, priority), copier)) is not None:
            self.held["request"].append(number)
            self.same(lambda cache, _: cache.run(number))

    def chunk(self) -> None:
        """Cache what a request has so far."""
        number = self.request()
        self.same(lambda cache, copier: _row(cache.chunk(number), copier))

    def decode(self) -> None:
        """Add a token."""
        number, token = self.request(), self.rng.randint(0, 1)
        self.both(lambda cache, _c, _i: cache.decode(number, token))

    def finish(self) -> None:
        """Finish a request."""
        number = self.request(gone=True)
        self.same(lambda cache, _: cache.finish(number))

    def abort(self) -> None:
        """Abort a request."""
        number = self.request(gone=True)
        self.same(lambda cache, _: cache.abort(number))

    def run(self) -> None:
        """Run a request."""
        number = self.request()
        self.same(lambda cache, _: cache.run(number))

    def lock(self) -> None:
        """Lock the device's part of a match, or what only the host has, which is refused."""
        key = self.key()
        found = self.both(lambda cache, _c, _i: cache.match(key))
        assert found is not None
        if found[0].host_length:
            assert self.both(lambda cache, _c, i: cache.lock(found[i].host_node)) is None
        if len(self.held["lock"]) < 2:
            self.held["lock"].append(self.both(lambda cache, _c, i: cache.lock(found[i].node)))

    def unlock(self) -> None:
        """Release a lock."""
        if self.held["lock"]:
            receipts = self.held["lock"].pop(self.rng.randrange(len(self.held["lock"])))
            self.both(lambda cache, _c, i: cache.unlock(receipts[i]))

    def alloc(self) -> None:
        """Take slots."""
        amount = self.rng.randint(0, 2 * self.page_size)
        if len(self.held["loan"]) < 2:
            loan = self.both(lambda cache, _c, _i: cache.alloc(amount))
            self.held["loan"] += [loan] if loan else []

    def free(self) -> None:
        """Give them back."""
        if self.held["loan"]:
            loan = self.held["loan"].pop()
            self.both(lambda cache, _c, i: cache.free(loan[i]))

    def evict(self) -> None:
        """Evict; copies that the eviction waits for may fail."""
        amount, fail_every = self.rng.randint(0, 6 * self.page_size), self.rng.choice((0, 0, 0, 1, 2))
        self.fail(fail_every)
        self.same(lambda cache, _: cache.evict(amount))
        self.fail(0)

    def evict_host(self) -> None:
        """Evict on the host."""
        amount = self.rng.randint(0, 3 * self.page_size)
        self.same(lambda cache, _: cache.evict_host(amount))

    def load_back(self) -> None:
        """Load what only the host has of a key, most often for a request."""
        key = self.key()
        self.same(lambda cache, _: cache.load_back(cache.match(key).host_node))
        if self.rng.random() < 0.7:
            self.begin(key)

    def backup(self) -> None:
        """Back a node up."""
        key, host = self.key(), self.rng.random() < 0.3
        self.same(lambda cache, _: cache.backup(_end(cache.match(key), host)))

    def complete(self) -> None:
        """Complete a copy in flight."""
        places = [place for place, move in enumerate(self.copiers[0].issued) if not move.done]
        if places:
            place, failed = self.rng.choice(places), self.rng.random() < 0.25
            for copier in self.copiers:
                copier.issued[place].complete(failed)

    def offload(self) -> None:
        """Let every copy arrive, and everything that may leave the device."""
        for copier in self.copiers:
            for move in copier.issued:
                move.wait()
        self.poll()
        self.same(lambda cache, _: cache.evict(PAGES * self.page_size))

    def poll(self) -> None:
        """Handle what is done."""
        self.same(lambda cache, copier: copier.numbers(cache.poll()))

    def reset(self) -> None:
        """Forget everything, seldom."""
        if self.rng.random() < 0.2:
            self.same(lambda cache, _: cache.reset())

    def fail(self, every: int) -> None:
        """Let one in so many of the copies that a call waits for fail, or none."""
        for copier in self.copiers:
            copier.fail_every = every

    def request(self, gone: bool = False) -> int:
        """Return a request, most often a live one."""
        live = self.held["request"]
        if not live or self.rng.random() < 0.02:
            return self.made + 1
        number = self.rng.choice(live)
        if gone:
            live.remove(number)
        return int(number)


def _matched(found: Any) -> tuple[int, int, int]:
    return found.length, len(found.slots), found.host_length


def _end(found: Any, host: bool) -> object:
    return found.host_node if host else found.node


def _row(row: Any, copier: Numbered) -> tuple[int, int, list[int]]:
    return row.cached, len(row.slots), copier.numbers(row.waits)


@pytest.mark.parametrize("mode", THRESHOLDS)
@pytest.mark.parametrize("policy", POLICIES)
def test_the_optimized_cache_with_a_host_tier_is_the_reference_call_by_call(policy: str, mode: str, device: str) -> None:
    seen = Counter[str]()
    for seed, (page_size, host_pages) in enumerate(product((1, 2, 3), (0, 3, 6, 16))):
        for run in range(2):
            pair = Pair(policy, mode, page_size, host_pages, 100 * seed + run, device)
            for _ in range(CALLS):
                pair.step()
            seen += pair.seen
    assert all(seen[verb] > 20 for verb in VERBS)
    assert seen["NotArrived"] > 5
    assert seen["StaleHandle"] > 0
