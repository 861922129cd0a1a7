"""The two-tier reference beside the executable specification: every node, size, copy and answer, call by call."""

from collections import Counter
from collections.abc import Callable
from itertools import product
from random import Random
from typing import Any

import pytest
from numbered_copies import Numbered
from two_tiers import prefix

from radixcheck.reference import MODES, POLICIES, SlotPool, TieredCache, TieredNode
from radixcheck.reference.node import below, path
from radixcheck.spec.run.host_model import HostModel
from radixcheck.spec.values import CacheError, Key

CALLS = 80
PAGES = 8


class Both:
    """The reference and the model, which get the same calls."""

    def __init__(self, policy: str, mode: str, page_size: int, host_pages: int) -> None:
        sizes = (PAGES * page_size, host_pages * page_size)
        pool, host_pool, *others = (SlotPool(size, page_size) for size in sizes * 2)
        self.copiers = Numbered(), Numbered()
        self.page_size = page_size
        self.reference = TieredCache(page_size, policy, pool, host_pool, self.copiers[0], mode)
        self.model = HostModel(page_size, policy, *sizes, mode, others[0], others[1], self.copiers[1])

    def same(self, call: Callable[[Any, Numbered], Any]) -> Any:
        """Make a call of each. They must return the same, or raise the same error."""
        left, right = (_outcome(call, *each) for each in zip((self.reference, self.model), self.copiers, strict=True))
        assert left == right
        return left

    def place(self, node: TieredNode) -> int:
        """Return the position of the specification at which a node ends."""
        top = [self.reference.root, *path(node)][-1]
        return self.model.positions.of(Key(prefix(node), top.child_key[0] if top is not self.reference.root else ()))

    def compare(self) -> None:
        """Compare every node, size and copy in flight."""
        s, machine = self.model.machine.state, self.model.machine
        maps = (s.lock, s.pins, s.time, s.hits, s.creation, s.priority)
        names = ("lock", "pins", "time", "hits", "creation", "priority")
        ours = {self.place(n): (n.is_resident, n.is_hosted, *(getattr(n, each) for each in names)) for n in below(self.reference.root)}
        assert ours == {n: (n in s.resident, n in s.hosted, *(each[n] for each in maps)) for n in s.node}
        assert (self.reference.now, self.reference.sizes()) == (s.now, self.model.sizes())
        assert self.reference.host_available() == self.reference.host_pool.available == self.model.host_available()
        copies = [(copy.up, self.place(copy.floor), self.place(copy.end)) for copy in self.reference.copies]
        assert copies == [(copy.up, copy.floor, copy.aim) for copy in map(machine.copies.__getitem__, self.model.tickets)]
        ours_issued = self.copiers[0].numbers([copy.ticket for copy in self.reference.copies])
        assert ours_issued == self.copiers[1].numbers([*self.model.tickets.values()])


def _outcome(call: Callable[[Any, Numbered], Any], cache: Any, copier: Numbered) -> Any:
    try:
        return call(cache, copier)
    except CacheError as error:
        return type(error)


class Caller:
    """Makes random calls of both."""

    def __init__(self, seed: int, both: Both) -> None:
        self.random, self.both = Random(seed), both
        self.receipts: list[dict[Any, object]] = []
        self.handles: list[dict[Any, object]] = []
        self.seen: Counter[str] = Counter()

    def key(self) -> Key:
        """Keys of two letters, some of which end in the middle of a page."""
        tokens = tuple(self.random.randint(0, 1) for _ in range(self.random.randint(1, 4) * self.both.page_size))
        return Key(tokens[: len(tokens) - (self.random.random() < 0.2)], ("other",) if self.random.random() < 0.1 else ())

    def call(self) -> None:
        verb = self.random.choices(
            (self.insert, self.match, self.handle, self.lock, self.request, self.evict, self.copies), (5, 2, 6, 2, 8, 4, 8)
        )[0]
        outcome = verb()
        self.seen[outcome.__name__ if isinstance(outcome, type) else verb.__name__] += 1
        self.both.compare()

    def insert(self) -> Any:
        key, priority = self.key(), self.random.randint(0, 2)

        def put(cache: Any, _: Numbered) -> int:
            slots = cache.alloc(len(key.tokens))
            known: int = cache.insert(key, slots, priority)
            cache.free(slots[:known] + slots[key.whole_pages(cache.page_size) :])
            return known

        return self.both.same(put)

    def match(self) -> Any:
        key, handles = self.key(), dict[Any, object]()

        def found(cache: Any, _: Numbered) -> Any:
            peeked, match = cache.peek(key), cache.match(key)
            handles[cache] = match.host_node
            return peeked, match.length, match.host_length, len(match.slots)

        self.handles = [*self.handles[-3:], handles]
        return self.both.same(found)

    def handle(self) -> Any:
        """Load back or back up what a match has found, or an older one, whose handle may be stale."""
        self.match()
        handles, verb = self.handles[-1 if self.random.random() < 0.5 else 0], self.random.choice(("load_back", "load_back", "backup"))
        return self.both.same(lambda cache, _: getattr(cache, verb)(handles[cache]))

    def lock(self) -> Any:
        if self.receipts and self.random.random() < 0.6:
            receipts = self.receipts.pop()
            return self.both.same(lambda cache, _: cache.unlock(receipts[cache]))
        key, receipts = self.key(), {}

        def lock(cache: Any, _: Numbered) -> None:
            receipts[cache] = cache.lock(cache.match(key).node)

        self.receipts.append(receipts)
        return self.both.same(lock)

    def request(self) -> Any:
        number, verb = self.random.randint(1, 3), self.random.choice(("chunk", "decode", "finish", "abort", "run", "run"))
        key, amount = self.key(), self.random.randint(0, 1)
        if number not in self.both.reference.requests:
            verb = "start"

        def called(cache: Any, copier: Numbered) -> Any:
            given = {"start": (key, amount), "decode": (amount,)}.get(verb, ())
            row = getattr(cache, verb)(number, *given)
            return (row.cached, len(row.slots), copier.numbers(row.waits)) if verb in ("start", "chunk") else None

        outcome = self.both.same(called)
        return self.both.same(lambda cache, _: cache.run(number)) if verb == "start" and self.random.random() < 0.7 else outcome

    def evict(self) -> Any:
        verb, tokens = self.random.choice(("evict", "evict_host")), self.random.randint(0, 5)
        if self.random.random() < 0.02:
            verb, tokens = "reset", 0
        return self.both.same(lambda cache, _: getattr(cache, verb)(*(() if verb == "reset" else (tokens,))))

    def copies(self) -> Any:
        flying = [number for number, move in enumerate(self.both.copiers[0].issued) if not move.done]
        for number in self.random.sample(flying, self.random.randint(0, len(flying))):
            failed = self.random.random() < 0.2
            for copier in self.both.copiers:
                copier.issued[number].complete(failed)
        fail_every = int(self.random.random() < 0.3)  # all of them, or none
        for copier in self.both.copiers:
            copier.fail_every = fail_every
        return self.both.same(lambda cache, copier: copier.numbers(cache.poll())) if self.random.random() < 0.7 else None


@pytest.mark.parametrize("mode", MODES)
def test_the_reference_does_what_the_specification_does(mode: str) -> None:
    seen: Counter[str] = Counter()
    for number, (policy, page_size, host_pages) in enumerate(product(POLICIES, (1, 2, 3), (2, 6))):
        caller = Caller(number, Both(policy, mode, page_size, host_pages))
        for _ in range(CALLS):
            caller.call()
        seen += caller.seen

    assert {"insert", "match", "handle", "lock", "request", "evict", "copies", "NoRoom", "NotArrived", "StaleHandle", "StillHeld"} <= set(
        seen
    )
