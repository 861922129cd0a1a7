"""The copier of a cache with a host tier: it queues copies, and issues all that are queued in one batch, beside the computation.

    copy     queues; nothing is issued
    flush    issues one batch: one gather or scatter and one transfer per direction (`kv_store.py` has the exceptions), on a stream of
             its own, behind what the current stream has been given so far: backups read the KV that a forward pass has just written
    poll     of the cache asks the tickets: each asks the event of its batch, and does not wait

Order in a batch. Loads go first, because a request waits for them and for no backup. That is the order of the queue wherever it matters:

    load h -> d, then backup d -> t          right: the backup reads what was loaded
    load h -> d, then backup e -> h          right: h is read before it is written
    backup d -> t, then load t -> e          not independent
    two backups to t                         not independent

Whether a batch is independent is known on the CPU, where the host's slots are: nothing is read from the device. A batch that is not
independent is issued copy by copy, in the order of the queue. Of a device slot only what breaks the contract of `Copier` is left: a copy
that writes what an earlier one, not done yet, reads or writes too. Batches are issued on one stream, so they never overtake each other.

A transfer that raises fails its copies, and those of the batch that come behind it: they may have needed it. A copy of which a part was
issued is done only when that part is, because until then the device may write its targets.

Lifetime: the stream of the copies is recorded for the tensors that it uses (`record_stream`), so that their memory is not used again
before it is done. Slots of the host are read when the batch is issued. A tensor of slots must not be changed after `copy`.

>>> from radixcheck.optimized.kv_store import KVBuffers
>>> store = KVBuffers(layers=1, slots=4, host_slots=4, item=(), dtype=torch.int64)
>>> store.device[0][:] = torch.tensor([10, 11, 12, 13])
>>> copier = KVCopier(store)
>>> ticket = copier.copy(False, torch.tensor([2, 3]), torch.tensor([0, 1]))
>>> ticket.done, copier.flush(), ticket.done, ticket.failed
(False, 1, True, False)
>>> copier.copy(True, torch.tensor([1]), torch.tensor([0])).wait()
>>> store.device[0].tolist()
[13, 11, 12, 13]
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from radixcheck.optimized.keys import INT64
from radixcheck.optimized.kv_store import KVStore, check_move


class Event(Protocol):
    """A point in a stream (`torch.cuda.Event`)."""

    def query(self) -> bool:
        """Return whether all work before it is done, without waiting. Raises RuntimeError where that work has failed."""

    def synchronize(self) -> None:
        """Return when all work before it is done. Raises RuntimeError where it has failed."""


MadeEvent = TypeVar("MadeEvent", bound=Event)


class CopyStream(Protocol[MadeEvent]):
    """Where copies are issued."""

    def use(self, tensors: Iterable[Tensor]) -> None:
        """Keep the memory of these tensors, should they be freed, until what is issued by then is done."""

    def behind(self) -> AbstractContextManager[None]:
        """Return a context whose work comes behind what the current stream has been given so far."""

    def record(self) -> MadeEvent:
        """Return an event behind all that was issued."""

    def hold(self, event: MadeEvent) -> None:
        """Let the current stream wait for an event, on the device."""


class HostStream:
    """For the CPU, where work is done when it is issued: it is its own event."""

    def use(self, tensors: Iterable[Tensor]) -> None:
        """Do nothing."""

    def behind(self) -> AbstractContextManager[None]:
        """Return a context that does nothing."""
        return nullcontext()

    def record(self) -> "HostStream":
        """Return itself."""
        return self

    def query(self) -> bool:
        """Return True."""
        return True

    def synchronize(self) -> None:
        """Return at once."""

    def hold(self, event: "HostStream") -> None:
        """Return at once."""


class CudaStream:
    """A CUDA stream of its own."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def use(self, tensors: Iterable[Tensor]) -> None:
        """Record the stream for them."""
        for tensor in tensors:
            tensor.record_stream(self._stream)

    def behind(self) -> AbstractContextManager[None]:
        """Let it wait for the current stream, and return a context in which it is the current one."""
        self._stream.wait_stream(torch.cuda.current_stream(self._device))
        context: AbstractContextManager[None] = torch.cuda.stream(self._stream)
        return context

    def record(self) -> torch.cuda.Event:
        """Return an event behind all that was issued."""
        event: torch.cuda.Event = self._stream.record_event()
        return event

    def hold(self, event: torch.cuda.Event) -> None:
        """Let the current stream of its device wait, which need not be the current device."""
        torch.cuda.current_stream(self._device).wait_event(event)


class KVTicket:
    """One copy. It is queued until its copier is flushed, or a caller waits for it."""

    def __init__(self, copier: "KVCopier", up: bool, device_slots: Tensor, host_slots: Tensor) -> None:
        self.up = up
        self.error: Exception | None = None  # why it has failed, or will when it is done
        self._copier = copier
        self.device_slots, self.host_slots = device_slots, host_slots
        self._is_queued = True
        self._event: Event | None = None  # while it is in flight

    @property
    def done(self) -> bool:
        """Whether it has arrived or failed; asks the device without waiting."""
        if self._event is not None:
            try:
                if self._event.query():
                    self._event = None
            except RuntimeError as wrong:
                self.issued(None, wrong)
        return not self._is_queued and self._event is None

    @property
    def failed(self) -> bool:
        """Whether it has failed: its targets hold nothing that may be read. `error` is the reason."""
        return self.done and self.error is not None

    def wait(self) -> None:
        """Issue it if it is queued, and return when it is done."""
        if self._is_queued:
            self._copier.flush()
        if self._event is not None:
            try:
                self._event.synchronize()
            except RuntimeError as wrong:
                self.error = wrong
            self._event = None

    def wait_on_device(self) -> bool:
        """Issue it if it is queued, and let the current stream wait for it: for a forward pass that reads its targets. The host goes on.

        Return False if it could not be issued, or has failed: then the targets are not filled.
        """
        if self._is_queued:
            self._copier.flush()
        if self._event is not None:
            self._copier.stream.hold(self._event)
        return self.error is None

    def issued(self, event: Event | None, error: Exception | None) -> None:
        """Record, for its copier, the event that it is done with, or that it has failed."""
        self._is_queued, self._event, self.error = False, event, error


class KVCopier:
    """A copier (`radixcheck.spec.values.Copier`) over a store, for one thread. `stream` is for tests: by default the device decides."""

    def __init__(self, store: KVStore, stream: CopyStream[Any] | None = None) -> None:
        self.store = store
        self._device = store.device[0].device
        if stream is None:
            stream = CudaStream(self._device) if self._device.type == "cuda" else HostStream()
        self.stream: CopyStream[Any] = stream
        self.stream.use(store.device)
        self._queued: list[KVTicket] = []
        self._joins = 0
        # Which slot of which backup has written a host slot, as a number that grows; compared, never reset.
        self._writer = torch.zeros(len(store.host[0]), dtype=INT64, device="cpu")
        self._written = 1

    @property
    def launches(self) -> int:
        """Kernels and transfers so far."""
        return self.store.kernels + self.store.transfers + self._joins

    def copy(self, up: bool, sources: Tensor | Sequence[int], targets: Tensor | Sequence[int]) -> KVTicket:
        """Queue a copy from the host to the device (`up`) or back, of all layers: `sources[i]` to `targets[i]`. Raises ValueError.

        Slots of the device are on the device, those of the host on the CPU. Sequences of integers are copied there.
        """
        device_slots, host_slots = (targets, sources) if up else (sources, targets)
        device_row, host_row = _row(device_slots, self._device), _row(host_slots, self._writer.device)
        check_move(self.store, device_row, host_row)
        ticket = KVTicket(self, up, device_row, host_row)
        self._queued.append(ticket)
        return ticket

    def flush(self) -> int:
        """Issue all that is queued; return the number of copies. Waits for nothing. A copy that cannot be issued has failed."""
        queued, self._queued = self._queued, []
        loads, backups = [ticket for ticket in queued if ticket.up], [ticket for ticket in queued if not ticket.up]
        are_independent = self._are_independent(loads, backups)
        error: Exception | None = None
        for batch in (loads, backups) if are_independent else [[ticket] for ticket in queued]:
            error = self._issue(batch, error) if batch else error
        return len(queued)

    def _are_independent(self, loads: list[KVTicket], backups: list[KVTicket]) -> bool:
        """Return whether no backup writes what another one writes or a load reads."""
        if not backups or len(backups) + len(loads) == 1:
            return True
        targets = _host_row(backups)
        first, self._written = self._written, self._written + targets.numel()
        numbers = torch.arange(first, self._written, device="cpu")
        self._writer.index_copy_(0, targets, numbers)
        if not torch.equal(self._writer.index_select(0, targets), numbers):
            return False
        return not loads or int(self._writer.index_select(0, _host_row(loads)).max()) < first

    def _issue(self, batch: list[KVTicket], error: Exception | None) -> Exception | None:
        """Issue copies of one direction, unless something before them has failed; return the error if there is one now."""
        if error is None:
            try:
                with self.stream.behind():
                    self._move(batch)
            except Exception as wrong:  # of the device, or of a store: no ticket may be lost
                error = wrong
        event: Event | None = None
        try:
            event = self.stream.record()  # also behind what was issued before an error: it still writes
        except RuntimeError as wrong:
            error = error or wrong
        for ticket in batch:
            ticket.issued(event, error)
        return error

    def _move(self, batch: list[KVTicket]) -> None:
        """Join the copies, in the order of the host's slots, so that runs of the host go on from one copy to the next."""
        if len(batch) > 1:
            batch = sorted(batch, key=lambda ticket: int(ticket.host_slots[0]))
        self.stream.use(ticket.device_slots for ticket in batch)
        device_slots, host_slots = batch[0].device_slots, _host_row(batch)
        if len(batch) > 1:
            device_slots = torch.cat([ticket.device_slots for ticket in batch])
            self._joins += 1
        if batch[0].up:
            self.store.load(host_slots, device_slots)
        else:
            self.store.backup(device_slots, host_slots)


def _host_row(batch: Sequence[KVTicket]) -> Tensor:
    """Return the slots on the host of at least one copy."""
    return batch[0].host_slots if len(batch) == 1 else torch.cat([ticket.host_slots for ticket in batch])


def _row(slots: Tensor | Sequence[int], device: torch.device) -> Tensor:
    return slots if isinstance(slots, Tensor) else torch.tensor(slots, dtype=INT64, device=device)
