"""The optimized cache and the reference on the same random calls, and what its subject shows."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from radixcheck.reference import SlotPool
from radixcheck.spec.values import CacheError, Key, NotYourSlot
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.protocol import Setup
from radixcheck.verification.subjects.optimized_subject import OptimizedSubject, optimized_subject
from radixcheck.verification.subjects.reference_subject import ReferenceSubject, reference_subject

POLICIES = ("lru", "lfu", "fifo", "filo", "mru", "slru", "priority")
CALLS = [
    *("match", "peek", "insert", "insert", "lock", "unlock", "evict", "reset"),
    *("start", "start", "chunk", "decode", "decode", "decode", "finish", "abort"),
]


def shape(cache: ReferenceSubject | OptimizedSubject) -> Any:
    """Return all that can be compared without slot numbers: nodes by prefix, requests, sizes, clock."""
    seen = cache.observe()
    prefixes: dict[object, tuple[object, ...]] = {None: ()}
    tree = {}
    for node in seen.nodes:
        prefix = (prefixes[node.parent] or (node.namespace,)) + tuple(node.segment)
        assert len(node.slots) == len(node.segment)
        prefixes[node.name] = prefix
        tree[prefix] = (tuple(node.child_key or ()), node.lock, node.time, node.creation, node.hits, node.priority)
    requests = {name: (prefixes[r.node], r.cached, len(r.slots)) for name, r in seen.requests.items()}
    return seen.now, tree, requests, cache.sizes()


class Pair:
    """The two caches, and random calls on both."""

    def __init__(self, seed: int, device: str) -> None:
        self.rng = random.Random(seed)
        self.page = self.rng.choice([1, 2, 16])
        capacity = self.page * self.rng.choice([4, 12, 40])
        policy = POLICIES[seed % len(POLICIES)]
        self.ledger = WatchedPool(capacity, self.page)
        self.reference = reference_subject(Setup(self.page, policy, SlotPool(capacity, self.page)))
        self.optimized = optimized_subject(Setup(self.page, policy, self.ledger, device))
        self.keys = [Key(()), Key((), ("other",))]
        self.handles, self.receipts = list[tuple[Any, Any]](), list[tuple[Any, Any]]()
        self.refused = 0

    def both(self, call: Callable[[Any, int], Any]) -> tuple[Any, Any] | None:
        """The answers; None if both refuse, which they do for the same reason."""
        answers, errors = list[Any](), list[type[CacheError]]()
        for i, cache in enumerate((self.reference, self.optimized)):
            try:
                answers.append(call(cache, i))
            except CacheError as error:
                errors.append(type(error))
        if errors:
            assert answers == []
            assert errors[0] is errors[1]
            self.refused += 1
            return None
        return answers[0], answers[1]

    def key(self) -> Key:
        """One that begins as an earlier one did, so that prefixes are shared."""
        old = self.rng.choice(self.keys)
        tokens = list(old.tokens[: self.rng.randrange(len(old.tokens) + 1)])
        for _ in range(self.rng.randrange(4)):
            tokens += [self.rng.randrange(2)] * self.rng.choice([self.page, self.page, 1])
        self.keys = [*self.keys[:2], *self.keys[2:][-20:], key := Key(tuple(tokens), old.namespace)]
        return key

    def step(self) -> None:
        """One random call on both."""
        rng, name = self.rng, self.rng.choice(CALLS)
        key, request, number = self.key(), rng.randrange(4), rng.randrange(3)
        if name == "match":
            found = self.both(lambda cache, _: cache.match(key))
            assert found is not None
            assert found[0].length == found[1].length == len(found[1].slots)
            self.handles = [*self.handles[-6:], (found[0].node, found[1].node)]
        elif name == "insert":
            self.insert(key, number)
        elif name == "lock" and self.handles:
            handle = rng.choice(self.handles)
            self.receipts += filter(None, [self.both(lambda cache, i: cache.lock(handle[i]))])
        elif name == "unlock" and self.receipts:
            receipt = self.receipts.pop(rng.randrange(len(self.receipts)))
            self.both(lambda cache, i: cache.unlock(receipt[i]))
        elif name in ("peek", "evict"):
            argument = key if name == "peek" else number * self.page
            answers = self.both(lambda cache, _: getattr(cache, name)(argument))
            assert answers is not None
            assert answers[0] == answers[1]
        elif name == "start":
            self.both(lambda cache, _: cache.start(request, key, number))
        elif name == "decode":
            self.both(lambda cache, _: cache.decode(request, number % 2))
        elif name in ("chunk", "finish", "abort"):
            self.both(lambda cache, _: getattr(cache, name)(request))
        elif name == "reset":
            self.both(lambda cache, _: cache.reset())

    def insert(self, key: Key, priority: int) -> None:
        """Slots for the key, the key, and what stays the caller's back."""
        slots = self.both(lambda cache, _: cache.alloc(len(key.tokens)))
        if slots is None:
            return
        prefixes = self.both(lambda cache, i: cache.insert(key, slots[i], priority))
        assert prefixes is not None
        assert prefixes[0] == prefixes[1]
        self.both(lambda cache, i: cache.free(slots[i][: prefixes[0]]))
        self.both(lambda cache, i: cache.free(slots[i][key.whole_pages(self.page) :]))


def test_two_caches_agree_on_random_calls(device: str) -> None:
    refused = 0
    for seed in range(28):
        pair = Pair(seed, device)
        for _ in range(120):
            pair.step()
            assert shape(pair.optimized) == shape(pair.reference)
            assert pair.ledger.findings == []
        refused += pair.refused
    assert refused == 1_313


@pytest.fixture
def subject() -> OptimizedSubject:
    cache = optimized_subject(Setup(2, "lru", WatchedPool(16, 2)))
    cache.insert(Key((1, 2, 3, 4)), cache.alloc(4).tolist())
    return cache


def test_a_write_into_the_slots_of_a_node_is_observed(subject: OptimizedSubject) -> None:
    (before,) = subject.observe().nodes
    (node,) = subject.tree.root.children.values()
    node.slots[:2] = node.slots[2:]
    (after,) = subject.observe().nodes

    assert after.slots == (*before.slots[2:], *before.slots[2:])


def test_a_node_that_has_not_changed_is_not_read_back_again(subject: OptimizedSubject) -> None:
    (before,) = subject.observe().nodes
    subject.match(Key((1, 2, 3, 4)))
    (after,) = subject.observe().nodes

    assert after.time == before.time + 1
    assert after.slots is before.slots


def test_storage_counts_what_the_nodes_keep_alive(subject: OptimizedSubject) -> None:
    assert subject.storage() == 4 * 8
    subject.match(Key((1, 2)))
    assert subject.storage() == 4 * 8
    (upper,) = subject.tree.root.children.values()
    upper.slots = upper.slots.repeat(4)[:2]
    assert subject.storage() == (2 + 8) * 8


def test_slots_that_are_not_the_callers_are_refused_and_nothing_changes(subject: OptimizedSubject) -> None:
    mine = subject.alloc(4)
    taken = subject.match(Key((1, 2))).slots
    before = shape(subject)

    for slots in (taken.repeat(2), mine.flip(0), mine[1:].tolist()):
        with pytest.raises(CacheError):
            subject.insert(Key((5, 6, 7, 8)), slots)
        with pytest.raises(NotYourSlot):
            subject.free(slots)
    assert shape(subject) == before
    assert subject.insert(Key((1, 2, 7, 8)), [*taken.tolist(), *mine.tolist()[2:]]) == 2
