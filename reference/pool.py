"""The slot pool: which slots are free.

Page k is the slots [k * page_size, (k + 1) * page_size). A pool takes and gives whole pages only.
"""

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from radixcheck.spec.values import BadAmount, BadSlots, NoRoom, NotYourSlot, shown, to_amount, to_int, to_ints


class Pool(Protocol):
    """What the cache needs of a pool: the checker passes one that records every call."""

    page_size: int
    capacity: int  # tokens

    @property
    def available(self) -> int:
        """Free slots, in tokens."""

    def alloc(self, tokens: int) -> list[int]:
        """Return free slots for a whole number of pages. Raises NoRoom."""

    def free(self, slots: Sequence[int]) -> None:
        """Take whole pages back."""


class SlotPool:
    """A queue of free pages: a page that is freed is handed out last."""

    def __init__(self, capacity: int, page_size: int) -> None:
        capacity, page_size = to_int(capacity, ValueError), to_int(page_size, ValueError)
        if page_size < 1 or capacity < 0 or capacity % page_size:
            raise ValueError(f"a capacity of {capacity} tokens is not a number of pages of {page_size}")
        self.page_size = page_size
        self.capacity = capacity
        self._free = deque(range(0, capacity, page_size))  # first slot of each free page
        self._taken: set[int] = set()  # first slot of each page handed out

    @property
    def available(self) -> int:
        """Free slots, in tokens."""
        return len(self._free) * self.page_size

    def alloc(self, tokens: int) -> list[int]:
        """Return free slots, page by page. Raises BadAmount for anything but whole pages, NoRoom if too few are free."""
        tokens = to_amount(tokens)
        if tokens % self.page_size:
            raise BadAmount(f"{shown(tokens)} tokens are not a number of pages of {self.page_size}")
        if tokens > self.available:
            raise NoRoom(f"{shown(tokens)} tokens needed, {self.available} are free")
        starts = [self._free.popleft() for _ in range(tokens // self.page_size)]
        self._taken.update(starts)
        return slots_of_pages(starts, self.page_size)

    def free(self, slots: Sequence[int]) -> None:
        """Take whole pages back. Raises BadSlots, and NotYourSlot, freeing none, if one of them was free already or is not whole."""
        starts = page_starts(to_ints(slots, BadSlots), self.page_size, self._taken)
        self._taken.difference_update(starts)
        self._free.extend(starts)
        assert len(self._free) + len(self._taken) == self.capacity // self.page_size, "every page is free or taken"


def slots_of_pages(starts: Sequence[int], page_size: int) -> list[int]:
    """Return every slot of the pages that begin at `starts`.

    >>> slots_of_pages([4, 0], 2)
    [4, 5, 0, 1]
    """
    return [slot for start in starts for slot in range(start, start + page_size)]


def page_starts(slots: Sequence[int], page_size: int, owned: set[int]) -> list[int]:
    """Return the first slot of each page that `slots` consists of.

    Raises NotYourSlot unless they are whole pages, each in order and given once, that begin at a slot of `owned`.

    >>> page_starts([4, 5, 0, 1], 2, {0, 2, 4})
    [4, 0]
    """
    starts = list(slots[::page_size])
    if slots_of_pages(starts, page_size) != list(slots):
        raise NotYourSlot(f"{list(slots)} are not whole pages of {page_size} slots")
    if len(set(starts)) < len(starts) or not owned.issuperset(starts):
        raise NotYourSlot(f"of the pages that begin at {starts}, one is given twice or is not the caller's")
    return starts
