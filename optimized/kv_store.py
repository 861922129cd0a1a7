"""The KV of all layers on two tiers, and its transfers between them.

The device has one tensor per layer, as the kernels of an engine need it. The host has the layers of a slot side by side:

    device[layer][slot]              one storage (layers, slots, item): a slot is in as many places as there are layers
    host[layer][slot]                one storage (host slots, layers, item), page-locked for CUDA: a slot is in one place
    staging                          (slots of a piece, layers, item), on the device, in the order of the host slots

So a page, and any run of consecutive host slots, is one block of the host's memory over all layers, and crosses between the tiers in one
transfer, also where the host is fragmented: a page of 16 slots of 32 layers of 4 KiB is 2 MiB. A layout with one part per layer would need
one transfer per layer and run, or a gather on the host, which costs the processor what the copy engine does beside it. The price is that
a forward pass waits for all layers of a load, not for the first alone.

What is scattered over the device is gathered there, by one kernel per piece for all layers. A batch larger than the staging buffer goes in
pieces, so its memory is bounded. Items are moved as words of up to 16 bytes: no kernel needs to know their dtype, and no bit changes.

>>> store = KVBuffers(layers=2, slots=8, host_slots=4, item=(3,), dtype=torch.float16)
>>> store.device[1][5] = torch.tensor([1.0, 2.0, 3.0])
>>> store.backup(torch.tensor([5]), torch.tensor([0]))
>>> store.load(torch.tensor([0]), torch.tensor([7]))
>>> store.host[1][0].tolist(), store.device[1][7].tolist(), store.device[0][7].tolist()
([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [0.0, 0.0, 0.0])
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Protocol

import torch
from torch import Tensor

from radixcheck.optimized.keys import INT64
from radixcheck.spec.values import shown, to_int

PIECE_BYTES = 64 << 20
WORDS = {16: torch.complex128, 8: torch.int64, 4: torch.int32, 2: torch.int16, 1: torch.uint8}  # by their bytes


class KVStore(Protocol):
    """What moves KV. Both calls only issue their work, in the current stream of the device, and count it."""

    @property
    def device(self) -> Sequence[Tensor]:
        """For each layer a tensor (slots, *item) on the device."""

    @property
    def host(self) -> Sequence[Tensor]:
        """For each layer a tensor (host slots, *item) on the CPU."""

    @property
    def kernels(self) -> int:
        """Launched on the device so far."""

    @property
    def transfers(self) -> int:
        """Between the tiers so far."""

    def load(self, host_slots: Tensor, device_slots: Tensor) -> None:
        """Copy from the host to the device, all layers: `host_slots[i]` to `device_slots[i]`."""

    def backup(self, device_slots: Tensor, host_slots: Tensor) -> None:
        """Copy from the device to the host, all layers: `device_slots[i]` to `host_slots[i]`."""


def check_move(store: KVStore, device_slots: Tensor, host_slots: Tensor) -> None:
    """Raise ValueError unless these are as many slots of both tiers, at least one. Reads the slots of the host only."""
    _check_row(device_slots, store.device[0].device)
    _check_row(host_slots, store.host[0].device)
    on_device, on_host = device_slots.numel(), host_slots.numel()
    if not 0 < on_device == on_host:
        raise ValueError(f"expected as many slots of the device as of the host, at least one, found {on_device} and {on_host}")
    lowest, highest, slots = int(host_slots.min()), int(host_slots.max()), store.host[0].shape[0]
    if lowest < 0 or highest >= slots:
        raise ValueError(f"expected slots of the host from 0 to {slots - 1}, found {lowest if lowest < 0 else highest}")


def _check_row(slots: Tensor, device: torch.device) -> None:
    if not isinstance(slots, Tensor) or slots.dtype is not INT64 or slots.ndim != 1 or slots.device != device:
        raise ValueError(f"expected slots as a tensor of int64, of one dimension, on {device}, found {shown(slots)}")


class KVBuffers:
    """A store that owns its memory, which is 0 at first. Calls share a staging buffer, so all must be made in one stream.

    `item` is the shape of what one slot holds in one layer; `piece_bytes` bounds the staging buffer. Raises ValueError for sizes that are
    not integers >= 1, and for a piece that does not hold one slot.
    """

    def __init__(
        self,
        layers: int,
        slots: int,
        host_slots: int,
        item: Sequence[int],
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
        piece_bytes: int = PIECE_BYTES,
    ) -> None:
        for name, size in (("layers", layers), ("slots", slots), ("host_slots", host_slots), *(("item", size) for size in item)):
            if to_int(size, ValueError) < 1:
                raise ValueError(f"expected {name} to be at least 1, found {shown(size)}")
        if not isinstance(dtype, torch.dtype):
            raise ValueError(f"expected a dtype of torch, found {shown(dtype)}")
        item_bytes = prod(item) * dtype.itemsize
        if piece_bytes < layers * item_bytes:
            raise ValueError(f"a piece of {piece_bytes} bytes does not hold a slot of {layers * item_bytes}")
        width = next(width for width in WORDS if item_bytes % width == 0)
        words, kind = item_bytes // width, WORDS[width]
        on_device = torch.zeros(layers, slots, words, dtype=kind, device=device)
        pinned = on_device.device.type == "cuda"
        # torch rounds page-locked memory up to a power of two: choose `host_slots` so that little is lost.
        self._host = torch.zeros(host_slots, layers, words, dtype=kind, device="cpu", pin_memory=pinned)
        self._rows = on_device.view(layers * slots, words)
        self._firsts = torch.arange(0, layers * slots, slots, device=device)  # the row of each layer's slot 0
        self._staging: Tensor | None = None  # made by the first transfer, in the stream that uses it
        self._piece = min(piece_bytes // (layers * item_bytes), max(slots, host_slots))  # slots
        self.device = [_typed(layer, dtype, item) for layer in on_device.unbind(0)]
        self.host = [_typed(layer, dtype, item) for layer in self._host.unbind(1)]
        self.kernels = self.transfers = 0

    def load(self, host_slots: Tensor, device_slots: Tensor) -> None:
        """Transfer each run of the host, then scatter. Raises ValueError."""
        check_move(self, device_slots, host_slots)
        for rows, staged, runs in self._pieces(device_slots, host_slots):
            for first, start, end in runs:
                staged[start:end].copy_(self._host[first : first + end - start], non_blocking=True)
            self._rows.index_copy_(0, rows, staged.view(len(rows), -1))
            self.kernels += 1

    def backup(self, device_slots: Tensor, host_slots: Tensor) -> None:
        """Gather, then transfer each run of the host. Raises ValueError."""
        check_move(self, device_slots, host_slots)
        for rows, staged, runs in self._pieces(device_slots, host_slots):
            torch.index_select(self._rows, 0, rows, out=staged.view(len(rows), -1))
            self.kernels += 1
            for first, start, end in runs:
                self._host[first : first + end - start].copy_(staged[start:end], non_blocking=True)

    def _pieces(self, device_slots: Tensor, host_slots: Tensor) -> Iterator[tuple[Tensor, Tensor, list[tuple[int, int, int]]]]:
        """Return, for each piece, the rows of its slots and layers on the device, its part of the staging buffer, and its runs.

        The next piece writes into the same buffer: the stream keeps the order.
        """
        if self._staging is None:
            self._staging = self._rows.new_empty(self._piece, len(self.device), self._rows.shape[1])
        for start in range(0, len(host_slots), self._piece):
            host_part = host_slots[start : start + self._piece]
            rows = torch.add(device_slots[start : start + self._piece].unsqueeze(1), self._firsts).view(-1)
            self.kernels += 1
            runs = runs_of(host_part)
            self.transfers += len(runs)
            yield rows, self._staging[: len(host_part)], runs


def runs_of(slots: Tensor) -> list[tuple[int, int, int]]:
    """Return the runs of consecutive slots in a tensor on the CPU: the first slot, and where the run starts and ends.

    >>> runs_of(torch.tensor([4, 5, 6, 0, 1, 7]))
    [(4, 0, 3), (0, 3, 5), (7, 5, 6)]
    """
    breaks = (slots.diff() != 1).nonzero().view(-1).add_(1)
    bounds = [0, *breaks.tolist(), len(slots)]
    firsts = slots[bounds[:-1]].tolist()
    return [(first, bounds[i], bounds[i + 1]) for i, first in enumerate(firsts)]


def _typed(words: Tensor, dtype: torch.dtype, item: Sequence[int]) -> Tensor:
    """Return a view of (slots, words) as (slots, *item)."""
    return words.view(dtype).view(len(words), *item)
