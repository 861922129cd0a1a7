"""SGLang 0.4.6.post5's HiRadixCache (sources under PEERS_DIR), selective: the host gets a node without its parent."""

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


device, host, arrived, mode = Pool(range(4)), Pool(range(8)), SimpleQueue(), "write_through_selective"
controller = SimpleNamespace(mem_pool_device_allocator=device, write_policy=mode, ack_write_queue=arrived, reset=lambda: None)
controller.write = lambda device_indices, node_id: arrived.put(node_id) or host.alloc(len(device_indices))  # it arrives at once
controller.evict_device, controller.evict_host = lambda slots, _: device.free(slots), host.free
module.MHATokenToKVPoolHost, module.HiCacheController = lambda *_: host, lambda *_, **__: controller
cache = module.HiRadixCache(None, device, torch.distributed.GroupMember.NON_GROUP_MEMBER, 1, 0, 0, mode)
cache.insert([1, 2], device.alloc(2))  # the first hit of [1, 2]
for key in ([1, 2], [1], [1, 2]):  # the second; a split gives [1] none; the third of [2]
    cache.match_prefix(key)
child = cache.root_node.children[1].children[2]
print(f"the host has a node: {child.host_value is not None}, its parent: {child.parent.host_value is not None}", end="; ")
cache.writing_check()
cache.evict(2)  # the parent is deleted, with its child below it
print(f"after an eviction of both {len(cache.root_node.children)} nodes are in the tree, and {len(host)} of 8 host slots are free")
sys.exit(len(host) < 8 and not cache.root_node.children)
