"""SGLang's unified cache with its host tier and its real controller of copies, over both of its cores, called as its scheduler does.

After each batch the scheduler submits the queued copies, and before each one the cache learns which have arrived. A load is the cache's
own `load_back`; the locks that the scheduler takes around it are left out, in favour of the cache.
"""

from typing import Any, NamedTuple

from torch import Tensor

from radixcheck.verification.bench.driver import Stub
from radixcheck.verification.bench.drivers.sglang_driver import Current, UnifiedPython, UnifiedRust, allocator
from radixcheck.verification.bench.host_driver import Copied, HostDriver
from radixcheck.verification.remote.serve import Missing
from radixcheck.verification.subjects.sglang_host import attach, controller_over
from radixcheck.verification.subjects.sglang_transfers import CopyEvent, DeviceKV, host_slots_type


class Completion(NamedTuple):
    """What the engine returns for one submission. The cache asks the second event whether the copy has arrived."""

    start_event: CopyEvent
    finish_event: CopyEvent
    timing_enabled: bool = False


class DeviceStub(Stub):
    """A pool with negligible cost and the methods that the controller calls."""

    kv = DeviceKV()

    def get_kvcache(self) -> Any:
        """Return keys and values without tensors."""
        return self.kv

    def set_hicache_transfer_done_event(self, transfer: Any, event: Any) -> None:
        """Nothing is moved in the pool."""

    def mamba_full_cache_donor(self) -> None:
        """Return None: all slots are for attention."""


class Engine:
    """The engine of transfers: it counts, and every copy has arrived."""

    def __init__(self, copied: Copied) -> None:
        self._copied = copied
        self.device_to_host_stream = self.host_to_device_stream = None

    def submit_device_to_host(self, transfers: list[Any]) -> Completion:
        """Submit backups."""
        for one in transfers:
            self._copied.add(False, one.device_indices, one.host_indices)
        return Completion(CopyEvent(), CopyEvent())

    def submit_host_to_device(self, transfers: list[Any], **options: Any) -> Completion:
        """Submit loads."""
        for one in transfers:
            self._copied.add(True, one.host_indices, one.device_indices)
        return Completion(CopyEvent(), CopyEvent())


class UnifiedHost(HostDriver, Current):
    """Handles: the node on the device, the node at the end, how many tokens the host has between them."""

    def __init__(self, pool: Any, host_pool: Any) -> None:
        super().__init__(pool, host_pool)
        controller = controller_over(pool, host_pool, pool.page_size, self.mode)
        controller.l2_transfer_engine = Engine(self.copied)
        attach(self._cache, controller, self.mode)

    @classmethod
    def stub(cls, capacity: int, page_size: int) -> Stub:
        """Return a stub that the controller accepts."""
        return DeviceStub(capacity, page_size, cls.rows)

    @classmethod
    def real(cls, capacity: int, page_size: int) -> Any:
        """Return the allocator of the installed SGLang."""
        return allocator(capacity, page_size, DeviceKV())

    @classmethod
    def real_host(cls, capacity: int, page_size: int) -> Any:
        """Return the host pool of the installed SGLang."""
        try:
            return host_slots_type()(capacity, page_size)
        except ImportError as error:
            raise Missing(f"the installed SGLang has no host pool that can be imported: {error}") from error

    @classmethod
    def stub_host(cls, capacity: int, page_size: int) -> Any:
        """Return that host pool with the account of the stub in place of its own."""
        pool, stub = cls.real_host(capacity, page_size), Stub(capacity, page_size, cls.rows)
        pool.alloc = lambda tokens: stub.alloc(tokens) if tokens <= stub.available else None
        pool.free = stub.free
        pool.available_size = stub.available_size
        return pool

    def match(self, tokens: Any) -> tuple[int, Any]:
        """Match on both tiers, with a new key object in each call."""
        found = self._cache.match_prefix(self._match(key=self._key(tokens)))
        return found.device_prefix_len, (found.last_device_node, found.best_match_node, found.host_hit_length)

    def behind(self, handle: Any) -> int:
        """Return what the match has counted."""
        return int(handle[2])

    def indices(self, handle: Any, length: int) -> Tensor:
        """Read the slots from the path."""
        return super().indices(handle[0], length)

    def lock(self, handle: Any) -> Any:
        """Lock for one holder."""
        return super().lock(handle[0])

    def load_back(self, handle: Any) -> tuple[int, Any]:
        """Load back. The cache makes room itself."""
        _, end, tokens = handle
        return (tokens, (end, end, 0)) if self._cache.load_back(end) else (0, handle)

    def flush(self) -> None:
        """Submit backups and loads."""
        self._cache.flush_pending_backups()
        self._cache.ready_to_load_host_cache()

    def poll(self) -> None:
        """Look for events that are complete."""
        self._cache.check_hicache_events()

    def evict_host(self, tokens: int) -> None:
        """Evict from the host."""
        self._cache.evict_host(tokens)


class HostPython(UnifiedHost, UnifiedPython):
    """Core in Python."""


class HostRust(UnifiedHost, UnifiedRust):
    """Core in Rust."""
