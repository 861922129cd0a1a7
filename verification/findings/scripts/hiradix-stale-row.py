"""SGLang 0.4.6.post5's HiRadixCache (sources under PEERS_DIR), pages of 2: a request keeps a slot that was freed."""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location
from queue import SimpleQueue
from types import ModuleType, SimpleNamespace

import torch

for name in ("managers.schedule_batch", "managers.cache_controller", "mem_cache.memory_pool", "disaggregation.kv_events"):
    sys.modules["sglang.srt." + name] = ModuleType(name)
    sys.modules["sglang.srt." + name].__getattr__ = lambda name: object
for file in ("base_prefix_cache", "radix_cache", "hiradix_cache"):
    path = os.path.join(os.environ["PEERS_DIR"], f"sglang-0.4.6.post5/sglang/srt/mem_cache/{file}.py")
    spec = spec_from_file_location(f"sglang.srt.mem_cache.{file}", path)
    sys.modules[spec.name] = module = module_from_spec(spec)
    spec.loader.exec_module(module)


class Pool(list):
    """Free slots."""

    device, get_kvcache, clear = "cpu", lambda self: None, lambda self: None
    alloc, free = (
        lambda self, size: torch.tensor([self.pop() for _ in range(size)]) if size <= len(self) else None,
        lambda self, slots: self.extend(slots.tolist()) or len(slots),
    )


device, host, arrived, mode = Pool(range(0)), Pool(range(8)), SimpleQueue(), "write_through"
controller = SimpleNamespace(mem_pool_device_allocator=device, write_policy=mode, ack_write_queue=arrived, reset=lambda: None)
controller.write = lambda device_indices, node_id: arrived.put(node_id) or host.alloc(len(device_indices))  # it arrives at once
table = torch.tensor([[0, 1], [2, 3]])
rows = SimpleNamespace(req_to_token=table, free=lambda index: None, write=table.__setitem__)
module.MHATokenToKVPoolHost, module.HiCacheController = lambda *_: host, lambda *_, **__: controller
cache = module.HiRadixCache(rows, device, torch.distributed.GroupMember.NON_GROUP_MEMBER, 2, 0, 0, mode)
one, two = (
    SimpleNamespace(req_pool_idx=i, fill_ids=[7], origin_input_ids=[7, 8], output_ids=[0], prefix_indices=[], last_node=cache.root_node)
    for i in (0, 1)
)
cache.cache_unfinished_req(one)  # a chunk of one token: half a page
cache.cache_finished_req(two)  # meanwhile another request caches [7 8] in slots 2 and 3
one.fill_ids = [7, 8]
cache.cache_unfinished_req(one)  # [7 8] is there: page 0 is freed, and the row should be 2 3
print(f"the row of the request is {table[0].tolist()}, freed are the pages {sorted({slot // 2 for slot in device})}")
sys.exit(table[0].tolist() != [2, 3])
