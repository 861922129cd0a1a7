"""SGLang's RadixCache: a match that ends inside a node also refreshes the part after it, which no request has used."""

import sys
from array import array

import torch
from sglang.srt.mem_cache.allocator.token import TokenToKVPoolAllocator
from sglang.srt.mem_cache.base_prefix_cache import EvictParams, InsertParams, MatchPrefixParams
from sglang.srt.mem_cache.radix_cache import RadixCache, RadixKey

pool = TokenToKVPoolAllocator(10, torch.int64, "cpu", None, False)
cache = RadixCache.create_simulated(mock_allocator=pool)
key = [RadixKey(array("q", tokens)) for tokens in ([0, 1], [2], [0])]
for one in key[:2]:
    cache.insert(InsertParams(key=one, value=pool.alloc(len(one))))
cache.match_prefix(MatchPrefixParams(key=key[2]))  # uses 0, not the 1 behind it, which is older than 2
cache.evict(EvictParams(num_tokens=1))
left = cache.match_prefix(MatchPrefixParams(key=key[0])).device_prefix_len
print(f"the least recently used token is the 1 of [0 1]; evicted was {'it' if left == 1 else 'the 2'}")
sys.exit(left != 1)
