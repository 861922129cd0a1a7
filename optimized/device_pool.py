"""The one authority on which slots are free."""

from typing import Protocol

import torch
from torch import Tensor

from radixcheck.spec.values import BadAmount, NoRoom


class Pool(Protocol):
    """What the cache asks of its pool, so that one that keeps a ledger can stand in its place."""

    page_size: int
    capacity: int  # tokens
    device: torch.device

    @property
    def available(self) -> int:
        """Free slots, in tokens."""

    def alloc(self, tokens: int) -> Tensor:
        """`tokens` free slots, in whole pages; the tensor shares no storage with another."""

    def free(self, *parts: Tensor) -> None:
        """Take whole pages back, of which each part has some."""


class DevicePool:
    """A stack of free slots on the device; its height is known on the host, so that nothing is read back.

    Pages lie in it whole, each with its slots in order, so that one copy takes or gives as many as are asked for, whatever their size:

        [0, _height)           free; the last page goes first
        [_height, capacity)    left over from what was handed out: meaningless
    """

    def __init__(self, capacity: int, page_size: int, device: torch.device | str = "cpu") -> None:
        if page_size < 1 or capacity < 0 or capacity % page_size:
            raise ValueError(f"a capacity of {capacity} tokens is not made of whole pages of {page_size}")
        self.capacity = capacity
        self.page_size = page_size
        self.device = torch.device(device)
        self._free = torch.arange(capacity, dtype=torch.int64, device=self.device)
        self._height = capacity

    @property
    def available(self) -> int:
        """Free slots, in tokens."""
        return self._height

    def alloc(self, tokens: int) -> Tensor:
        """`tokens` (a multiple of the page size) free slots, page by page, in a tensor of its own. Raises NoRoom."""
        if tokens < 0 or tokens % self.page_size:
            raise BadAmount(f"{tokens} tokens are not whole pages of {self.page_size}")
        below = self._height - tokens
        if below < 0:
            raise NoRoom(f"{tokens} tokens asked for, {self._height} free")
        self._height = below
        return self._free.narrow_copy(0, below, tokens)

    def free(self, *parts: Tensor) -> None:
        """Take whole pages back: every slot of each page, in order. Whether they were out is for a ledger to know."""
        tokens = sum(map(Tensor.numel, parts))
        below, above = self._height, self._height + tokens
        assert tokens % self.page_size == 0, "a page comes back as a whole"
        assert above <= self.capacity, "more came back than was handed out"
        if len(parts) == 1:
            self._free[below:above] = parts[0]  # half a microsecond less than the next line, and most calls have one part
        else:
            torch.cat(parts, out=self._free[below:above])
        self._height = above
