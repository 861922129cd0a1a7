"""Kept lookups: after any change of the tree, each finds what a walk from the root would find."""

import random
from collections.abc import Callable
from contextlib import suppress

import pytest
from fast_cache import put

from radixcheck.optimized import DevicePool, Lookup, RadixCache
from radixcheck.spec.values import CacheError, Key

POOL = 24  # tokens


def some_key(rng: random.Random) -> Key:
    """Few tokens and few namespaces, so that keys share prefixes, diverge inside edges, and extend one another."""
    tokens = tuple(rng.choices((1, 2), k=rng.randint(0, 8)))
    return Key(tokens, rng.choice(((), ("a",))))


CALLS = ("insert", "insert", "match", "start", "chunk", "unlock", "unlock", "finish", "evict", "reset")


class Engine:
    """Makes random calls to a cache, as its callers may."""

    def __init__(self, rng: random.Random, page_size: int) -> None:
        self.rng = rng
        self.cache = RadixCache(page_size, "lru", DevicePool(POOL, page_size))
        self.receipts: list[object] = []
        self.requests = 0

    def step(self) -> None:
        """Make one call; a refused call counts too."""
        with suppress(CacheError):
            self.call(self.rng.choice(CALLS))

    def call(self, name: str) -> None:
        cache, rng, first = self.cache, self.rng, next(iter(self.cache.requests), None)
        match name:
            case "insert":
                put(cache, some_key(rng))
            case "match":
                self.receipts.append(cache.lock(cache.match(some_key(rng)).node))
            case "unlock" if self.receipts:
                cache.unlock(self.receipts.pop(rng.randrange(len(self.receipts))))
            case "start":
                self.requests += 1
                cache.start(self.requests, some_key(rng))
            case "chunk" if first is not None:
                cache.decode(first, rng.choice((1, 2)))
                cache.chunk(first)
            case "finish" if first is not None:
                cache.finish(first)
            case "evict":
                cache.evict(rng.randint(1, 6))
            case "reset":
                cache.reset()


def first_wrong(made: Callable[[RadixCache, Key], Lookup], seed: int) -> str:
    """Return where a kept lookup first differs from a peek; empty if it never does."""
    rng = random.Random(seed)
    engine = Engine(rng, rng.choice((1, 2)))
    keys = [some_key(rng) for _ in range(12)]
    lookups = [made(engine.cache, key) for key in keys]
    for step in range(150):
        engine.step()
        if rng.random() < 0.5:
            continue  # so that there are several changes between two rounds
        found, expected = engine.cache.match_many(lookups), [engine.cache.peek(key) for key in keys]
        if found != expected:
            return f"seed {seed}, step {step}: {found} instead of {expected}"
    return ""


def test_a_kept_lookup_finds_what_a_walk_from_the_root_finds() -> None:
    assert [wrong for seed in range(60) if (wrong := first_wrong(RadixCache.lookup, seed))] == []


class TrustsTheNode(Lookup):
    """Does not check whether its node is still in the tree."""

    def _is_current(self) -> bool:
        return (self._edge is not None and super()._is_current()) or (self._edge is None and self._link not in self._node.children)


class TrustsTheEdge(Lookup):
    """Does not check whether its edge still has the same parent."""

    def _is_current(self) -> bool:
        return self._edge is not None or super()._is_current()


class ForgetsToGoOn(Lookup):
    """Does not check whether its node now has a child for the next page."""

    def _is_current(self) -> bool:
        return super()._is_current() if self._edge is not None else self._node.parent is not None or self._node is self._tree.root


@pytest.mark.parametrize("wrong", [TrustsTheNode, TrustsTheEdge, ForgetsToGoOn])
def test_a_lookup_that_skips_a_check_is_detected(wrong: type[Lookup]) -> None:
    def made(cache: RadixCache, key: Key) -> Lookup:
        return wrong(cache.tree, key.namespace, cache.lookup(key)._data)

    assert any(first_wrong(made, seed) for seed in range(60))


def test_a_round_of_lookups_changes_nothing_and_walks_only_after_changes() -> None:
    walks = 0

    class Counted(Lookup):
        def _walk(self) -> None:
            nonlocal walks
            walks += 1
            super()._walk()

    cache = RadixCache(1, "lru", DevicePool(64, 1))
    for text in ((1, 2, 3), (1, 2, 4), (5, 6)):
        cache.insert(Key(text), cache.alloc(len(text)))
    keys = [Key(tokens) for tokens in ((1, 2, 3, 9), (1, 2, 8), (5, 7), (5, 6), (9,), ())]
    lookups = [Counted(cache.tree, (), cache.lookup(key)._data) for key in keys]
    before, walks = cache.tree.now, 0

    assert cache.match_many(lookups) == [3, 2, 1, 2, 0, 0]
    assert (walks, cache.tree.now) == (0, before)
    cache.insert(Key((1, 2, 8)), cache.alloc(3))
    assert cache.match_many(lookups) == [3, 3, 1, 2, 0, 0]
    assert walks == 1
    cache.evict(3)
    assert cache.match_many(lookups) == [cache.peek(key) for key in keys]
