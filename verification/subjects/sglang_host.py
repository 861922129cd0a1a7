"""SGLang's `UnifiedRadixCache` with its host tier (0.5.23), over each of its two tree cores.

The cache, the core, `HybridCacheController`, the engine of transfers, `HostPoolGroup` and the bookkeeping of `HostKVCache` are unmodified;
`sglang_transfers.py` says what is replaced. `init_hicache` needs a server, so what it sets is set here, with a `load_back_threshold` of 1:
it refuses loads of fewer than 10 tokens.

Copies are submitted at the end of the call that asks for them. Those of one call in one direction are one transfer with one event, and a
poll acknowledges in the order of submission, up to the first event that is not done.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from radixcheck.verification.remote.serve import Key, Missing, Observation, SeenCopy, SeenNode, Supports
from radixcheck.verification.subjects.host_shim import Absent, Found, HostBlackBox, HostShim
from radixcheck.verification.subjects.sglang import POLICIES
from radixcheck.verification.subjects.sglang_transfers import Copied, Device, LoadingAllocator, SubmittedCopies, host_pool_type
from radixcheck.verification.subjects.sglang_unified import PythonCore, RustCore, Unified

VERSION = "0.5.23"
THRESHOLDS = {"write_through": 1, "write_through_selective": 2, "write_back": 2}  # as `init_hicache` sets them


def check_version(installed: str) -> None:
    """Raise Missing for another version than the one whose parts this adapter replaces."""
    if installed != VERSION:
        raise Missing(f"the adapter of its host tier is for sglang {VERSION}, and {installed} is installed: pip install sglang=={VERSION}")


def controller_over(allocator: Any, host: Any, page_size: int, mode: str) -> Any:
    """Return the real controller over an allocator of the device and a host pool. Raises Missing."""
    try:
        from sglang.srt.managers import cache_controller
        from sglang.srt.mem_cache import l2_transfer
        from sglang.srt.mem_cache.hicache_storage import PoolName
        from sglang.srt.mem_cache.hybrid_cache.hybrid_cache_controller import HybridCacheController
        from sglang.srt.mem_cache.pool_host.group import HostPoolGroup, PoolEntry
    except ImportError as error:
        raise Missing(f"sglang has no host tier that can be imported: {error}") from error
    cache_controller.device_module = l2_transfer.device_module = Device
    group = HostPoolGroup([PoolEntry(PoolName.KV, host, allocator.get_kvcache(), lambda layer: layer, True)])
    # "kernel" is the default of SGLang, and leaves the lists of slots as they are
    return HybridCacheController(allocator, group, page_size, None, threading.Event(), write_policy=mode, io_backend="kernel")


def controller_of(setup: Any, allocator: LoadingAllocator) -> Any:
    """Return the real controller over a host pool that reports to the checker's. Raises Missing."""
    host = host_pool_type()(setup.host_pool, allocator, SubmittedCopies(setup.copier))
    controller = controller_over(allocator, host, setup.page_size, setup.mode)
    counter = controller.layer_done_counter  # a forward pass waits for loads before there are four; here as many can be in flight as fit
    counter.num_counters = setup.pool.capacity // setup.page_size + 1
    counter.events = [type(counter.events[0])(counter.num_layers) for _ in range(counter.num_counters)]
    return controller


def attach(cache: Any, controller: Any, mode: str) -> None:
    """Give a cache its host tier: set what `init_hicache` sets."""
    from sglang.srt.mem_cache.unified_cache.component_type import ComponentType

    group = controller.mem_pool_host
    cache.cache_controller, cache.host_pool_group = controller, group
    cache.components[ComponentType.FULL]._full_kv_pool_host = group.anchor_entry.host_pool
    cache.tree_core.set_hicache_enabled()
    cache.write_through_threshold = THRESHOLDS[mode]
    cache.is_write_back = mode == "write_back"
    cache.load_back_threshold = 1


class Hosted(Unified):
    """The tree with a host tier, over any core."""

    allocator = LoadingAllocator

    def __init__(self, setup: Any) -> None:
        super().__init__(setup)
        check_version(self.version)
        from sglang.srt.mem_cache.unified_cache.component_type import ComponentType
        from sglang.srt.mem_cache.unified_cache.components import CacheTransferPhase

        self._full, self._load = ComponentType.FULL, CacheTransferPhase.LOAD_BACK
        self._controller: Any = None
        if setup.host_pool is not None:
            self._controller = controller_of(setup, self.cache.token_to_kv_pool_allocator)
            attach(self.cache, self._controller, setup.mode)

    def match_tiers(self, key: Key) -> Found:
        """Return both parts of the match."""
        found = self.cache.match_prefix(self._types.MatchPrefixParams(key=self._key(key)))
        return Found(self.path_slots(found.last_device_node), found.last_device_node, found.host_hit_length, found.best_match_node)

    def match(self, key: Key) -> tuple[list[int], Any]:
        """Return the device's part of the match."""
        return self.match_tiers(key)[:2]

    def resident(self, node: Any) -> bool:
        """Return whether the device has a node; it has the root."""
        return self._core.is_root(node) or not self._core.is_full_device_evicted(node)

    def path_slots(self, node: Any) -> list[int]:
        """Return the slots of a path, as an engine reads them."""
        slots: list[int] = self.cache.path_device_indices(node).tolist()
        return slots

    def insert(self, key: Key, slots: list[int], priority: int) -> int:
        """Insert a copy of the slots. What only the host had takes the caller's slots, so that it does not count as cached already."""
        import torch

        values = torch.tensor(slots, dtype=torch.int64)
        before = {"priority": priority, "prev_prefix_len": len(slots), "track_adopted_ranges": True}
        result = self.cache.insert(self._types.InsertParams(key=self._key(key), value=values, **before))
        adopted = (result.adopted_ranges or {}).get(self._full, ())
        self.cache.flush_pending_backups()
        return min(int(result.prefix_len), *(int(start) for start, _ in adopted), len(slots))

    def checkpoint(self, live: Any) -> None:
        """Call the cache's own `checkpoint`, and submit the backups."""
        super().checkpoint(live)
        self.cache.flush_pending_backups()

    def absent(self, node: Any) -> Absent:
        """Read the transfer of a load, as the engine's admission does, and lock and unlock the path to see what that protects."""
        if self._controller is None:
            return Absent(0, 0)
        tokens = len(self._core.build_hicache_transfers(self._full, node, self._load)[0].host_indices)
        before = self.cache.evictable_size()
        lock = self.cache.lock(node)
        kept = before - self.cache.evictable_size()
        self.cache.unlock(lock)
        return Absent(tokens, kept)

    def load_back(self, node: Any) -> int:
        """Load, and submit the load."""
        tokens = self.absent(node).tokens
        loaded = self.cache.load_back(node)
        self.cache.ready_to_load_host_cache()
        return tokens if loaded else 0

    def evict_host(self, tokens: int) -> int:
        """Return the tokens that the cache reports as evicted on the host."""
        return int(self.cache.evict_host(tokens)) if self._controller else 0

    def host_available(self) -> int:
        """Return the free tokens of SGLang's own host pool."""
        return int(self._controller.mem_pool_host.available_size()) if self._controller else 0

    def poll(self) -> None:
        """Let the cache reap its events."""
        if self._controller:
            self.cache.check_hicache_events()

    def flights(self) -> list[Copied]:
        """Return the copies of the events that are not reaped."""
        return sorted(copied for copied, _ in self._acknowledged_later())

    def _acknowledged_later(self) -> Iterator[tuple[Copied, Any]]:
        """Yield the copies in flight, each with the node that its acknowledgement names."""
        if self._controller is None:
            return
        for ack in (*self._controller.ack_write_queue, *self._controller.ack_load_queue):
            yield from zip(ack.finish_event.copies, ack.node_ids, strict=True)


MODES = ("write_through", "write_through_selective", "write_back")
LACKS = frozenset({"backup", "fail"})  # no call of it backs up a node, and no copy of its engine fails
CHOICES = {
    "copies to the host": "a hit is counted when a chunk of a request is first cached, so that it is backed up then",
    "host evictions in vain": "`_execute_kv_backup` evicts before it knows whether that suffices",
    "order of poll": "`check_hicache_events` reaps the acknowledgements at the head of a queue that are done",
    "batches of poll": "`merge_ops` makes one transfer of the copies that are submitted together",
    "host copies dropped": "`drive_host_eviction` reclaims duplicates first, unless SGLANG_HICACHE_SKIP_HOST_DUPLICATE_RECLAIM is set",
    "times of a split": "`_split_node` gives the lower half a new access time",
}


class PythonHost(Hosted, PythonCore):
    """The tree with the core in Python."""

    supports = Supports(
        policies=POLICIES, attributes=frozenset({"time", "creation", "hits", "priority"}), without=LACKS, choices=CHOICES, modes=MODES
    )

    def observe(self, requests: Any) -> Observation:
        """Return what the tree without a host shows, and the copies in flight."""
        self._pins = Counter(self._pinned())
        seen = super().observe(requests)
        copies = sorted(self._acknowledged_later())
        return seen._replace(copies=[self._seen_copy(copied, node) for copied, node in copies])

    def _seen(self, node: Any) -> SeenNode:
        full = node.component_data[self._full]
        on_device, on_host = (() if value is None else value for value in (full.value, full.host_value))
        pins = max(full.host_lock_ref, self._pins[node.id])
        return super()._seen(node)._replace(slots=on_device, host_slots=on_host, pins=pins)

    def _seen_copy(self, copied: Copied, aim: Any) -> SeenCopy:
        floor = self._span(aim, len(copied.targets))[-1].parent
        return SeenCopy(copied.up, self.locate(floor.id), aim, copied.sources, copied.targets)

    def _span(self, aim: Any, tokens: int) -> list[Any]:
        """Return the nodes of a copy of so many tokens that ends at a node, from there up."""
        node, nodes = self._core.node_by_id(aim), list[Any]()
        while tokens > 0:
            nodes.append(node)
            tokens -= len(node.key)
            node = node.parent
        return nodes

    def _pinned(self) -> Iterator[Any]:
        """Yield the nodes that loads pin.

        The cache pins the last node of a load: what lies above it is no host leaf then. Under write-back it marks all of them too, so that
        none is reclaimed as a duplicate.
        """
        for copied, aim in self._acknowledged_later():
            if not copied.up or not self._core.node_by_id(aim).component_data[self._full].host_lock_ref:
                continue
            for node in self._span(aim, len(copied.targets)):
                if not self.cache.is_write_back or node.load_back_pending_id == aim:
                    yield node.id


class RustHost(Hosted, RustCore):
    """The tree with the core in Rust."""

    supports = Supports(policies=POLICIES, without=LACKS, choices=CHOICES, modes=MODES)


def sglang_host_python(setup: Any) -> HostShim:
    """Return the unified cache of the installed SGLang with its host tier and its core in Python."""
    return HostShim(PythonHost(setup), setup.pool)


def sglang_host_rust(setup: Any) -> HostBlackBox:
    """Return the same with its core in Rust."""
    return HostBlackBox(RustHost(setup), setup.pool)
