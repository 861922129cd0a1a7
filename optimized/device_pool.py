"""The slot pool on the device: which slots are free."""

from typing import Protocol

import torch
from torch import Tensor

from radixcheck.optimized.keys import INT64, check_slots
from radixcheck.spec.values import BadAmount, BadSlots, NoRoom, shown, to_amount, to_int


class Pool(Protocol):
    """What the cache needs of a pool: the checker passes one that records every call."""

    page_size: int
    capacity: int  # tokens
    device: torch.device

    @property
    def available(self) -> int:
        """Free slots, in tokens."""

    def alloc(self, tokens: int) -> Tensor:
        """Return `tokens` free slots, in whole pages: int64, one dimension, a storage of its own. Raises NoRoom."""

    def free(self, *parts: Tensor) -> None:
        """Take whole pages back; each part has some of them."""


def checked_page_size(page_size: object, pool: Pool, name: str = "pool") -> int:
    """Return a page size as an `int`. Raise ValueError unless it is an integer, and that of this pool."""
    number, of_pool = to_int(page_size, ValueError), getattr(pool, "page_size", None)
    if of_pool is None:
        raise ValueError(f"expected a {name} of slots, such as a DevicePool, found {shown(pool)}")
    if number != of_pool:
        raise ValueError(f"page size {number} over a {name} of pages of {of_pool}")
    return number


class DevicePool:
    """A stack of free slots on the device; its height is kept on the host, so that nothing is read from the device.

    The slots of a page are together and in order, so that one copy takes or gives any number of pages:

        [0, _height)           free; the last page is taken first
        [_height, capacity)    old values without meaning

    `capacity` and `page_size` are in tokens. Raises ValueError unless the capacity is a multiple of the page size.
    """

    def __init__(self, capacity: int, page_size: int, device: torch.device | str = "cpu") -> None:
        capacity, page_size = to_int(capacity, ValueError), to_int(page_size, ValueError)
        if page_size < 1 or capacity < 0 or capacity % page_size:
            raise ValueError(f"a capacity of {capacity} tokens is not made of whole pages of {page_size}")
        self.capacity = capacity
        self.page_size = page_size
        self._free = torch.arange(capacity, dtype=torch.int64, device=device)
        self.device = self._free.device
        self._height = capacity

    @property
    def available(self) -> int:
        """Free slots, in tokens."""
        return self._height

    def alloc(self, tokens: int) -> Tensor:
        """Return `tokens` free slots, page by page. Raises BadAmount unless these are whole pages, and NoRoom."""
        if type(tokens) is not int or tokens < 0:
            tokens = to_amount(tokens)
        if tokens % self.page_size:
            raise BadAmount(f"{shown(tokens)} tokens are not whole pages of {self.page_size}")
        below = self._height - tokens
        if below < 0:
            raise NoRoom(f"{shown(tokens)} tokens needed, {self._height} are free")
        slots = self._free.narrow_copy(0, below, tokens)
        self._height = below  # last: a copy that fails has changed nothing
        return slots

    def free(self, *parts: Tensor) -> None:
        """Take whole pages back: every slot of each page, in order. Raises BadSlots, freeing none.

        Does not check whether they were taken, where they are, nor, of several parts, the type of those that are converted without loss.
        """
        try:
            if len(parts) == 1:
                part = parts[0]
                tokens = part.numel()
                if part.dtype is not INT64 or part.ndim != 1:
                    check_slots(part, self.device)
            else:
                tokens = sum(map(Tensor.numel, parts))
        except (AttributeError, TypeError) as wrong:
            raise BadSlots(f"expected tensors, found {shown(parts)}") from wrong
        below, above = self._height, self._height + tokens
        assert tokens % self.page_size == 0, "pages are freed as a whole"
        assert above <= self.capacity, "more slots are free than there are"
        if len(parts) == 1:
            self._free[below:above] = part  # half a microsecond faster than `cat`, and most calls have one part
        elif parts:
            self._join(parts, below, above)
        self._height = above

    def _join(self, parts: tuple[Tensor, ...], below: int, above: int) -> None:
        try:
            torch.cat(parts, out=self._free[below:above])
        except (RuntimeError, TypeError):
            for part in parts:
                check_slots(part, self.device)
            raise
