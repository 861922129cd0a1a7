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

    def free(self, slots: Tensor) -> None:
        """Take whole pages back."""


class DevicePool:
    """A stack of free pages on the device; its height is known on the host, so that nothing is read back.

    The stack holds the first slot of each free page; `_starts[_height:]` is left over from pages handed out:

        [0, _height)           free; the last one goes first
        [_height, pages)       meaningless
    """

    def __init__(self, capacity: int, page_size: int, device: torch.device | str = "cpu") -> None:
        if page_size < 1 or capacity < 0 or capacity % page_size:
            raise ValueError(f"a capacity of {capacity} tokens is not made of whole pages of {page_size}")
        self.capacity = capacity
        self.page_size = page_size
        self.device = torch.device(device)
        self._starts = torch.arange(0, capacity, page_size, dtype=torch.int64, device=self.device)
        self._within_page = torch.arange(page_size, dtype=torch.int64, device=self.device)
        self._height = capacity // page_size

    @property
    def available(self) -> int:
        """Free slots, in tokens."""
        return self._height * self.page_size

    def alloc(self, tokens: int) -> Tensor:
        """`tokens` (a multiple of the page size) free slots, page by page, in a tensor of its own. Raises NoRoom."""
        pages, rest = divmod(tokens, self.page_size)
        if rest or pages < 0:
            raise BadAmount(f"{tokens} tokens are not whole pages of {self.page_size}")
        if pages > self._height:
            raise NoRoom(f"{tokens} tokens asked for, {self.available} free")
        below = self._height - pages
        slots = (self._starts[below : self._height].unsqueeze(1) + self._within_page).view(-1)
        self._height = below
        assert slots.numel() == tokens
        return slots

    def free(self, slots: Tensor) -> None:
        """Take whole pages back: every slot of each page, in order. Whether they were out is for a ledger to know."""
        pages, rest = divmod(slots.numel(), self.page_size)
        assert rest == 0, "a page comes back as a whole"
        above = self._height + pages
        assert above * self.page_size <= self.capacity, "more came back than was handed out"
        self._starts[self._height : above] = slots[:: self.page_size]
        self._height = above
