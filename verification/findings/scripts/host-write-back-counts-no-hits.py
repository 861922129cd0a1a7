"""SGLang's UnifiedRadixCache under write_back: no hit is counted, so that lfu evicts what was used most as readily as anything else."""

import sys
from array import array
from types import SimpleNamespace as Fake

import torch
from sglang.srt.mem_cache.base_prefix_cache import EvictParams, InsertParams, MatchPrefixParams
from sglang.srt.mem_cache.cache_init_params import CacheInitParams
from sglang.srt.mem_cache.radix_cache import RadixKey
from sglang.srt.mem_cache.unified_cache.component_type import ComponentType
from sglang.srt.mem_cache.unified_radix_cache import UnifiedRadixCache


def pool(left):
    """Return a pool of these slots, for either tier."""
    take, give = (lambda n: torch.tensor([left.pop() for _ in range(n)])), (lambda slots, **_: left.extend(slots.tolist()))
    return Fake(device="cpu", available_size=left.__len__, alloc=take, free=give, free_segment=give, mamba_full_cache_donor=lambda: None)


def copied(acks, pool, tokens, node):
    """Issue a copy, which the next poll acknowledges; return its targets."""
    acks.append(Fake(finish_event=Fake(query=lambda: True, synchronize=lambda: None), node_ids=[node]))
    return pool.alloc(tokens)


device, host = pool([*range(8)]), pool([*range(8)])
host.anchor_entry = Fake(host_pool=Fake(shared_allocation_domain=None), host_evict_fn=None)
copies = Fake(write_policy="write_back", mem_pool_host=host, ack_write_queue=[], ack_load_queue=[], start_writing=lambda: None)
copies.write = lambda slots, node_id, **_: copied(copies.ack_write_queue, host, len(slots), node_id)
copies.load = lambda host_indices, node_id, **_: copied(copies.ack_load_queue, device, len(host_indices), node_id)
components = {"tree_components": (ComponentType.FULL,), "tree_core_backend": "python", "eviction_policy": "lfu"}
cache = UnifiedRadixCache(CacheInitParams(False, Fake(device="cpu"), device, 1, **components))
cache.cache_controller, cache.host_pool_group, cache.load_back_threshold, cache.is_write_back = copies, host, 1, True
cache.tree_core.set_hicache_enabled()
key = [RadixKey(array("q", tokens)) for tokens in ([0], [1])]
for one in (key[0], key[0], key[0], key[1]):  # 0 is used three times, 1 once
    cache.insert(InsertParams(key=one, value=device.alloc(1)))
cache.evict(EvictParams(num_tokens=1))
left = [cache.match_prefix(MatchPrefixParams(key=one)).device_prefix_len for one in key]
print(f"0 was used three times, 1 once; lfu evicted {'the 0' if not left[0] else 'the 1'}")
sys.exit(left == [0, 1])
