"""Our cache with a host tier, through its public verbs, with all features, and its own copier. Only the store of KV is replaced."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from radixcheck.optimized import DevicePool, TieredCache
from radixcheck.optimized.kv_copier import KVCopier
from radixcheck.spec.values import Key
from radixcheck.verification.bench.drivers.optimized_driver import Optimized
from radixcheck.verification.bench.host_driver import Copied, HostDriver


class Unmoved:
    """A store in which no KV is: it counts what it is to move."""

    kernels = transfers = 0

    def __init__(self, copied: Copied, *sizes: int) -> None:
        self._copied = copied
        self.device, self.host = ([torch.zeros(1, 1).expand(size, 1)] for size in sizes)  # of any length, without memory

    def load(self, host_slots: Tensor, device_slots: Tensor) -> None:
        """Count a load."""
        self._copied.add(True, host_slots, device_slots)

    def backup(self, device_slots: Tensor, host_slots: Tensor) -> None:
        """Count backups."""
        self._copied.add(False, device_slots, host_slots)


class Handle(NamedTuple):
    """What a match has found. `found`: the result, while it has the slots of all that is on the device."""

    tokens: Any
    node: Any
    found: Any


class HostOptimized(HostDriver, Optimized):
    """The slots of what was loaded back are read by another match, which follows the path of the first."""

    _cache: TieredCache

    def __init__(self, pool: Any, host_pool: Any) -> None:
        super().__init__(pool, host_pool)
        sizes = (getattr(one, "numbers", one.capacity) for one in (pool, host_pool))  # a stub has more numbers than slots
        self._copier = KVCopier(Unmoved(self.copied, *sizes))
        self._cache = TieredCache(pool.page_size, "lru", pool, host_pool, self._copier, self.mode)

    @classmethod
    def real_host(cls, capacity: int, page_size: int) -> DevicePool:
        """Return the pool on the CPU."""
        return DevicePool(capacity, page_size)

    def host_available(self) -> int:
        """Return the counter of the cache."""
        return self._cache.host_available()

    def match(self, tokens: Any) -> tuple[int, Any]:
        """Match on both tiers."""
        found = self._cache.match(Key(tokens))
        return found.length, Handle(tokens, found.node, found)

    def behind(self, handle: Any) -> int:
        """Return what the match has counted."""
        return int(handle.found.host_length)

    def indices(self, handle: Any, length: int) -> Tensor:
        """Join the slots of the path."""
        slots: Tensor = (handle.found or self._cache.match(Key(handle.tokens))).slots
        return slots

    def lock(self, handle: Any) -> Any:
        """Lock the node. Return a receipt."""
        return self._cache.lock(handle.node)

    def load_back(self, handle: Any) -> tuple[int, Any]:
        """Load back. The cache makes room itself."""
        end = handle.found.host_node
        tokens = self._cache.load_back(end)
        return (tokens, Handle(handle.tokens, end, None)) if tokens else (0, handle)

    def flush(self) -> None:
        """Submit backups and loads."""
        self._copier.flush()

    def poll(self) -> None:
        """Look for tickets that are done."""
        self._cache.poll()

    def evict_host(self, tokens: int) -> None:
        """Evict from the host."""
        self._cache.evict_host(tokens)
