"""SGLang's UnifiedRadixCache, core in Rust: the hit of a request is counted when a chunk is cached, and remains when it is aborted."""

import sys
from array import array
from types import SimpleNamespace

import torch
from sglang.srt.mem_cache.allocator.token import TokenToKVPoolAllocator
from sglang.srt.mem_cache.base_prefix_cache import EvictParams, InsertParams, MatchPrefixParams
from sglang.srt.mem_cache.cache_init_params import CacheInitParams
from sglang.srt.mem_cache.memory_pool import ReqToTokenPool
from sglang.srt.mem_cache.radix_cache import RadixKey
from sglang.srt.mem_cache.unified_cache.component_type import ComponentType
from sglang.srt.mem_cache.unified_radix_cache import UnifiedRadixCache

pool, rows = TokenToKVPoolAllocator(10, torch.int64, "cpu", None, False), ReqToTokenPool(1, 8, "cpu", False)
cache = UnifiedRadixCache(
    CacheInitParams(False, rows, pool, 1, eviction_policy="lfu", tree_components=(ComponentType.FULL,), tree_core_backend="rust")
)
root = cache.match_prefix(MatchPrefixParams(key=RadixKey(array("q", [9])))).last_device_node
cache.insert(InsertParams(key=RadixKey(array("q", [2])), value=pool.alloc(1)))  # a hit
tokens = array("q", [0, 1])
kv = SimpleNamespace(req_pool_idx=0, cache_inserted_len=0, cache_protected_len=0, swa_evict_floor=0, holds_mamba=False)
request = SimpleNamespace(
    rid="r", kv=kv, full_untruncated_fill_ids=tokens, origin_input_ids=tokens, extra_key=None, cache_salt=None, priority=0
)
vars(request).update(session_id=None, session=None, kv_rotation_base=None, lock=cache.lock(root), last_node=root, finished=lambda: False)
rows.write((0, slice(0, 2)), pool.alloc(2).to(torch.int32))
cache.checkpoint(request, up_to=2)  # the prefill is complete
cache.unlock(request.lock)  # the request is aborted: no request with [0 1] has finished
cache.evict(EvictParams(num_tokens=1))
left = cache.match_prefix(MatchPrefixParams(key=RadixKey(tokens))).device_prefix_len
core = type(cache.tree_core).__name__
print(f"{core}: lfu evicts {'[2], which was inserted' if left == 2 else '[0 1], whose request was aborted'}")
sys.exit(left == 2)
