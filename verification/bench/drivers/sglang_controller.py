"""SGLang's real controller of copies under its unified cache, on a machine without a device (tested with 0.5.23).

`HybridCacheController`, `HostPoolGroup` and `HostKVCache` are the unmodified ones. Only what needs a device is replaced: the engine of
transfers, events and streams. Whoever passes the engine decides when a copy arrives: its events do.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from radixcheck.verification.remote.serve import Missing

PARTS = ("sglang.srt.managers.cache_controller", "sglang.srt.mem_cache.l2_transfer")  # modules that name a device


class Event:
    """An event that is complete from the start."""

    def __init__(self, **options: Any) -> None:
        pass

    def record(self, stream: Any = None) -> None:
        """Complete already."""

    def wait(self, stream: Any = None) -> None:
        """Complete already."""

    def synchronize(self) -> None:
        """Complete already."""

    def query(self) -> bool:
        """Return that it is complete."""
        return True


class Stream:
    """A stream with no work."""

    def wait_stream(self, other: Any) -> None:
        """There is nothing to wait for."""

    def synchronize(self) -> None:
        """There is nothing to wait for."""


class Device:
    """In place of the module of a device, as `torch.cuda`."""

    Event = Event
    Stream = Stream

    @staticmethod
    @contextmanager
    def stream(stream: Any) -> Iterator[None]:
        """Every stream is the same."""
        yield

    @staticmethod
    def current_stream() -> Any:
        """Every stream is the same."""
        return Stream()


class Completion(NamedTuple):
    """What an engine returns for one submission. The cache asks the second event whether the copy has arrived."""

    start_event: Any
    finish_event: Any
    timing_enabled: bool = False


class KV:
    """The keys and values of the device, without tensors."""

    device, layer_num, layout = "cpu", 1, "layer_first"

    def register_layer_transfer_counter(self, counter: Any) -> None:
        """No forward pass waits for layers."""


def host_pool_class() -> Any:
    """Return SGLang's `HostKVCache` without a buffer, which keeps the real account of slots. Raise Missing."""
    try:
        import torch
        from sglang.srt.mem_cache.pool_host.base import HostKVCache
    except ImportError as error:
        raise Missing(f"the installed SGLang has no host pool that can be imported: {error}") from error

    class HostSlots(HostKVCache):  # type: ignore[misc]
        """The slots of the host; nothing is stored in them."""

        def __init__(self, capacity: int, page_size: int) -> None:
            layers = {"start_layer": 0, "end_layer": 1, "size_per_token": 1, "dtype": torch.int8}
            sizes = {"device_capacity_tokens": 0, "host_to_device_ratio": 1, "host_size": 0, "host_token_capacity": capacity}
            where = {"layout": "layer_first", "pin_memory": False, "device": "cpu", "is_dummy": True}
            super().__init__(page_size=page_size, **layers, **sizes, **where)

    HostSlots.__abstractmethods__ = frozenset()  # of the methods that move bytes none is called
    return HostSlots


def attach(cache: Any, kv: Any, host: Any, mode: str, engine: Any) -> None:
    """Give a unified cache its host tier: what SGLang's `init_hicache` sets, with this host pool and this engine of transfers.

    Loads of any length are made; SGLang's own threshold is ten tokens. Raise Missing.
    """
    try:
        from importlib import import_module

        from sglang.srt.mem_cache.hicache_storage import PoolName
        from sglang.srt.mem_cache.hybrid_cache.hybrid_cache_controller import HybridCacheController
        from sglang.srt.mem_cache.pool_host.group import HostPoolGroup, PoolEntry
        from sglang.srt.mem_cache.unified_cache.component_type import ComponentType

        for name in PARTS:
            import_module(name).device_module = Device  # type: ignore[attr-defined]
    except ImportError as error:
        raise Missing(f"the installed SGLang has no controller of copies that can be imported: {error}") from error
    allocator = cache.token_to_kv_pool_allocator
    group = HostPoolGroup([PoolEntry(PoolName.KV, host, kv, lambda layer: layer, is_primary_index_anchor=True)])
    # "kernel" is the default of SGLang, and leaves the lists of slots as they are.
    controller = HybridCacheController(allocator, group, cache.page_size, None, threading.Event(), write_policy=mode, io_backend="kernel")
    controller.l2_transfer_engine = engine
    cache.host_pool_group = group
    cache.cache_controller = controller
    cache.components[ComponentType.FULL]._full_kv_pool_host = host
    cache.tree_core.set_hicache_enabled()
    cache.write_through_threshold = 1 if mode == "write_through" else 2
    cache.is_write_back = mode == "write_back"
    cache.load_back_threshold = 1
