"""SGLang 0.4.6.post5's HiRadixCache (sources under PEERS_DIR), write_back: a load loses the nodes that it loads."""

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


device, host, arrived, mode = Pool(range(20)), Pool(range(30)), SimpleQueue(), "write_back"
controller = SimpleNamespace(mem_pool_device_allocator=device, write_policy=mode, ack_write_queue=arrived, reset=lambda: None)
controller.write = lambda device_indices, node_id: (
    None if len(device_indices) > len(host) else (arrived.put(node_id) or host.alloc(len(device_indices)))
)  # at once
controller.evict_device, controller.evict_host = lambda slots, _: device.free(slots), host.free
controller.load = lambda host_indices, node_id: device.alloc(len(host_indices))
module.MHATokenToKVPoolHost, module.HiCacheController = lambda *_: host, lambda *_, **__: controller
cache = module.HiRadixCache(None, device, torch.distributed.GroupMember.NON_GROUP_MEMBER, 1, 0, 0, mode)
first, second = [1] * 10 + [2] * 10, [4] * 10 + [5] * 10
cache.insert(first, device.alloc(20))
cache.evict(20)
cache.insert(second, device.alloc(20))
last = cache.match_prefix(first, include_evicted=True)[2]
read, loaded = last.host_value.tolist(), cache.load_back(last)  # for its room the second key goes to the host
over, found = {*read} & {*cache.root_node.children[4].host_value.tolist()}, len(cache.match_prefix(first)[0])
print(f"of {len(loaded)} loaded tokens {found} are in the tree; {len(over)} host slots that the load reads have the second key by now")
sys.exit(not found)
