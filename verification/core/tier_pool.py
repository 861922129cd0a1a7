"""The instrumented slot pools of a cache with a host tier. A page under a copy is neither freed nor handed out."""

from collections import Counter
from collections.abc import Sequence

from radixcheck.verification.core.watched_pool import WatchedPool


class TierPool(WatchedPool):
    """The pool of one tier. It knows which of its pages copies read and write until they are done, and which are still to be filled."""

    def __init__(self, capacity: int, page_size: int) -> None:
        super().__init__(capacity, page_size)
        self.read = Counter[int]()  # pages, by the number of copies in flight that read them
        self.written = Counter[int]()  # likewise, that write them
        self.unfilled: set[int] = set()  # pages that were handed out for a copy which has not arrived: it is in flight, or has failed

    def _to_allocate(self, slots: Sequence[int]) -> list[int]:
        """Return the pages; record a finding for each that is under a copy."""
        pages = self.pages(slots)
        self._without_copied(pages, "handed out")
        return pages

    def _to_free(self, slots: Sequence[int]) -> list[int]:
        """Return the pages that are not under a copy; record a finding for each other one."""
        return self._without_copied(self.pages(slots), "freed")

    def note_free(self, slots: Sequence[int]) -> list[int]:
        """Record freed pages; return those that were in use and are not under a copy."""
        good = super().note_free(slots)
        self.unfilled.difference_update(good)
        return good

    def _without_copied(self, pages: list[int], how: str) -> list[int]:
        if not self.read and not self.written:
            return pages
        kept = []
        for page in pages:
            if self.written[page]:
                self._find("TARGET", f"{self.what} {page} was {how} while a copy in flight writes it")
            elif self.read[page]:
                self._find("SOURCE", f"{self.what} {page} was {how} while a copy in flight reads it")
            else:
                kept.append(page)
        return kept


class HostPool(TierPool):
    """The pool of the host tier."""

    partition = "HOST_PARTITION"
    what = "host page"
