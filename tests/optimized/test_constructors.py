"""What the constructors of the optimized cache refuse, each with a sentence, and what of it changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from radixcheck.optimized import DevicePool, Key, KVBuffers, KVCopier, RadixCache, TieredCache
from radixcheck.optimized.device_pool import checked_page_size


def copier() -> KVCopier:
    return KVCopier(KVBuffers(layers=1, slots=8, host_slots=8, item=(), dtype=torch.int64))


def flat(page_size: Any = 2, policy: Any = "lru", pool: Any = None, **others: Any) -> RadixCache:
    return RadixCache(page_size, policy, DevicePool(8, 2) if pool is None else pool, **others)


def tiered(host_pool: Any = None, copies: Any = None, mode: Any = "write_through", **others: Any) -> TieredCache:
    pool, host = DevicePool(8, 2), DevicePool(8, 2) if host_pool is None else host_pool
    return TieredCache(2, "lru", pool, host, copier() if copies is None else copies, mode, **others)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: flat(page_size=2.0), "expected an integer, found 2.0"),
        (lambda: flat(page_size="2"), "expected an integer, found '2'"),
        (lambda: flat(page_size=1), "page size 1 over a pool of pages of 2"),
        (lambda: flat(pool=8), "expected a pool of slots, such as a DevicePool, found 8"),
        (lambda: flat(policy=["lru"]), "no policy ['lru']: choose one of lru, lfu, fifo, filo, mru, slru, priority"),
        (lambda: flat(policy="LRU"), "no policy 'LRU': choose one of lru, lfu, fifo, filo, mru, slru, priority"),
        (lambda: flat(events=3), "expected a list for events, or an object with `append`, found 3"),
        (lambda: tiered(events=3), "expected a list for events, or an object with `append`, found 3"),
        (lambda: tiered(host_pool="x"), "expected a host pool of slots, such as a DevicePool, found 'x'"),
        (lambda: tiered(host_pool=DevicePool(8, 4)), "page size 2 over a host pool of pages of 4"),
        (lambda: tiered(copies=5), "expected a copier, such as a KVCopier, found 5"),
        (lambda: tiered(mode=["write_back"]), "no mode ['write_back']: choose one of write_through, write_through_selective, write_back"),
        (lambda: tiered(mode="hold"), "no mode 'hold': choose one of write_through, write_through_selective, write_back"),
    ],
)
def test_a_wrong_argument_of_a_constructor_is_refused_with_a_sentence(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011  # the whole message is compared
        make()

    assert str(raised.value) == sentence


@pytest.mark.parametrize("make", [lambda: flat(page_size=True, pool=DevicePool(8, 1)), lambda: flat(pool=DevicePool(8, 1), page_size=1)])
def test_a_page_size_becomes_an_int(make: Callable[[], RadixCache]) -> None:
    cache = make()

    assert type(cache.page_size) is int
    assert cache.page_size == checked_page_size(True, cache.pool) == 1
    assert cache.alloc(1).numel() == 1


def test_what_has_append_takes_events_and_what_has_copy_copies() -> None:
    events: list[Any] = []
    cache = tiered(events=events)
    cache.insert(Key((1, 2)), cache.alloc(2))

    assert len(events) == 1
    assert len(cache.copies) == 1
