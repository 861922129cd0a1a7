"""SGLang 0.4.6.post5's HiRadixCache (sources under PEERS_DIR), a load evicts all that it needs, not what is missing."""

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


device, host, arrived, mode = Pool(range(30)), Pool(range(60)), SimpleQueue(), "write_through"
controller = SimpleNamespace(mem_pool_device_allocator=device, write_policy=mode, ack_write_queue=arrived, reset=lambda: None)
controller.write = lambda device_indices, node_id: arrived.put(node_id) or host.alloc(len(device_indices))  # it arrives at once
controller.evict_device, controller.evict_host = lambda slots, _: device.free(slots), host.free
controller.load = lambda host_indices, node_id: device.alloc(len(host_indices))
module.MHATokenToKVPoolHost, module.HiCacheController = lambda *_: host, lambda *_, **__: controller
cache = module.HiRadixCache(None, device, torch.distributed.GroupMember.NON_GROUP_MEMBER, 1, 0, 0, mode)
cache.insert([1] * 20, device.alloc(20))
cache.writing_check()
cache.evict(20)
for key in ([3] * 10, [4] * 10):
    cache.insert(key, device.alloc(10))
cache.writing_check()
print(f"{len(device)} slots are free, 20 are needed", end="; ")
cache.load_back(cache.match_prefix([1] * 20, include_evicted=True)[2])  # to evict the threes is enough
left = len(cache.match_prefix([4] * 10)[0])
print(f"{len(device)} are free after the load, and of the key that was used last {left} of 10 tokens are left")
sys.exit(left == 0)
