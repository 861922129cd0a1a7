"""Loans: the slots that callers of `alloc` own until they insert or free them.

In production only their number is counted, which costs nothing and is enough to refuse a reset. Which slots they are
is known only on the device: `ListedLoans` reads them back, for checking modes.
"""

from typing import Protocol

from torch import Tensor

from radixcheck.spec.values import NotYourSlot


class Loans(Protocol):
    """The record of slots on loan."""

    outstanding: int  # tokens

    def lend(self, slots: Tensor) -> None:
        """Record that these were handed out."""

    def settle(self, slots: Tensor) -> None:
        """Record that the caller no longer owns these. Raises NotYourSlot, and changes nothing, unless they are whole pages on loan."""


class CountedLoans:
    """Only the number of slots is known. `page_size` is in tokens."""

    def __init__(self, page_size: int) -> None:
        self._page_size = page_size
        self.outstanding = 0

    def lend(self, slots: Tensor) -> None:
        """Count them."""
        self.outstanding += slots.numel()

    def settle(self, slots: Tensor) -> None:
        """Subtract them. Raises NotYourSlot for an incomplete page, or for more slots than are on loan altogether."""
        tokens = slots.numel()
        if tokens % self._page_size:
            raise NotYourSlot(f"{tokens} slots are not whole pages of {self._page_size}")
        if tokens > self.outstanding:
            raise NotYourSlot(f"{tokens} slots given, {self.outstanding} on loan")
        self.outstanding -= tokens


class ListedLoans:
    """Every page on loan is known; this reads slots back from the device. `page_size` is in tokens."""

    def __init__(self, page_size: int) -> None:
        self._page_size = page_size
        self._starts: set[int] = set()  # first slot of each page
        self.outstanding = 0

    def lend(self, slots: Tensor) -> None:
        """List their pages."""
        starts = self._starts_of(slots)
        assert self._starts.isdisjoint(starts), "the pool handed a page out twice"
        self._starts.update(starts)
        self.outstanding += slots.numel()

    def settle(self, slots: Tensor) -> None:
        """Remove their pages. Raises NotYourSlot unless they are whole pages in order, each on loan and given once."""
        size = self._page_size
        starts = self._starts_of(slots)
        if slots.tolist() != [start + i for start in starts for i in range(size)]:
            raise NotYourSlot("these slots are not whole pages in order")
        if len(set(starts)) < len(starts) or not self._starts.issuperset(starts):
            raise NotYourSlot("a page is not on loan, or given twice")
        self._starts.difference_update(starts)
        self.outstanding -= slots.numel()
        assert self.outstanding == len(self._starts) * self._page_size

    def _starts_of(self, slots: Tensor) -> list[int]:
        starts: list[int] = slots[:: self._page_size].tolist()
        return starts
