"""A pool with negligible cost: a counter, and views of one buffer. Slots may be allocated again while they are in use."""

from __future__ import annotations

import torch
from torch import Tensor

BUFFER_MIN = 1 << 16  # slots


class Stub:
    """Replaces our pool, and the allocator of any other cache."""

    def __init__(self, capacity: int, page_size: int, rows: torch.dtype) -> None:
        self.capacity, self.page_size = capacity, page_size  # tokens
        self.device = torch.device("cpu")
        self.available = capacity
        self._size = 2 * max(capacity, BUFFER_MIN)
        self._buffer = torch.arange(self._size, dtype=rows)
        self._at = 0

    @property
    def nbytes(self) -> int:
        """Return the size of the buffer in bytes."""
        return self._buffer.nbytes

    def available_size(self) -> int:
        """Return the free slots, with the name that SGLang uses."""
        return self.available

    def alloc(self, tokens: int) -> Tensor:
        """Return the next slots. Raise MemoryError if there are too few."""
        if tokens > self.available:
            raise MemoryError(f"{tokens} slots requested, {self.available} free")
        start = self._at if self._at + tokens <= self._size else 0
        self._at = start + tokens
        self.available -= tokens
        return self._buffer[start : self._at]

    def free(self, *parts: Tensor) -> None:
        """Count the slots as free."""
        for slots in parts:
            self.available += slots.numel()

    def free_segment(self, slots: Tensor, *, start_pos: int) -> None:
        """Count the slots of a part of a row as free."""
        self.available += slots.numel()

    def get_kvcache(self) -> None:
        """Return None: there are no tensors of keys and values."""
