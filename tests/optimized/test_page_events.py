"""The KV events of the optimized cache: those of the reference, event by event, and none at no cost without a sink."""

import random
from collections.abc import Callable
from itertools import islice
from struct import Struct
from typing import Any

import pytest

from radixcheck.optimized import DevicePool, RadixCache, TieredCache
from radixcheck.optimized.keys import TOKEN_BYTES, pack
from radixcheck.optimized.memory import Memory
from radixcheck.optimized.page_events import page_ids_of
from radixcheck.optimized.tier_memory import TieredMemory
from radixcheck.optimized.tier_tree import TieredTree
from radixcheck.optimized.tree import NodeTree
from radixcheck.reference import RadixCache as Reference
from radixcheck.reference import SlotPool
from radixcheck.reference.copies import Copies
from radixcheck.spec.events.event_fold import Resident
from radixcheck.spec.events.event_values import Event, Stored, page_id
from radixcheck.spec.values import CacheError, Key, Namespace
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.core.found import Config
from radixcheck.verification.operations import Op
from radixcheck.verification.search.generate import PROFILES, operations
from radixcheck.verification.subjects.optimized_host_subject import optimized_host_subject
from radixcheck.verification.subjects.reference_host_subject import reference_host_subject


@pytest.mark.parametrize("namespace", [(), ("lora", None), (1,), (True,), (1.0, ("a", b"b"))])
@pytest.mark.parametrize("page_size", [1, 3, 16])
def test_ids_from_bytes_are_those_of_the_specification(namespace: Namespace, page_size: int) -> None:
    tokens = tuple(random.Random(page_size).choice((0, 7, 255, 2**32, 2**64 - 1)) for _ in range(5 * page_size))
    parent, expected = None, list[int]()
    for at in range(0, len(tokens), page_size):
        parent = page_id(parent, namespace, tokens[at : at + page_size])
        expected.append(parent)

    pages = Struct(f"{page_size * TOKEN_BYTES}s")
    data = bytes(pack(tokens))
    assert page_ids_of(None, namespace, data, pages) == tuple(expected)
    assert page_ids_of(expected[1], namespace, data[2 * pages.size :], pages) == tuple(expected[2:])


class Both:
    """The reference and the optimized cache, which emit into lists."""

    def __init__(self, page: int, page_ids: Callable[..., int]) -> None:
        self.events: tuple[list[Event], list[Event]] = ([], [])
        self.caches: tuple[Any, Any] = (
            Reference(page, "lru", SlotPool(16 * page, page), self.events[0], page_ids),
            RadixCache(page, "lru", DevicePool(16 * page, page), events=self.events[1], page_ids=page_ids),
        )

    def insert(self, key: Key) -> None:
        for cache in self.caches:
            try:
                slots = cache.alloc(len(key.tokens))
            except CacheError:
                continue
            present, whole = cache.insert(key, slots), key.whole_pages(cache.page_size)
            for own in (slots[:present], slots[whole:]):
                if len(own):
                    cache.free(own)

    def call(self, name: str, *arguments: Any) -> None:
        for cache in self.caches:
            getattr(cache, name)(*arguments)


def short_ids(parent: int | None, namespace: Namespace, tokens: Any) -> int:
    return hash((parent, namespace, tuple(tokens))) % 2**64


@pytest.mark.parametrize("page_ids", [page_id, short_ids])
@pytest.mark.parametrize("seed", range(20))
def test_both_caches_emit_the_same_events(seed: int, page_ids: Callable[..., int]) -> None:
    rng, page = random.Random(seed), 1 + seed % 2
    both, fold = Both(page, page_ids), Resident(page)
    for _ in range(100):
        key = Key(tuple(rng.randrange(2) for _ in range(rng.randrange(1, 10))), rng.choice([(), ("a",)]))
        name = rng.choice(("insert", "insert", "insert", "match", "evict", "reset") if rng.random() < 0.2 else ("insert", "match"))
        if name == "insert":
            both.insert(key)
        else:
            both.call(name, *{"match": (key,), "evict": (3,), "reset": ()}[name])
    ours, theirs = both.events
    assert ours == theirs
    assert any(isinstance(event, Stored) and event.parent is not None for event in ours)
    assert [fold.apply(event) for event in ours] == [()] * len(ours)


@pytest.mark.parametrize("mode", ["write_through", "write_through_selective", "write_back"])
@pytest.mark.parametrize("seed", range(8))
def test_both_caches_with_a_host_tier_emit_the_same_events(seed: int, mode: str) -> None:
    """The same operations, and the same copies that arrive or fail: the checker gives both the same surroundings."""
    rng = random.Random(seed)
    config = Config("lru", 1, rng.choice((4, 6, 10)), host_pool=rng.choice((2, 8)), mode=mode)
    made, trace = recorded(reference_host_subject, config, None, seed)
    repeated, _ = recorded(optimized_host_subject, config, trace, seed)
    assert made
    assert made == repeated


def recorded(factory: Any, config: Config, trace: list[Op] | None, seed: int) -> tuple[list[Event], list[Op]]:
    """The events of a run of a trace, or of 150 random operations, and the operations."""
    checker = Checker(factory, config.policy, config.page_size, config.pool, 10**9, tier=config.tier)
    log, done = list[Event](), list[Op]()
    take = checker.engine.take_events
    checker.engine.take_events = lambda: log.extend(events := take()) or events  # type: ignore[func-returns-value,method-assign]
    ops = operations(checker, random.Random(seed), PROFILES[sorted(PROFILES)[seed % len(PROFILES)]])
    for op in islice(ops, 150) if trace is None else trace:
        assert checker.step(op) == []
        done.append(op)
    return log, done


def test_without_events_the_cache_has_the_plain_parts() -> None:
    cache = RadixCache(1, "lru", DevicePool(4, 1))
    assert (type(cache.tree), type(cache._memory)) == (NodeTree, Memory)
    tiered = TieredCache(1, "lru", DevicePool(4, 1), DevicePool(4, 1), Copies(), "write_back")  # type: ignore[arg-type]  # copies nothing here
    assert (type(tiered.tree), type(tiered._memory)) == (TieredTree, TieredMemory)
