"""The instrumented slot pool, which a cache uses as its allocator. It records every double free and every leak."""

from collections.abc import Iterable, Sequence
from itertools import chain

from radixcheck.spec.values import NoRoom
from radixcheck.verification.core.found import Violation


def slots_of(pages: Iterable[int], page_size: int) -> list[int]:
    """Return every slot of these pages, in order.

    >>> slots_of((3, 0), 2)
    [6, 7, 0, 1]
    """
    first = [page * page_size for page in pages]
    return list(chain.from_iterable(map(range, first, [slot + page_size for slot in first])))


class WatchedPool:
    """A slot pool that records the pages allocated and freed in the current operation. Pages freed last are allocated first.

    So a stale slot is soon reused. A cache with a pool of its own calls `note_alloc` and `note_free` instead.
    """

    partition = "SLOT_PARTITION"  # the property that a page in two places breaks
    what = "page"

    def __init__(self, capacity: int, page_size: int) -> None:
        self.capacity = capacity
        self.page_size = page_size
        self.out = bytearray(capacity // page_size)  # 1: in use
        self.allocated: list[int] = []  # pages, in order, in this operation
        self.freed: list[int] = []
        self.findings: list[Violation] = []  # errors that the pool detects itself, without a formula
        self._free = list(range(capacity // page_size - 1, -1, -1))

    def begin(self) -> None:
        """Start the record of a new operation."""
        self.allocated, self.freed, self.findings = [], [], []

    @property
    def available(self) -> int:
        """Free slots, in tokens."""
        return len(self._free) * self.page_size

    def alloc(self, tokens: int) -> list[int]:
        """Return the slots of whole pages for `tokens` tokens. Raise NoRoom."""
        size = self.page_size
        if tokens > self.available:
            raise NoRoom(f"{tokens} tokens requested, {self.available} free")
        slots = slots_of((self._free.pop() for _ in range(-(-tokens // size))), size)
        self.note_alloc(slots)
        return slots

    def free(self, slots: Sequence[int]) -> None:
        """Free whole pages."""
        self._free.extend(self.note_free(slots))

    def note_alloc(self, slots: Sequence[int]) -> None:
        """Record allocated pages."""
        for page in self._to_allocate(slots):
            if self.out[page]:
                self._find(self.partition, f"{self.what} {page} was allocated while it was in use")
            self.out[page] = 1
            self.allocated.append(page)

    def _to_allocate(self, slots: Sequence[int]) -> list[int]:
        """Return the pages that are to be recorded as allocated."""
        return self.pages(slots)

    def _to_free(self, slots: Sequence[int]) -> list[int]:
        """Return the pages that are to be recorded as freed."""
        return self.pages(slots)

    def note_free(self, slots: Sequence[int]) -> list[int]:
        """Record freed pages; return those that were in use."""
        good = []
        for page in self._to_free(slots):
            if self.out[page]:
                self.out[page] = 0
                self.freed.append(page)
                good.append(page)
            else:
                self._find(self.partition, f"{self.what} {page} was freed while it was free (a double free)")
        return good

    def pages(self, slots: Iterable[int]) -> list[int]:
        """Return the pages of these slots. Slots that are not whole aligned pages are recorded as findings."""
        size, listed = self.page_size, list(slots)
        pages = [first // size for first in listed[::size]]
        if listed == slots_of(pages, size) and all(map(range(len(self.out)).__contains__, pages)):
            return pages
        pages = []
        for i in range(0, len(listed), size):
            page, offset = divmod(listed[i], size)
            if offset or listed[i : i + size] != list(range(page * size, (page + 1) * size)):
                self._find("PAGE_ALIGN", f"slots {listed[i : i + size]} are not one whole aligned page of {size}")
            elif not 0 <= page < len(self.out):
                self._find(self.partition, f"{self.what} {page} does not exist in a pool of {len(self.out)}")
            else:
                pages.append(page)
        return pages

    def _find(self, property_: str, text: str) -> None:
        self.findings.append(Violation(property_, text))
