"""SGLang's classic `RadixCache` (tried with 0.5.23), unmodified: its inside is read, its clock is ours.

`checkpoint` is the cache's own; admission, allocation and the release of a request are `callers.py`.
"""

from __future__ import annotations

from array import array
from typing import Any

from radixcheck.verification.remote.serve import Key, Missing, Observation, SeenNode
from radixcheck.verification.subjects.callers import Found, Supports, WhiteBox
from radixcheck.verification.subjects.sglang import Allocator, Clock, Linked, Rows, installed, request, taken_back, words

POLICIES = ("lru", "lfu", "fifo", "filo", "mru", "slru", "priority")


class Classic(Linked):
    """The tree."""

    supports = Supports(POLICIES, (1, 2, 16, 64), ("time", "creation", "hits", "priority"))

    def __init__(self, setup: Any) -> None:
        self.version = installed()
        try:
            from sglang.srt.mem_cache import base_prefix_cache, radix_cache
            from sglang.srt.mem_cache.cache_init_params import CacheInitParams
        except ImportError as error:
            raise Missing(f"sglang {self.version} cannot be imported: {error}") from error
        self._clock = radix_cache.time = Clock()
        self._types, self._key_type = base_prefix_cache, radix_cache.RadixKey
        self._page, self._rows = setup.page_size, Rows()
        self._pool, self._spaces = setup.pool, dict[Any, Any]()
        params = CacheInitParams(
            disable=False,
            req_to_token_pool=self._rows,
            token_to_kv_pool_allocator=Allocator(setup.pool),
            page_size=setup.page_size,
            eviction_policy=setup.policy,
        )
        self.cache = radix_cache.RadixCache(params)

    def match(self, key: Key) -> tuple[list[int], Any]:
        """Its slots come along the path, as an engine reads them."""
        node = self.cache.match_prefix(self._types.MatchPrefixParams(key=self._key(key))).last_device_node
        return self.cache.path_device_indices(node).tolist(), node

    def peek(self, key: Key) -> Found:
        """A walk of ours: the cache offers none that leaves no trace."""
        left, node, length, evictable = self._key(key), self.cache.root_node, 0, 0
        while len(left):
            child = node.children.get(left.child_key(self._page))
            if child is None:
                break
            shared = child.key.match(left, page_size=self._page)
            length += shared
            evictable += 0 if child.lock_ref else shared
            if shared < len(child.key):
                break
            node, left = child, left[shared:]
        return Found(length, evictable)

    def insert(self, key: Key, slots: list[int], priority: int) -> int:
        """A copy of the slots goes in, as from an engine's row."""
        import torch

        values = torch.tensor(slots, dtype=torch.int64)
        return self.cache.insert(self._types.InsertParams(key=self._key(key), value=values, priority=priority)).prefix_len

    def lock(self, node: Any) -> Any:
        """As a request does."""
        return self.cache.lock(node)

    def unlock(self, lock: Any) -> None:
        """As a request does."""
        self.cache.unlock(lock)

    def evict(self, tokens: int) -> int:
        """What the cache says it has evicted."""
        return self.cache.evict(self._types.EvictParams(num_tokens=tokens)).num_tokens_evicted

    def reset(self) -> None:
        """The engine empties the allocator as well: what the tree holds goes back here."""
        held = [slot for node in self.nodes() for slot in node.value.tolist()]
        self.cache.reset()
        self._pool.free(held)

    def checkpoint(self, live: Any) -> None:
        """The cache's own."""
        req = request(live, self._space(live.key))
        self._rows.put(live.row)
        self.cache.checkpoint(req, up_to=len(live.tokens))
        taken_back(live, req, self._rows.req_to_token)

    def observe(self, requests: Any) -> Observation:
        """Every node that the root leads to, parents first, under the key by which its parent finds it."""
        leaves = [node.id for node in self.cache.evictable_leaves]
        return Observation(self._clock.now, [self._seen(node) for node in self.nodes()], requests, leaves=leaves)

    def _seen(self, node: Any) -> SeenNode:
        filed = self.filed(node)
        space = (node.key.extra_key, node.key.cache_salt)
        page = filed if space == (None, None) else filed[1]
        return SeenNode(
            node.id,
            self.locate(node.parent),
            node.key.token_ids,
            node.value,
            self._spaces[space],
            (page,) if isinstance(page, int) else page,
            node.lock_ref,
            node.last_access_time,
            node.creation_time,
            node.hit_count,
            node.priority,
        )

    def _key(self, key: Key) -> Any:
        extra, salt = self._space(key)
        return self._key_type(array("q", key.tokens), extra, cache_salt=salt)

    def _space(self, key: Key) -> tuple[str | None, str | None]:
        space = words(key)
        self._spaces[space] = key.namespace
        return space


def sglang_classic(setup: Any) -> WhiteBox:
    """The classic cache of the installed SGLang."""
    return WhiteBox(Classic(setup), setup.pool)
