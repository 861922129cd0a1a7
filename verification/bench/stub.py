"""A pool that costs next to nothing: a counter, with views of one buffer. What it hands out may have been handed out before."""

from __future__ import annotations

import torch
from torch import Tensor

BUFFER_MIN = 1 << 16  # slots


class Stub:
    """Stands in for our pool, and for the allocator of any other cache."""

    def __init__(self, capacity: int, page_size: int, rows: torch.dtype) -> None:
        self.capacity, self.page_size = capacity, page_size  # tokens
        self.device = torch.device("cpu")
        self.available = capacity
        self._size = 2 * max(capacity, BUFFER_MIN)
        self._buffer = torch.arange(self._size, dtype=rows)
        self._at = 0

    @property
    def nbytes(self) -> int:
        """Of the buffer."""
        return self._buffer.nbytes

    def available_size(self) -> int:
        """Free slots, as SGLang asks for them."""
        return self.available

    def alloc(self, tokens: int) -> Tensor:
        """The next so many. Raises MemoryError where there are fewer."""
        if tokens > self.available:
            raise MemoryError(f"{tokens} slots asked, {self.available} free")
        start = self._at if self._at + tokens <= self._size else 0
        self._at = start + tokens
        self.available -= tokens
        return self._buffer[start : self._at]

    def free(self, *parts: Tensor) -> None:
        """Count them."""
        for slots in parts:
            self.available += slots.numel()

    def free_segment(self, slots: Tensor, *, start_pos: int) -> None:
        """The same, of a part of a row."""
        self.available += slots.numel()

    def get_kvcache(self) -> None:
        """No tensors of keys and values belong to these slots."""
