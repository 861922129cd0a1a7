"""SGLang's UnifiedRadixCache with a host tier: its own sanity check raises while a load is in flight, where nothing is wrong."""

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
copies = Fake(write_policy="write_through", mem_pool_host=host, ack_write_queue=[], ack_load_queue=[], start_writing=lambda: None)
copies.write = lambda slots, node_id, **_: copied(copies.ack_write_queue, host, len(slots), node_id)
copies.load = lambda host_indices, node_id, **_: copied(copies.ack_load_queue, device, len(host_indices), node_id)
parameters = CacheInitParams(False, Fake(device="cpu"), device, 1, tree_components=(ComponentType.FULL,), tree_core_backend="python")
cache = UnifiedRadixCache(parameters)
cache.cache_controller, cache.host_pool_group, cache.load_back_threshold, cache.write_through_threshold = copies, host, 1, 1
cache.tree_core.set_hicache_enabled()
key = [RadixKey(array("q", tokens)) for tokens in ([0, 1], [0])]
cache.insert(InsertParams(key=key[0], value=device.alloc(2)))
cache.check_hicache_events()  # the host has it
cache.evict(EvictParams(num_tokens=2))
cache.match_prefix(MatchPrefixParams(key=key[1]))  # splits it
cache.load_back(cache.match_prefix(MatchPrefixParams(key=key[0])).best_match_node)
try:
    said = cache.sanity_check()
except AssertionError as error:
    said = str(error)
cache.check_hicache_events()
cache.sanity_check()  # right again, once the load is acknowledged
print(f"with a load in flight, the sanity check says: {said and said.splitlines()[1].strip()}")
sys.exit("Duplicate missing" in (said or ""))
