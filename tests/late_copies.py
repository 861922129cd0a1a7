"""A store whose transfers take place when the test says so, as on a device that is busy; and one that fails."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

from torch import Tensor

from radixcheck.optimized.kv_store import KVBuffers


class LateEvent:
    """All that was issued before it."""

    def __init__(self, late: "Late", count: int) -> None:
        self._late, self._count = late, count

    def query(self) -> bool:
        """Return whether it took place."""
        if self._late.broken is not None:
            raise self._late.broken
        return self._late.ran >= self._count

    def synchronize(self) -> None:
        """Let it take place."""
        self._late.advance(self._count)


class Late:
    """A store and its stream: transfers are recorded, and take place in order."""

    def __init__(self, store: KVBuffers) -> None:
        self.store = store
        self.device, self.host = store.device, store.host
        self.issued: list[Callable[[], None]] = []
        self.ran = 0
        self.used: list[Tensor] = []
        self.entered = 0
        self.broken: Exception | None = None  # what every question about events raises

    @property
    def kernels(self) -> int:
        """Of the store."""
        return self.store.kernels

    @property
    def transfers(self) -> int:
        """Of the store."""
        return self.store.transfers

    def load(self, host_slots: Tensor, device_slots: Tensor) -> None:
        """Record."""
        self.issued.append(lambda: self.store.load(host_slots, device_slots))

    def backup(self, device_slots: Tensor, host_slots: Tensor) -> None:
        """Record."""
        self.issued.append(lambda: self.store.backup(device_slots, host_slots))

    def advance(self, count: int) -> None:
        """Let the first transfers take place, this many altogether."""
        if self.broken is not None:
            raise self.broken
        while self.ran < count:
            self.ran += 1
            self.issued[self.ran - 1]()
            self.device[0].view(-1)[:1].tolist()  # returns when the device has done it

    def use(self, tensors: Iterable[Tensor]) -> None:
        """Record."""
        self.used += tensors

    def behind(self) -> AbstractContextManager[None]:
        """Count."""
        self.entered += 1
        return nullcontext()

    def record(self) -> LateEvent:
        """Return an event behind all that was issued."""
        return LateEvent(self, len(self.issued))

    def hold(self, event: LateEvent) -> None:
        """Let it take place: what the current stream does next happens at once."""
        event.synchronize()


class Failing(KVBuffers):
    """A store that raises `error` in the calls with these numbers, counted from 0."""

    error: Exception | None = None
    numbers: Sequence[int] = ()
    calls = 0

    def load(self, host_slots: Tensor, device_slots: Tensor) -> None:
        """Load, or fail."""
        self._count()
        super().load(host_slots, device_slots)

    def backup(self, device_slots: Tensor, host_slots: Tensor) -> None:
        """Back up, or fail."""
        self._count()
        super().backup(device_slots, host_slots)

    def _count(self) -> None:
        self.calls += 1
        if self.error is not None and self.calls - 1 in self.numbers:
            raise self.error
