"""SGLang's caches and ours at the calls of SGLang's scheduler, without an engine: the same requests through each. Runs in its Python.

Requests overlap, are prefilled in two chunks, share prefixes, and are evicted; rows and allocators are SGLang's own.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Callable, Iterator
from time import thread_time_ns
from types import SimpleNamespace
from typing import Any

from radixcheck.optimized.integrations.sglang_cache import SGLangCache, cache_class
from radixcheck.verification.watch.imitation import Imitation

STEMS, STEM_TOKENS, VOCABULARY = 12, 300, 30_000
ROWS, AT_ONCE = 8, 4
NAMES = ("default", "classic", "radixcheck", "radixcheck-l5")
CORES = {"default": None, "python": "python"}  # of the unified cache; None: as SGLang chooses it


class Rows:
    """SGLang's `ReqToTokenPool`, as far as a cache sees it."""

    device = "cpu"

    def __init__(self) -> None:
        import torch

        self.req_to_token = torch.zeros((ROWS, 4_096), dtype=torch.int32)

    def write(self, indices: Any, values: Any) -> None:
        """Write slots into a row."""
        self.req_to_token[indices] = values.to(self.req_to_token.dtype)


def made(name: str, page_size: int, pool: int, policy: str, events: bool = False) -> Any:
    """Return a cache over an allocator of SGLang. `events`: it emits KV events."""
    import torch
    from sglang.srt.mem_cache import base_prefix_cache
    from sglang.srt.mem_cache.allocator import PagedTokenToKVPoolAllocator, TokenToKVPoolAllocator
    from sglang.srt.mem_cache.cache_init_params import CacheInitParams
    from sglang.srt.mem_cache.radix_cache import RadixCache
    from sglang.srt.mem_cache.unified_cache.component_type import ComponentType
    from sglang.srt.mem_cache.unified_radix_cache import UnifiedRadixCache

    if page_size == 1:
        allocator = TokenToKVPoolAllocator(pool, torch.float32, "cpu", None, False)
    else:
        allocator = PagedTokenToKVPoolAllocator(pool, page_size, torch.float32, "cpu", None, False)
    params = CacheInitParams(
        disable=False,
        req_to_token_pool=Rows(),
        token_to_kv_pool_allocator=allocator,
        page_size=page_size,
        eviction_policy=policy,
        enable_kv_cache_events=events,
    )
    if name in CORES:
        params.tree_components, params.tree_core_backend = (ComponentType.FULL,), CORES[name]
        return UnifiedRadixCache(params)
    kinds = {"radixcheck": SGLangCache, "radixcheck-l5": Imitation}
    return (RadixCache if name == "classic" else cache_class(base_prefix_cache, kinds[name]))(params)


class Calls:
    """Serves requests through one cache."""

    salts: tuple[str | None, ...] = (None,)  # of the requests, in turn

    def __init__(self, cache: Any, seed: int) -> None:
        self.cache, self.page_size, self.allocator = cache, cache.page_size, cache.token_to_kv_pool_allocator
        self.rows = cache.req_to_token_pool.req_to_token
        self.draw = random.Random(seed)
        self.stems = [self._tokens(STEM_TOKENS) for _ in range(STEMS)]
        self.past: list[list[int]] = []  # conversations that may go on
        self.hits: list[int] = []
        self.calls, self.nanoseconds = 0, 0  # within the cache

    def timed(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        """Call the cache, and add the processor time."""
        start = thread_time_ns()
        result = call(*arguments, **named)
        self.nanoseconds += thread_time_ns() - start
        self.calls += 1
        return result

    def _tokens(self, count: int) -> list[int]:
        return [self.draw.randrange(VOCABULARY) for _ in range(count)]

    def _prompt(self) -> list[int]:
        if self.past and self.draw.random() < 0.5:
            return self.draw.choice(self.past) + self._tokens(self.draw.randrange(5, 50))
        return self.draw.choice(self.stems)[: self.draw.randrange(60, STEM_TOKENS)] + self._tokens(self.draw.randrange(5, 100))

    def start(self, row: int) -> Any:
        """Match, lock, and take slots for a prompt and its answer."""
        from sglang.srt.mem_cache.base_prefix_cache import EvictParams, MatchPrefixParams
        from sglang.srt.mem_cache.radix_cache import RadixKey

        cache, ids, answer = self.cache, array("q", self._prompt()), self._tokens(self.draw.randrange(8, 16))
        salt = self.salts[len(self.hits) % len(self.salts)]
        found = self.timed(cache.match_prefix, MatchPrefixParams(key=RadixKey(ids, limit=len(ids) - 1, cache_salt=salt)))
        node, length = found.last_device_node, found.device_prefix_len
        lock = self.timed(cache.lock, node)
        need = -(-(len(ids) + len(answer)) // self.page_size) * self.page_size - length
        if (short := need - self.allocator.available_size()) > 0:
            self.timed(cache.evict, EvictParams(num_tokens=short))
        self.rows[row, :length] = self.timed(cache.path_device_indices, node)
        self.rows[row, length : length + need] = self.allocator.alloc(need)
        self.hits.append(length)
        kv = SimpleNamespace(
            req_pool_idx=row, cache_protected_len=length, cache_inserted_len=0, swa_evict_floor=0, holds_mamba=False, kv_rotation_base=None
        )
        about = {"extra_key": None, "cache_salt": salt, "session": None, "session_id": None, "skip_radix_cache_insert": False}
        priority = self.draw.randrange(4)
        return SimpleNamespace(
            rid=str(len(self.hits)),
            kv=kv,
            lock=lock,
            last_node=node,
            priority=priority,
            answer=answer,
            kv_rotation_base=None,
            **about,
            full_untruncated_fill_ids=ids,
            origin_input_ids=ids,
            finished=lambda: False,
        )

    def release(self, request: Any) -> None:
        """Serve a request to its end."""
        for _ in self.chunks(request):
            pass

    def chunks(self, request: Any) -> Iterator[None]:
        """Cache a prompt in two chunks and then with its answer, and release the request. Yields after each chunk."""
        cache, kv, prompt = self.cache, request.kv, request.origin_input_ids
        if (half := len(prompt) // 2) > kv.cache_protected_len:
            self.timed(cache.checkpoint, request, up_to=half)
            yield
        self.timed(cache.checkpoint, request, up_to=len(prompt))
        yield
        request.full_untruncated_fill_ids = whole = prompt + array("q", request.answer)
        self.timed(cache.checkpoint, request, up_to=len(whole))
        rest = self.rows[kv.req_pool_idx, kv.cache_protected_len : len(whole)].long()
        self.allocator.free_segment(rest, start_pos=kv.cache_protected_len)
        self.timed(cache.unlock, request.lock)
        self.past = [*self.past[-30:], whole.tolist()]

    def serve(self, requests: int) -> None:
        """Serve requests, AT_ONCE of which overlap."""
        for first in range(0, requests, AT_ONCE):
            started = [self.start(number % ROWS) for number in range(first, min(requests, first + AT_ONCE))]
            for request in started:
                self.release(request)


def reading_nanoseconds() -> float:
    """Return what `timed` itself adds to a call: the cost of reading the clock."""
    empty = Calls.__new__(Calls)
    empty.calls, empty.nanoseconds = 0, 0
    for _ in range(20_000):
        empty.timed(int)
    return empty.nanoseconds / empty.calls


def drive(name: str, page_size: int, policy: str, requests: int, pool: int, seed: int) -> dict[str, Any]:
    """Serve requests through one cache; return the hits, what is left over, and the processor time within the cache."""
    import torch

    torch.set_num_threads(1)
    cache = made(name, page_size, pool, policy)
    calls = Calls(cache, seed)
    calls.serve(requests)
    micros = (calls.nanoseconds - calls.calls * reading_nanoseconds()) / 1_000 / requests
    left = pool - calls.allocator.available_size() - cache.evictable_size() - cache.protected_size()
    about = {"cache": name, "page_size": page_size, "policy": policy, "us_per_request": micros, "calls": calls.calls}
    return {**about, "hits": calls.hits, "lost": left, "protected": cache.protected_size()}
