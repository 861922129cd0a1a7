"""What a scheduler of SGLang has around its cache, as small as it can be: types of results, an allocator that sees double frees, rows.

`Scheduler` serves requests through a cache, and knows which tokens the KV of each slot was computed from.
"""

import random
from abc import ABC, abstractmethod
from array import array
from dataclasses import dataclass, field
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor


class MatchResult(NamedTuple):
    device_prefix_len: int
    last_device_node: Any
    last_host_node: Any
    best_match_node: Any


@dataclass
class EvictResult:
    num_tokens_evicted: int = 0


@dataclass
class IncLockRefResult:
    delta: int | None = None


@dataclass
class DecLockRefParams:
    node_id: int | None = None


@dataclass
class DecLockRefResult:
    delta: int | None = None


@dataclass
class TreeLock:
    node: Any
    receipt: DecLockRefParams


class BasePrefixCache(ABC):
    metrics: list[tuple[int, float]]

    def init_metrics_collector(self) -> None:
        self.metrics = []

    def update_eviction_metrics(self, num_evicted: int, start_time: float) -> None:
        if hasattr(self, "metrics"):
            self.metrics.append((num_evicted, start_time))

    @abstractmethod
    def match_prefix(self, params: Any) -> MatchResult: ...

    @abstractmethod
    def checkpoint(self, req: Any, *, up_to: int, **kwargs: Any) -> None: ...


def results() -> ModuleType:
    """A module with the types, as SGLang's `base_prefix_cache` is one."""
    module = ModuleType("base_prefix_cache")
    kinds = (MatchResult, EvictResult, IncLockRefResult, DecLockRefParams, DecLockRefResult, TreeLock, BasePrefixCache)
    vars(module).update({kind.__name__: kind for kind in kinds})
    return module


class Allocator:
    """Gives whole pages. Refuses to take back what is free."""

    device = "cpu"

    def __init__(self, size: int, page_size: int) -> None:
        self.size, self.page_size = size, page_size
        self.free_pages = list(range(1, size // page_size + 1))

    def available_size(self) -> int:
        return len(self.free_pages) * self.page_size

    def alloc(self, tokens: int) -> Tensor:
        count = -(-tokens // self.page_size)
        assert count <= len(self.free_pages), "the cache did not evict enough"
        pages, self.free_pages = self.free_pages[:count], self.free_pages[count:]
        return torch.tensor([page * self.page_size + at for page in pages for at in range(self.page_size)][:tokens], dtype=torch.int64)

    def free_segment(self, free_index: Tensor, *, start_pos: int) -> None:
        assert start_pos % self.page_size == 0
        pages = [slot // self.page_size for slot in free_index.tolist()[:: self.page_size]]
        assert len(set(pages)) == len(pages), "a page is freed twice in one call"
        assert not set(pages) & set(self.free_pages), "a page is freed twice"
        self.free_pages += pages


class Rows:
    """The rows of requests, in int32 as SGLang has them."""

    def __init__(self, count: int, width: int) -> None:
        self.req_to_token = torch.zeros((count, width), dtype=torch.int32)

    def write(self, indices: Any, values: Tensor) -> None:
        self.req_to_token[indices] = values.to(torch.int32)


class Key(NamedTuple):
    """SGLang's `RadixKey`."""

    token_ids: "array[int]"
    extra_key: str | None = None
    cache_salt: str | None = None
    limit: int | None = None

    def __len__(self) -> int:
        return len(self.token_ids) if self.limit is None else min(self.limit, len(self.token_ids))


def parameters(size: int, page_size: int, policy: str = "lru", **others: Any) -> SimpleNamespace:
    """What the cache reads of SGLang's `CacheInitParams`."""
    return SimpleNamespace(
        req_to_token_pool=Rows(8, 4 * size),
        token_to_kv_pool_allocator=Allocator(size, page_size),
        page_size=page_size,
        eviction_policy=policy,
        enable_metrics=others.pop("enable_metrics", False),
        enable_kv_cache_events=others.pop("enable_kv_cache_events", False),
        **others,
    )


@dataclass
class Scheduler:
    """Starts, checkpoints and releases requests as SGLang's does; checks that each row holds the KV of its tokens."""

    cache: Any
    hits: list[int] = field(default_factory=list)
    content: dict[int, tuple[object, ...]] = field(default_factory=dict)  # of each slot: the tokens up to its own
    held: dict[int, Any] = field(default_factory=dict)  # by row

    def start(self, row: int, tokens: list[int], priority: int | None = 0, space: str | None = None, salt: str | None = None) -> Any:
        cache, ids, page = self.cache, array("q", tokens), self.cache.page_size
        found = cache.match_prefix(SimpleNamespace(key=Key(ids, space, salt, len(ids) - 1)))
        lock, length = cache.lock(found.last_device_node), found.device_prefix_len
        self.hits.append(length)
        short = -(-len(ids) // page) * page - length - cache.pool.available
        if short > 0:
            cache.evict(SimpleNamespace(num_tokens=short))
        slots = cache.req_to_token_pool.req_to_token
        slots[row, :length] = cache.path_device_indices(found.last_device_node)
        slots[row, length : len(ids)] = cache.token_to_kv_pool_allocator.alloc(len(ids) - length)
        kv = SimpleNamespace(req_pool_idx=row, cache_protected_len=length, cache_inserted_len=0)
        request = SimpleNamespace(
            kv=kv, full_untruncated_fill_ids=ids, origin_input_ids=ids, extra_key=space, cache_salt=salt, priority=priority, lock=lock
        )
        for at in range(length, len(ids)):
            self.content[int(slots[row, at])] = (space, *ids[: at + 1])
        self.held[row] = request
        self.check(row)
        return request

    def checkpoint(self, row: int, up_to: int) -> None:
        request = self.held[row]
        self.cache.checkpoint(request, up_to=up_to)
        assert request.last_node is request.lock.node
        self.check(row)

    def decode(self, row: int, tokens: list[int]) -> None:
        """Add tokens within the last page, or in new pages; the pool must have them."""
        request, page = self.held[row], self.cache.page_size
        slots = self.cache.req_to_token_pool.req_to_token
        request.full_untruncated_fill_ids = ids = array("q", request.full_untruncated_fill_ids)
        for token in tokens:
            at = len(ids)
            if at % page == 0:
                self.cache.evict(SimpleNamespace(num_tokens=max(0, page - self.cache.pool.available)))
                slots[row, at] = int(self.cache.token_to_kv_pool_allocator.alloc(page)[0])
            else:
                slots[row, at] = slots[row, at - 1] + 1
            ids.append(token)
            self.content[int(slots[row, at])] = (request.extra_key, *ids)

    def release(self, row: int) -> None:
        request = self.held[row]
        self.checkpoint(row, len(request.full_untruncated_fill_ids))
        del self.held[row]
        protected, end = request.kv.cache_protected_len, len(request.full_untruncated_fill_ids)
        if protected < end:
            rest = self.cache.req_to_token_pool.req_to_token[row, protected:end].to(torch.int64)
            self.cache.token_to_kv_pool_allocator.free_segment(rest, start_pos=protected)
        self.cache.unlock(request.lock)

    def check(self, row: int) -> None:
        request = self.held[row]
        for at, slot in enumerate(self.cache.req_to_token_pool.req_to_token[row, : len(request.full_untruncated_fill_ids)].tolist()):
            assert self.content[slot] == (request.extra_key, *request.full_untruncated_fill_ids[: at + 1]), f"token {at} of row {row}"

    def missing(self) -> int:
        """Tokens of the pool that no one has: 0 if nothing is lost, when no request is live."""
        cache = self.cache
        return int(cache.pool.capacity - cache.pool.available - cache.evictable_size() - cache.protected_size())


def at_random(one: Scheduler, seed: int, steps: int) -> None:
    """Serve overlapping requests that share prefixes, in chunks."""
    draw = random.Random(seed)
    stems = [[draw.randrange(4) for _ in range(24)] for _ in range(3)]
    for _ in range(steps):
        row = draw.randrange(3)
        if row in one.held:
            length = len(one.held[row].origin_input_ids)
            one.checkpoint(row, draw.randrange(one.held[row].kv.cache_protected_len, length + 1))
            one.checkpoint(row, length)
            one.decode(row, [draw.randrange(4) for _ in range(draw.randrange(6))])
            one.release(row)
        else:
            tokens = stems[draw.randrange(3)][: draw.randrange(4, 25)] + [draw.randrange(4) for _ in range(draw.randrange(1, 6))]
            one.start(row, tokens, draw.randrange(3), draw.choice((None, None, "adapter")))
    for row in list(one.held):
        one.release(row)
