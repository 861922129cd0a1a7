"""What replaces the device of SGLang's host tier: events and streams of no device, an allocator, and a host pool without bytes.

The engine of transfers, the controller above it and the bookkeeping of host slots are SGLang's own. A transfer that the engine submits is
given to the checker's copier, node by node, and an event is done when the copies of its submission are done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import count
from types import new_class
from typing import Any, ClassVar, NamedTuple

from radixcheck.verification.remote.serve import NoRoom, Pool
from radixcheck.verification.subjects.sglang import Allocator


class Copied(NamedTuple):
    """One copy that was submitted."""

    number: int  # in the order of submission
    up: bool  # from the host to the device
    sources: list[int]  # slots
    targets: list[int]
    ticket: Any


class CopyStream:
    """Copies are submitted on a stream. It knows those of the current submission."""

    def __init__(self) -> None:
        self.copies: list[Copied] = []

    def wait_stream(self, stream: Any) -> None:
        """Nothing else runs on a stream."""

    def synchronize(self) -> None:
        """Return when the copies of the current submission are done."""
        for copied in self.copies:
            copied.ticket.wait()


class CopyEvent:
    """Done when the copies are done that were submitted before it was recorded."""

    def __init__(self, **options: Any) -> None:
        self.copies: tuple[Copied, ...] = ()

    def record(self, stream: Any = None) -> None:
        """Stand for the copies of the current submission."""
        self.copies = tuple(Device.current.copies)

    def wait(self, stream: Any = None) -> None:
        """Nothing runs on a stream that could wait."""

    def query(self) -> bool:
        """Return whether it is done."""
        return all(copied.ticket.done for copied in self.copies)

    def synchronize(self) -> None:
        """Return when it is done."""
        for copied in self.copies:
            copied.ticket.wait()


class Device:
    """Replaces the module of a device, such as `torch.cuda`."""

    Event, Stream = CopyEvent, CopyStream
    current: ClassVar[CopyStream] = CopyStream()

    @staticmethod
    @contextmanager
    def stream(stream: CopyStream) -> Iterator[None]:
        """Make a stream the current one for a submission."""
        before, Device.current, stream.copies = Device.current, stream, []
        try:
            yield
        finally:
            Device.current = before

    @staticmethod
    def current_stream() -> CopyStream:
        """Return the current stream."""
        return Device.current


class LoadingAllocator(Allocator):
    """The checker's device pool as the allocator of a controller, which allocates for each load."""

    def __init__(self, pool: Pool) -> None:
        super().__init__(pool)
        self.sizes: list[int] = []  # of the allocations for loads that are not submitted
        self._kv = DeviceKV()

    def alloc(self, tokens: int) -> Any:
        """Return slots for a load; None if there is no room."""
        import torch

        try:
            slots = self.pool.alloc(tokens)
        except NoRoom:
            return None
        self.sizes.append(tokens)
        return torch.tensor(slots, dtype=torch.int64)

    def get_kvcache(self) -> Any:
        """Return the pool of keys and values."""
        return self._kv

    def mamba_full_cache_donor(self) -> None:
        """There are no pools of other kinds."""

    def set_hicache_transfer_done_event(self, key: Any, event: Any) -> None:
        """Slots are never moved, so nothing waits for this event."""


class DeviceKV:
    """The device's keys and values: one layer, and no bytes."""

    device, layer_num = "cpu", 1

    def register_layer_transfer_counter(self, counter: Any) -> None:
        """There is no forward pass that waits for a layer."""


class SubmittedCopies:
    """Gives each copy of a submission to the checker's copier. A submission is cut into the allocations that it was made for."""

    def __init__(self, copier: Any) -> None:
        self._copier, self._numbers = copier, count()

    def __call__(self, up: bool, sources: list[int], targets: list[int], sizes: list[int]) -> None:
        """Submit copies on the current stream; forgets the sizes."""
        assert sum(sizes) == len(sources), "a transfer is submitted as it was allocated"
        begin = 0
        for size in sizes:
            part = slice(begin, begin + size)
            ticket = self._copier.copy(up, sources[part], targets[part])
            Device.current.copies.append(Copied(next(self._numbers), up, sources[part], targets[part], ticket))
            begin += size
        sizes.clear()


class HostSlots:
    """What is put before SGLang's bookkeeping of host slots: there are no bytes."""

    def __init__(self, capacity: int, page_size: int) -> None:
        import torch

        above: Any = super()
        layout = {"dtype": torch.int8, "size_per_token": 1, "start_layer": 0, "end_layer": 1, "layout": "layer_first"}
        sizes = {"device_capacity_tokens": 0, "host_to_device_ratio": 1.0, "host_size": 0, "host_token_capacity": capacity}
        above.__init__(**layout, **sizes, page_size=page_size, pin_memory=False, device="cpu", is_dummy=True)

    def get_size_per_token(self) -> int:
        """Return a size of which nothing depends."""
        return 1

    def _no_bytes(self, *arguments: Any, **options: Any) -> Any:
        raise NotImplementedError("this pool has no bytes")

    init_kv_buffer = get_data_page = get_dummy_flat_data_page = set_from_flat_data_page = _no_bytes
    backup_from_device_all_layer: Any = _no_bytes
    load_to_device_per_layer: Any = _no_bytes


class HostPool(HostSlots):
    """The same for the checker: it reports to the checker's pool what is handed out, and gives the copies to its copier."""

    slot_used: Any

    def __init__(self, watched: Any, allocator: LoadingAllocator, copies: SubmittedCopies) -> None:
        self.watched, self._allocator, self._copies = watched, allocator, copies
        self.sizes: list[int] = []  # of the allocations for backups that are not submitted
        super().__init__(watched.capacity, watched.page_size)

    def alloc(self, tokens: int) -> Any:
        """Return slots for a backup; None if there is no room."""
        above: Any = super()
        slots = above.alloc(tokens)
        if slots is not None:
            self.watched.note_alloc(slots.tolist())
            self.sizes.append(tokens)
        return slots

    def free(self, slots: Any) -> int:
        """Take slots back."""
        above: Any = super()
        self.watched.note_free(slots.tolist())
        return int(above.free(slots))

    def clear(self) -> None:
        """Take all slots back."""
        above: Any = super()
        used = self.slot_used.nonzero().flatten().tolist() if hasattr(self, "slot_used") else []
        if used:
            self.watched.note_free(used)
        above.clear()

    def backup_from_device_all_layer(self, device_pool: Any, host: Any, device: Any, io_backend: str) -> None:
        """Copy to the host."""
        self._copies(False, device.tolist(), host.tolist(), self.sizes)

    def load_to_device_per_layer(self, device_pool: Any, host: Any, device: Any, *layer: Any, is_draft: bool = False) -> None:
        """Copy to the device: there is one layer."""
        self._copies(True, host.tolist(), device.tolist(), self._allocator.sizes)


@cache
def host_slots_type() -> Callable[..., Any]:
    """Return SGLang's bookkeeping of host slots."""
    from sglang.srt.mem_cache.pool_host.base import HostKVCache

    return new_class("BareHostPool", (HostSlots, HostKVCache))


@cache
def host_pool_type() -> Callable[..., Any]:
    """Return SGLang's bookkeeping of host slots, as a pool for the checker."""
    from sglang.srt.mem_cache.pool_host.base import HostKVCache

    return new_class("ReportedHostPool", (HostPool, HostKVCache))
