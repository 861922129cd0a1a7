"""SGLang's UnifiedRadixCache, core in Rust: a second release of one lock is accepted, and removes the protection of another holder."""

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
cache = UnifiedRadixCache(CacheInitParams(False, rows, pool, 1, tree_components=(ComponentType.FULL,), tree_core_backend="rust"))
key = RadixKey(array("q", [0, 1]))
cache.insert(InsertParams(key=key, value=pool.alloc(2)))
node = cache.match_prefix(MatchPrefixParams(key=key)).last_device_node
one, two = cache.lock(node), cache.lock(node)
cache.unlock(one)
cache.unlock(one)  # a misuse
freed = cache.evict(EvictParams(num_tokens=2)).num_tokens_evicted
print(f"a second holder has [0 1] locked, and the eviction freed {freed} of its tokens")
sys.exit(freed != 0)
