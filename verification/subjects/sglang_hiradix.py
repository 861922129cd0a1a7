"""SGLang 0.4.6.post5's `HiRadixCache`, unmodified, from extracted sources, but for a deterministic clock. Its inside is read.

Only the three files of the cache are loaded. Stand-ins serve it as controller, whose transfers are copies of the checker's copier, and as
pools. A copy that the checker has completed is acknowledged when the engine polls, or when the cache waits for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

from radixcheck.verification.remote.serve import Key, Missing, Observation, SeenCopy, SeenNode, Supports
from radixcheck.verification.subjects.engine_shim import FinishingShim
from radixcheck.verification.subjects.host_shim import Absent, Flight, Found, HostShim
from radixcheck.verification.subjects.sglang import Allocator, Clock, Rows, extracted, nodes_of
from radixcheck.verification.subjects.sglang_legacy import VERSION, Legacy, load
from radixcheck.verification.subjects.sglang_legacy import loaded as loaded_base

MODES = ("write_through", "write_through_selective", "write_back")


class KVCache:
    """Stands for the tensors of keys and values; leads the cache to its host pool and to the copier."""

    def __init__(self, setup: Any) -> None:
        self.host_pool, self.copier = setup.host_pool, setup.copier


class DevicePool(Allocator):
    """The checker's pool of the device, with what a load calls."""

    def __init__(self, setup: Any) -> None:
        super().__init__(setup.pool)
        self._kv_cache = KVCache(setup)

    def alloc(self, tokens: int) -> Any:
        """Return free slots, None if there are too few."""
        return taken(self.pool, tokens)

    def get_kvcache(self) -> Any:
        """Return what stands for the tensors."""
        return self._kv_cache


class HostPool:
    """The checker's host pool as the cache and its controller call it."""

    def __init__(self, kv_cache: KVCache, ratio: float, size: int, page_size: int) -> None:
        self.pool, self.copier = kv_cache.host_pool, kv_cache.copier
        self._out: set[int] = set()

    def alloc(self, tokens: int) -> Any:
        """Return free slots, None if there are too few."""
        slots = taken(self.pool, tokens)
        self._out.update(() if slots is None else slots.tolist())
        return slots

    def free(self, slots: Any) -> None:
        """Take slots back."""
        self._out.difference_update(slots.tolist())
        self.pool.free(slots.tolist())

    def clear(self) -> None:
        """Take all slots back, as a reset does."""
        if self._out:
            self.pool.free(sorted(self._out))
            self._out.clear()

    def update_synced(self, slots: Any) -> None:
        """Nothing: the states of slots are kept for debugging only."""


def taken(pool: Any, tokens: int) -> Any:
    """Return free slots of one of the checker's pools; None, as the pools of the release, if there are too few."""
    import torch

    return torch.tensor(pool.alloc(tokens), dtype=torch.int64) if pool is not None and tokens <= pool.available else None


@dataclass(eq=False)
class Transfer:
    """One copy that is not acknowledged."""

    up: bool  # from the host to the device
    node_id: int  # of the node with which it ends
    sources: list[int]
    targets: list[int]
    ticket: Any


class Acknowledged:
    """A queue of the controller: the nodes whose copies to one tier are acknowledged, by their ids."""

    def __init__(self, wait: Callable[[], None]) -> None:
        self.node_ids: list[int] = []
        self._wait = wait

    def qsize(self) -> int:
        """Return how many there are."""
        return len(self.node_ids)

    def empty(self) -> bool:
        """Return whether there is none."""
        return not self.node_ids

    def get(self) -> int:
        """Return the oldest; wait for one if there is none."""
        while not self.node_ids:
            self._wait()
        return self.node_ids.pop(0)

    get_nowait = get


class Controller:
    """Stands for the controller of the cache. Its transfers are copies of the checker's copier.

    A copy that has failed is issued again: the release knows none that fails.
    """

    def __init__(self, device: DevicePool, host: HostPool, page_size: int, load_cache_event: Any, write_policy: str) -> None:
        self.mem_pool_device_allocator, self.mem_pool_host, self.write_policy = device, host, write_policy
        self.reset()

    def reset(self) -> None:
        """Forget every transfer."""
        self.in_flight: list[Transfer] = []  # in the order of issue
        self.ack_write_queue, self.ack_load_queue = (Acknowledged(partial(self._wait, up)) for up in (False, True))

    def write(self, device_indices: Any, node_id: int) -> Any:
        """Issue a copy to the host; return its slots there, None if too few are free."""
        return self._issued(False, node_id, device_indices, self.mem_pool_host.alloc(len(device_indices)))

    def load(self, host_indices: Any, node_id: int) -> Any:
        """Issue a copy to the device; return its slots there, None if too few are free."""
        return self._issued(True, node_id, host_indices, self.mem_pool_device_allocator.alloc(len(host_indices)))

    def evict_device(self, device_indices: Any, host_indices: Any) -> int:
        """Free slots of the device; return how many."""
        self.mem_pool_device_allocator.free(device_indices)
        return len(device_indices)

    def evict_host(self, host_indices: Any) -> int:
        """Free slots of the host; return how many."""
        self.mem_pool_host.free(host_indices)
        return len(host_indices)

    def acknowledge(self, up: bool) -> None:
        """Queue the transfers to a tier that are done."""
        for transfer in [one for one in self.in_flight if one.up == up and one.ticket.done]:
            self.in_flight.remove(transfer)
            if transfer.ticket.failed:
                self._issue(up, transfer.node_id, transfer.sources, transfer.targets)
            else:
                (self.ack_load_queue if up else self.ack_write_queue).node_ids.append(transfer.node_id)

    def _issued(self, up: bool, node_id: int, sources: Any, targets: Any) -> Any:
        if targets is not None:
            self._issue(up, node_id, sources.tolist(), targets.tolist())
        return targets

    def _issue(self, up: bool, node_id: int, sources: list[int], targets: list[int]) -> None:
        self.in_flight.append(Transfer(up, node_id, sources, targets, self.mem_pool_host.copier.copy(up, sources, targets)))

    def _wait(self, up: bool) -> None:
        """Wait for the oldest transfer to a tier."""
        next(one for one in self.in_flight if one.up == up).ticket.wait()
        self.acknowledge(up)


def loaded() -> Any:
    """Return the module of the cache. Raises Missing."""
    loaded_base()
    name = "sglang.srt.mem_cache.hiradix_cache"
    if name in sys.modules:
        return sys.modules[name]
    pools = {"MHATokenToKVPool": KVCache, "MHATokenToKVPoolHost": HostPool}
    absent = {name: type(name, (), {}) for name in ("MLATokenToKVPool", "MLATokenToKVPoolHost")}
    controller = sys.modules["sglang.srt.managers.cache_controller"] = ModuleType("sglang.srt.managers.cache_controller")
    vars(controller).update(HiCacheController=Controller)
    vars(sys.modules["sglang.srt.mem_cache.memory_pool"]).update(pools | absent)
    return load(extracted("sglang", VERSION, "srt/mem_cache/hiradix_cache.py"))


CHOICES = {
    "copies to the host": "`inc_hit_count` counts every walk over a node that the host has not, and starts at 0 again after a backup",
    "host evictions of a whole copy": "`write_backup` asks `evict_host` for the length of the node, not for what is missing",
    "times of a split": "`_match_prefix_helper` and `_insert_helper` refresh a node before they split it",
}


class Hierarchical(Legacy):
    """The tree on two tiers. Of requests it calls what `Legacy` calls, and `load_back` itself: `init_load_back` asserts that CUDA is there.

    Without a host pool its host has no slots, so that nothing is ever copied.
    """

    supports = Supports(
        attributes=frozenset({"time"}),
        namespaces=False,
        modes=MODES,
        without=frozenset({"backup", "fail"}),
        choices=CHOICES,
        larger_host=True,
    )

    def __init__(self, setup: Any) -> None:
        import torch

        module = loaded()
        self._clock = module.time = loaded_base().time = Clock()
        self._pool, self._host_pool, self._rows = setup.pool, setup.host_pool, Rows()
        alone = torch.distributed.GroupMember.NON_GROUP_MEMBER  # there is no other process with which it has to agree
        self.cache = module.HiRadixCache(self._rows, DevicePool(setup), alone, setup.page_size, 0.0, 0, setup.mode or MODES[0])
        self.cache.load_back_threshold = 1  # tokens: it loads whatever it can

    def match_tiers(self, key: Key) -> Found:
        """Match on both tiers."""
        slots, node, last = self.cache.match_prefix(list(key.tokens), include_evicted=True)
        return Found(slots.tolist(), node, self.absent(last).tokens, last)

    def resident(self, node: Any) -> bool:
        """Return whether the device has a node."""
        return node.value is not None

    def path_slots(self, node: Any) -> list[int]:
        """Return the device's slots of a path."""
        return [slot for one in self.path(node) for slot in one.value.tolist()]

    def absent(self, node: Any) -> Absent:
        """Return what a load would copy."""
        path = self.path(node)
        wanted = sum(len(one.key) for one in path if one.value is None)
        return Absent(wanted, sum(len(one.key) for one in path if one.value is not None and one.lock_ref == 0))

    def load_back(self, node: Any) -> int:
        """Issue the copy of what only the host has; return its tokens."""
        loaded = self.cache.load_back(node)
        return 0 if loaded is None else len(loaded)

    def backup(self, node: Any) -> int:
        """When it copies a node to the host is its own decision."""
        raise NotImplementedError

    def evict_host(self, tokens: int) -> int:
        """Return what the host pool got back: the cache does not report what it has evicted."""
        before = self.host_available()
        self.cache.evict_host(tokens)
        return self.host_available() - before

    def host_available(self) -> int:
        """Return the free tokens of the host."""
        return 0 if self._host_pool is None else int(self._host_pool.available)

    def poll(self) -> None:
        """Acknowledge what is done, as the scheduler does before each batch."""
        for up in (False, True):
            self.cache.cache_controller.acknowledge(up)
        self.cache.writing_check()
        self.cache.loading_check()

    def flights(self) -> list[Flight]:
        """Return the copies that are not acknowledged."""
        return [Flight(one.up, one.targets, one.ticket) for one in self.cache.cache_controller.in_flight]

    def reset(self) -> None:
        """The engine empties its allocator as well: here the slots of the tree go back to the pool."""
        held = [slot for node in nodes_of(self.cache.root_node) if node.value is not None for slot in node.value.tolist()]
        self.cache.reset()
        self._pool.free(held)

    def observe(self, requests: Any) -> Observation:
        """Return the nodes of both tiers, and the copies that are not acknowledged."""
        copies = [self._seen_copy(one) for one in self.cache.cache_controller.in_flight]
        return super().observe(requests)._replace(copies=copies)

    def _seen(self, node: Any) -> SeenNode:
        """Return a node. It has no count of the loads that read it, but a flag: there is one at most."""
        slots, host_slots = (() if tier is None else tier.tolist() for tier in (node.value, node.host_value))
        return super()._seen(node)._replace(slots=slots, host_slots=host_slots, pins=int(node.loading))

    def _seen_copy(self, copy: Transfer) -> SeenCopy:
        """Return a copy. Of one to the host the cache keeps only the node with which it ends: the others are above it."""
        floor, aim = self.cache.ongoing_load_back[copy.node_id] if copy.up else (None, self.cache.ongoing_write_through[copy.node_id])
        if floor is None:
            floor, left = aim, len(copy.sources)
            while left > 0:
                floor, left = floor.parent, left - len(floor.key)
        return SeenCopy(copy.up, self.locate(floor), self.locate(aim), copy.sources, copy.targets)

    def path(self, node: Any) -> list[Any]:
        """Return the nodes of a path, from the root down, without the root."""
        path = []
        while node is not self.cache.root_node:
            path.append(node)
            node = node.parent
        return path[::-1]


class HierarchicalShim(HostShim, FinishingShim):
    """The engine above it."""

    tree: Hierarchical


def sglang_hiradix(setup: Any) -> HierarchicalShim:
    """Return the hierarchical cache of SGLang 0.4.6.post5. Raises Missing also where its host is not larger than its device."""
    if setup.host_pool is not None and setup.host_pool.capacity <= setup.pool.capacity:
        raise Missing(f"sglang {VERSION} asserts that its host is larger than its device: make --host-pool larger than --pool")
    return HierarchicalShim(Hierarchical(setup), setup.pool)
