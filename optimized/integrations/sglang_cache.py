"""A radix cache with the verbs that SGLang's scheduler calls, over the tree and the memory of `radixcheck.optimized`.

SGLang keeps the rows of its requests, and takes slots from its allocator itself. The row of a request, at a checkpoint:

    [0, protected)         slots of the tree, under the request's lock
    [protected, prefix)    what others have cached meanwhile: these slots are freed, and the row gets the tree's
    [prefix, whole)        the request's own pages: they belong to the tree from now on
    [whole, up_to)         less than a page: stays with the request
"""

import time
from array import array
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from radixcheck.optimized.integrations.sglang_events import SGLangAnnouncer, recorder_of
from radixcheck.optimized.keys import TOKEN_BYTES, part
from radixcheck.optimized.matched import joined
from radixcheck.optimized.memory import Memory
from radixcheck.optimized.node import Node
from radixcheck.optimized.page_events import EmittingTree
from radixcheck.optimized.tree import NodeTree, Walk
from radixcheck.spec.values import Namespace


class AllocatorPool:
    """SGLang's allocator of slots as the pool of our memory: evicted slots go back there. SGLang takes slots itself."""

    def __init__(self, allocator: Any, page_size: int) -> None:
        self.allocator = allocator
        self.page_size = page_size
        self.capacity: int = allocator.size
        self.device = torch.device(allocator.device)

    @property
    def available(self) -> int:
        """Free slots, in tokens."""
        return int(self.allocator.available_size())

    def alloc(self, tokens: int) -> Tensor:
        """Refuse: only SGLang takes slots."""
        raise NotImplementedError("SGLang takes slots from its allocator, not from the cache")

    def free(self, *parts: Tensor) -> None:
        """Give whole pages back; each part has some of them, so that together they are a segment that begins with a page."""
        self.allocator.free_segment(parts[0] if len(parts) == 1 else torch.cat(parts), start_pos=0)


def packed(tokens: Sequence[int], size: int) -> bytes:
    """Return the bytes of the first `size` tokens, as `radixcheck.optimized.keys.pack` would. SGLang keeps tokens in an array("q")."""
    if type(tokens) is array and tokens.itemsize == TOKEN_BYTES:
        with memoryview(tokens) as view:
            return view[:size].tobytes()
    return array("q", tokens[:size]).tobytes()


def namespace_of(key: Any) -> Namespace:
    """Return what keeps the trees of adapters and salts apart: SGLang's `extra_key` and `cache_salt`, of a key or a request."""
    return (key.extra_key, key.cache_salt or None)


class SGLangCache:
    """The verbs. `cache_class` adds SGLang's own base class, and `results`, the module with the types of its results.

    Amounts are in tokens. A node of the tree is its own handle; a lock is a count, so that its receipt is empty.
    """

    results: Any
    tree_kind: ClassVar[type[NodeTree]] = NodeTree
    sliding_window_size = None
    disable = False
    kv_events: Any = None  # SGLang's recorder of KV events, from which its `take_events` takes them; None: they are not enabled

    def __init__(self, params: Any) -> None:
        self.req_to_token_pool = params.req_to_token_pool
        self.token_to_kv_pool_allocator = params.token_to_kv_pool_allocator
        self.page_size: int = params.page_size
        self.policy: str = params.eviction_policy.lower()
        self.pool = AllocatorPool(self.token_to_kv_pool_allocator, self.page_size)
        self.device = self.pool.device
        if params.enable_metrics:
            self.init_metrics_collector()  # type: ignore[attr-defined]  # of SGLang's base class
        self._receipt = self.results.DecLockRefParams()
        if params.enable_kv_cache_events:
            self.kv_events = recorder_of(params)
        self.reset()

    def reset(self) -> None:
        """Forget everything. SGLang empties its allocator itself, and calls this only when no request is live."""
        self.tree = self._make_tree()
        self.memory = Memory(self.tree, self.pool)
        self.root_node = self.tree.root

    def _make_tree(self) -> NodeTree:
        arguments = self.page_size, self.policy, self.pool.device
        if self.kv_events is None:
            return self.tree_kind(*arguments)
        announcer = SGLangAnnouncer(self.kv_events, self.page_size)
        announcer.clear()  # what a subscriber has of an earlier tree is gone
        emitting: type[EmittingTree] = type("EmittingTree", (EmittingTree, self.tree_kind), {})
        return emitting(*arguments, announcer)

    # Lookups

    def match_prefix(self, params: Any) -> Any:
        """Return the longest cached prefix in whole pages, as SGLang's `MatchResult`. May split a node; refreshes times."""
        node = self._accessed(params.key)
        return self.results.MatchResult(node.end, node, node, node)

    def touch_prefix(self, key: Any) -> None:
        """Refresh the times of the cached prefix of `key`."""
        self._accessed(key)

    def _accessed(self, key: Any) -> Node:
        tree, size = self.tree, len(key) // self.page_size * self.page_size
        if not size:
            return tree.root
        space = namespace_of(key)
        path = tree.split(tree.walk(space, packed(key.token_ids, size)))
        tree.touch(space, path)
        return path[-1] if path else tree.root

    def path_device_indices(self, node: Node) -> Tensor:
        """Return the slots of the prefix that ends at `node`: a new tensor."""
        return joined(self.tree.pieces(self.tree.path_to(node)))

    # Storing

    def checkpoint(self, req: Any, *, up_to: int, **_: Any) -> None:
        """Cache the whole pages of the first `up_to` tokens of a request, and move its lock to the end of them.

        Slots of tokens that others have cached meanwhile are freed, and the row gets the tree's. The node is cut at the end of the prompt,
        so that the output can be evicted without it; the prompt gets the greater priority.
        """
        kv = req.kv
        tokens = req.full_untruncated_fill_ids
        whole = min(up_to, len(tokens)) // self.page_size * self.page_size
        row = self.req_to_token_pool.req_to_token[kv.req_pool_idx, :whole]
        prefix, path = self._store(namespace_of(req), packed(tokens, whole), row, kv.cache_inserted_len, req.priority or 0)
        prompt = len(req.origin_input_ids) // self.page_size * self.page_size
        if 0 < prompt < whole:
            self.tree.raise_priority(self._cut(path, prompt), (req.priority or 0) + 1)
        kv.cache_inserted_len = max(kv.cache_inserted_len, whole)
        protected = kv.cache_protected_len
        assert prefix >= min(protected, whole), "a prefix under the lock of this request has left the tree"
        if prefix > protected:
            self.token_to_kv_pool_allocator.free_segment(row[protected:prefix], start_pos=protected)
            self.req_to_token_pool.write((kv.req_pool_idx, slice(protected, prefix)), joined(self.tree.pieces(path))[protected:prefix])
        kv.cache_protected_len = whole
        node = path[-1] if path else self.tree.root
        before, req.lock = req.lock, self.lock(node)  # in this order the old lock is released in one step
        self.unlock(before)
        req.last_node = node

    def _store(self, space: Namespace, data: bytes, slots: Tensor, counted: int, priority: int) -> tuple[int, list[Node]]:
        """Cache a key of whole pages; return how many of its tokens were cached already, and its path.

        Only nodes that end behind `counted` get a hit: a request counts each node once.
        """
        tree, whole = self.tree, len(data) // TOKEN_BYTES
        walk = tree.walk(space, data)
        prefix = walk.length
        path = tree.split(walk)
        tree.count_hit([node for node in path if node.end > counted])
        tree.raise_priority(path, priority)
        tree.touch(space, path)
        if prefix < whole:
            given = slots[prefix:].to(torch.int64, copy=True)
            tree.store(path, walk.link, part(data, prefix, whole), given, hits=int(whole > counted), priority=priority, holders=0)
        return prefix, path

    def _cut(self, path: list[Node], end: int) -> list[Node]:
        """Cut the node of a path in which `end` lies; return the path to there. The cut is put into `path` too, which is the trail."""
        at = next(number for number, node in enumerate(path) if node.end >= end)
        node = path[at]
        if node.end > end:
            upper = self.tree.split(Walk([], end, node, end - (node.end - node.size), b""))
            path[at:at] = upper
        return path[: at + 1]

    # Locks and eviction

    def lock(self, node: Node) -> Any:
        """Protect the path to `node` for one holder, as SGLang's `TreeLock`."""
        self.tree.lock_path(self.tree.path_to(node))
        return self.results.TreeLock(node, self._receipt)

    def unlock(self, lock: Any) -> None:
        """Release a lock, once; None holds nothing."""
        if lock is not None:
            self.tree.unlock_path(lock.node)

    def inc_lock_ref(self, node: Node) -> Any:
        """Protect the path to `node`; the result has the change of the evictable tokens."""
        before = self.tree.evictable
        self.tree.lock_path(self.tree.path_to(node))
        return self.results.IncLockRefResult(delta=self.tree.evictable - before)

    def dec_lock_ref(self, node: Node, params: Any = None) -> Any:
        """Release one lock of `node`; the result has the change of the evictable tokens."""
        before = self.tree.evictable
        self.tree.unlock_path(node)
        return self.results.DecLockRefResult(delta=self.tree.evictable - before)

    def evict(self, params: Any) -> Any:
        """Evict leaves until `num_tokens` are freed or none is left, as SGLang's `EvictResult`."""
        start = time.perf_counter()
        freed = self.memory.evict(params.num_tokens)
        self.update_eviction_metrics(freed, start)  # type: ignore[attr-defined]  # of SGLang's base class
        return self.results.EvictResult(num_tokens_evicted=freed)

    # Sizes

    def supports_prefix_sharing(self) -> bool:
        """Return True: what is cached is shared."""
        return True

    def evictable_size(self) -> int:
        """Return the tokens on unprotected nodes."""
        return self.tree.evictable

    def full_evictable_size(self) -> int:
        """Return the same: there is no other kind of attention."""
        return self.tree.evictable

    def protected_size(self) -> int:
        """Return the tokens on protected nodes."""
        return self.tree.protected

    def full_protected_size(self) -> int:
        """Return the same: there is no other kind of attention."""
        return self.tree.protected

    def total_size(self) -> int:
        """Return the tokens of the tree."""
        return self.tree.evictable + self.tree.protected

    def pretty_print(self) -> None:
        """Print how much is cached."""
        print(f"#tokens: {self.total_size()}")


def cache_class(results: Any, kind: type[SGLangCache] = SGLangCache) -> type[Any]:
    """Return the class to make a cache of: `results` is SGLang's module `base_prefix_cache`, with the base class and the result types."""
    return type(kind.__name__, (kind, results.BasePrefixCache), {"results": results})
