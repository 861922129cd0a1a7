"""What callers of `alloc` own until they insert or free it.

In production the amount is counted, which costs nothing and is enough to refuse a reset. Which slots they are
stands on the device: `ListedLoans` reads it back, for checking modes.
"""

from typing import Protocol

from torch import Tensor

from radixcheck.spec.values import NotYourSlot


class Loans(Protocol):
    """The record of slots on loan."""

    outstanding: int  # tokens

    def lend(self, slots: Tensor) -> None:
        """These have been handed out."""

    def settle(self, slots: Tensor) -> None:
        """These are the caller's no longer. Raises NotYourSlot, and changes nothing, unless they are whole pages on loan."""


class CountedLoans:
    """Only the amount is known."""

    def __init__(self, page_size: int) -> None:
        self._page_size = page_size
        self.outstanding = 0

    def lend(self, slots: Tensor) -> None:
        """Count them."""
        self.outstanding += slots.numel()

    def settle(self, slots: Tensor) -> None:
        """Count them out. Raises NotYourSlot for a broken page, or for more than is on loan altogether."""
        tokens = slots.numel()
        if tokens % self._page_size:
            raise NotYourSlot(f"{tokens} slots are not whole pages of {self._page_size}")
        if tokens > self.outstanding:
            raise NotYourSlot(f"{tokens} slots given, {self.outstanding} on loan")
        self.outstanding -= tokens


class ListedLoans:
    """Every page on loan is known, at the price of reading slots back from the device."""

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
        """Strike their pages off. Raises NotYourSlot unless they are whole pages in order, each on loan and given once."""
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
