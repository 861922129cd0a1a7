"""SGLang's RadixCache: the hit of a request is counted when a chunk of it is cached, and remains when the request is aborted."""

import sys
from array import array
from types import SimpleNamespace

import torch
from sglang.srt.mem_cache.allocator.token import TokenToKVPoolAllocator
from sglang.srt.mem_cache.cache_init_params import CacheInitParams
from sglang.srt.mem_cache.memory_pool import ReqToTokenPool
from sglang.srt.mem_cache.radix_cache import RadixCache

pool, rows = TokenToKVPoolAllocator(10, torch.int64, "cpu", None, False), ReqToTokenPool(1, 8, "cpu", False)
cache = RadixCache(CacheInitParams(False, rows, pool, 1, eviction_policy="lfu"))
tokens = array("q", [0, 1])
kv = SimpleNamespace(req_pool_idx=0, cache_inserted_len=0, cache_protected_len=0, swa_evict_floor=0)
request = SimpleNamespace(
    kv=kv, full_untruncated_fill_ids=tokens, origin_input_ids=tokens, extra_key=None, cache_salt=None, priority=0, lock=None
)
rows.write((0, slice(0, 2)), pool.alloc(2).to(torch.int32))
cache.checkpoint(request, up_to=2)  # the prefill is complete
cache.unlock(request.lock)  # the request is aborted
(node,) = cache.root_node.children.values()
print(f"no request with [0 1] has finished, but lfu ranks it by {node.hit_count} hit")
sys.exit(node.hit_count != 0)
