"""SGLang's UnifiedRadixCache, core in Python: a match that ends inside a node also refreshes the part after it, which is unused."""

import sys
from array import array
from types import SimpleNamespace

import torch
from sglang.srt.mem_cache.allocator.token import TokenToKVPoolAllocator
from sglang.srt.mem_cache.base_prefix_cache import EvictParams, InsertParams, MatchPrefixParams
from sglang.srt.mem_cache.cache_init_params import CacheInitParams
from sglang.srt.mem_cache.radix_cache import RadixKey
from sglang.srt.mem_cache.unified_cache.component_type import ComponentType
from sglang.srt.mem_cache.unified_radix_cache import UnifiedRadixCache

pool, rows = TokenToKVPoolAllocator(10, torch.int64, "cpu", None, False), SimpleNamespace(device="cpu")
cache = UnifiedRadixCache(CacheInitParams(False, rows, pool, 1, tree_components=(ComponentType.FULL,), tree_core_backend="python"))
key = [RadixKey(array("q", tokens)) for tokens in ([0, 1], [2], [0])]
for one in key[:2]:
    cache.insert(InsertParams(key=one, value=pool.alloc(len(one))))
cache.match_prefix(MatchPrefixParams(key=key[2]))  # uses 0, not the 1 behind it, which is older than 2
cache.evict(EvictParams(num_tokens=1))
left = cache.match_prefix(MatchPrefixParams(key=key[0])).device_prefix_len
core = type(cache.tree_core).__name__
print(f"{core}: the least recently used token is the 1 of [0 1]; evicted was {'it' if left == 1 else 'the 2'}")
sys.exit(left != 1)
