"""The two-tier reference under random calls: invariants of both tiers, and what arrives is what was computed."""

from collections import Counter
from itertools import product
from random import Random

import pytest
from two_tiers import Tiers, check

from radixcheck.reference import MODES, POLICIES, RadixCache, SlotPool
from radixcheck.reference.node import below
from radixcheck.spec.values import CacheError, Key, NotArrived

CALLS = 120


class Caller:
    """Makes random calls within their guards, and some outside them, which must change nothing."""

    def __init__(self, seed: int, cache: Tiers) -> None:
        self.random, self.cache = Random(seed), cache
        self.receipts: list[object] = []
        self.done: Counter[str] = Counter()

    def key(self) -> Key:
        """Keys of few letters, so that they share prefixes; some end in the middle of a page."""
        tokens = tuple(self.random.randint(0, 1) for _ in range(self.random.randint(1, 4) * self.cache.page_size))
        return Key(tokens[: len(tokens) - (self.random.random() < 0.2)], ("other",) if self.random.random() < 0.1 else ())

    def call(self) -> None:
        """Make one call. A refused one has changed nothing."""
        verbs = (self.insert, self.match, self.request, self.load, self.lock, self.evict, self.copies)
        verb = self.random.choices(verbs, (6, 2, 8, 6, 3, 4, 8))[0]
        before = self.cache.state() if verb != self.insert else None  # an insert is an allocation before
        try:
            verb()
            self.done[verb.__name__] += 1
        except CacheError as error:
            assert before is None or self.cache.state() == before
            self.done[type(error).__name__] += 1

    def insert(self) -> None:
        self.cache.put(self.key(), self.random.randint(0, 2))

    def match(self) -> None:
        key = self.key()
        length, found = self.cache.peek(key), self.cache.match(key)
        assert length == found.length == len(found.slots)
        assert found.length + found.host_length <= key.whole_pages(self.cache.page_size)

    def load(self) -> None:
        found = self.cache.match(self.key())
        loads, room = len(self.cache.copies), self.cache.sizes()
        tokens = self.cache.load_back(found.host_node) if self.random.random() < 0.7 else self.cache.backup(found.host_node)
        self.done["no load"] += not tokens and found.host_length > 0
        assert tokens or (loads, room) == (len(self.cache.copies), self.cache.sizes())

    def lock(self) -> None:
        if self.receipts and self.random.random() < 0.6:
            self.cache.unlock(self.receipts.pop())
        else:
            self.receipts.append(self.cache.lock(self.cache.match(self.key()).node))

    def evict(self) -> None:
        tokens, tier = self.random.randint(0, 5), self.random.choice((self.cache.evict, self.cache.evict_host))
        pools = self.cache.pool, self.cache.host_pool
        free = pools[tier == self.cache.evict_host].available
        freed = tier(tokens)
        assert pools[tier == self.cache.evict_host].available == free + freed

    def copies(self) -> None:
        copier = self.cache.copier
        for move in self.random.sample(moves := [*copier.in_flight()], self.random.randint(0, len(moves))):
            move.complete(failed=self.random.random() < 0.2)
        if self.random.random() < 0.7:
            done = [copy.ticket for copy in self.cache.copies if copy.ticket.done]
            assert self.cache.poll() == done
            self.done["again"] += sum(ticket.failed for ticket in done)
        copier.waits_fail = self.random.random() < 0.3

    def request(self) -> None:
        cache, number = self.cache, self.random.randint(1, 3)
        if number not in cache.requests:
            key = self.key()
            row = cache.start(number, key, self.random.randint(0, 2))
            cache.write(key.tokens, row.slots, row.cached)
            self.done["waits"] += len(row.waits)
            if self.random.random() < 0.5:
                self.run(number)
            return
        verb = self.random.choice(("chunk", "decode", "finish", "abort", "run", "run"))
        if verb == "decode":
            live = cache.requests[number]
            cache.decode(number, self.random.randint(0, 1))
            cache.write(tuple(live.tokens), live.row, len(live.row) - 1)
        elif verb == "run":
            self.run(number)
        else:
            getattr(cache, verb)(number)

    def run(self, number: int) -> None:
        """A request that runs finds what was computed in every slot of its row."""
        row, cache = self.cache.chunk(number), self.cache
        try:
            cache.run(number)
        except NotArrived:
            assert row.waits
            self.done["refused to run"] += 1
        else:
            assert not row.waits
            tokens = tuple(cache.requests[number].tokens)
            assert [cache.copier.device[slot] for slot in row.slots] == [tokens[: at + 1] for at in range(len(tokens))]


@pytest.mark.parametrize("mode", MODES)
def test_random_calls_keep_both_tiers_sound(mode: str) -> None:
    seen: Counter[str] = Counter()
    for policy, page_size, host_pages in product(POLICIES, (1, 2), (2, 6)):
        for seed in range(3):
            caller = Caller(seed, Tiers(mode, policy, page_size, pages=8, host_pages=host_pages))
            for _ in range(CALLS):
                caller.call()
                check(caller.cache)
            seen += caller.done

    assert {
        "insert",
        "match",
        "request",
        "load",
        "lock",
        "evict",
        "copies",
        "again",
        "waits",
        "refused to run",
        "no load",
        "NoRoom",
    } <= set(seen)


def outcome(cache: RadixCache, verb: str, *given: object) -> object:
    try:
        found = getattr(cache, verb)(*given)
    except CacheError as error:
        return type(error)
    return (found.length, found.slots) if verb == "match" else found


@pytest.mark.parametrize("mode", MODES)
def test_with_an_empty_host_it_does_what_the_cache_without_one_does(mode: str) -> None:
    for policy, page_size in product(POLICIES, (1, 2)):
        random = Random(page_size)
        plain, tiered = RadixCache(page_size, policy, SlotPool(8 * page_size, page_size)), Tiers(mode, policy, page_size, host_pages=0)
        for _ in range(CALLS):
            tokens, number = random.choices((0, 1), k=random.randint(1, 4 * page_size)), random.randint(1, 3)
            verb = random.choice(("match", "evict", "start", "start", "decode", "chunk", "finish", "finish", "abort", "reset"))
            given = {"match": (Key(tuple(tokens)),), "start": (number, Key(tuple(tokens))), "evict": (number,), "decode": (number, 1)}
            arguments = () if verb == "reset" else given.get(verb, (number,))

            assert outcome(plain, verb, *arguments) == outcome(tiered, verb, *arguments)
            trees = [[(n.segment, n.slots, n.lock, n.time, n.hits) for n in below(cache.root)] for cache in (plain, tiered)]
            assert (trees[0], plain.sizes(), plain.now) == (trees[1], tiered.sizes(), tiered.now)
