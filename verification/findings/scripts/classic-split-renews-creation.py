"""SGLang's RadixCache under fifo: a split gives the prefix a new creation time, so that it outlives younger entries."""

import sys
from array import array

import torch
from sglang.srt.mem_cache.allocator.token import TokenToKVPoolAllocator
from sglang.srt.mem_cache.base_prefix_cache import EvictParams, InsertParams, MatchPrefixParams
from sglang.srt.mem_cache.cache_init_params import CacheInitParams
from sglang.srt.mem_cache.radix_cache import RadixCache, RadixKey

pool = TokenToKVPoolAllocator(10, torch.int64, "cpu", None, False)
params = CacheInitParams(False, None, pool, 1, eviction_policy="fifo")
cache = RadixCache(params)
first, second, prefix = (RadixKey(array("q", tokens)) for tokens in ([0, 1], [2], [0]))
for one in (first, second):
    cache.insert(InsertParams(key=one, value=pool.alloc(len(one))))
cache.match_prefix(MatchPrefixParams(key=prefix))  # splits 0 1
cache.evict(EvictParams(num_tokens=2))  # first in, first out: 1, then 0
left = cache.match_prefix(MatchPrefixParams(key=second)).device_prefix_len
print(f"[0 1] was cached before [2]; after the eviction of two tokens [2] is {'still there' if left else 'gone, and the 0 still there'}")
sys.exit(left == 0)
