"""SGLang 0.4.6.post5, pages of 2 (sources under PEERS_DIR): a request whose chunk ended inside a page keeps a slot that was freed."""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType, SimpleNamespace

import torch

for name in ("", ".srt", *(f".srt.{n}" for n in ("mem_cache", "managers", "disaggregation", "disaggregation.kv_events"))):
    sys.modules["sglang" + name] = ModuleType("sglang" + name)
sys.modules["sglang.srt.managers.schedule_batch"] = stub = ModuleType("stub")
sys.modules["sglang.srt.mem_cache.memory_pool"] = stub
events = ("AllBlocksCleared", "BlockRemoved", "BlockStored", "KVCacheEvent")
vars(sys.modules["sglang.srt.disaggregation.kv_events"]).update({event: type(event, (), {}) for event in events})
vars(stub).update(global_server_args_dict={}, ReqToTokenPool=object, TokenToKVPoolAllocator=object)
for file in ("base_prefix_cache", "radix_cache"):
    path = os.path.join(os.environ["PEERS_DIR"], f"sglang-0.4.6.post5/sglang/srt/mem_cache/{file}.py")
    spec = spec_from_file_location(f"sglang.srt.mem_cache.{file}", path)
    sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[spec.name])

freed, table = set(), torch.tensor([[0, 1], [2, 3]])
rows = SimpleNamespace(req_to_token=table, free=lambda index: None, write=table.__setitem__)
pool = SimpleNamespace(device="cpu", free=lambda slots: freed.update((slots // 2).tolist()))  # by page
cache = sys.modules["sglang.srt.mem_cache.radix_cache"].RadixCache(rows, pool, page_size=2)
one, two = (
    SimpleNamespace(req_pool_idx=i, fill_ids=[7], origin_input_ids=[7, 8], output_ids=[0], prefix_indices=[], last_node=cache.root_node)
    for i in (0, 1)
)
cache.cache_unfinished_req(one)  # a chunk of one token: half a page
cache.cache_finished_req(two)  # meanwhile another request caches [7 8] in slots 2 and 3
one.fill_ids = [7, 8]
cache.cache_unfinished_req(one)  # [7 8] is there: page 0 is freed, and the row should be 2 3
print(f"the row of the request is {table[0].tolist()}, freed are the pages {sorted(freed)}")
sys.exit(table[0].tolist() != [2, 3])
