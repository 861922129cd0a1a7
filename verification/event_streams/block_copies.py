"""Copies of a block: what servers report that may hold the same block several times.

When two requests compute the same block at the same time, or a prompt is cached to its end and its last block is computed again, vLLM
holds it twice, and reports it as stored twice and removed twice. The page is there as long as a copy is: the events of the others are no
events of the page. A router that keeps a set has lost the page after the first removal.
"""

from collections import Counter
from collections.abc import Iterator

from radixcheck.spec.events.event_fold import Page, Resident
from radixcheck.spec.events.event_values import Event, Removed, Stored


class Copies:
    """How many copies there are of each page beside the first."""

    def __init__(self) -> None:
        self.stored = 0  # copies so far
        self._more = Counter[tuple[str, int]]()  # by tier and id

    def clear(self) -> None:
        """No tier has a page any more."""
        self._more.clear()

    def without(self, event: Event, fold: Resident, block_size: int) -> Iterator[Event]:
        """Yield the event without what is about further copies: for a store, page by page, as the fold holds the pages before."""
        match event:
            case Stored() if len(event.tokens) == block_size * len(event.ids):
                yield from self._pages(event, fold, block_size)
            case Removed():
                gone = tuple(id_ for id_ in event.ids if not self._is_copy(event.medium, id_))
                if gone or not event.ids:
                    yield Removed(event.medium, gone)
            case _:
                yield event

    def _pages(self, event: Stored, fold: Resident, size: int) -> Iterator[Event]:
        parent = event.parent
        for number, id_ in enumerate(event.ids):
            tokens = event.tokens[number * size : (number + 1) * size]
            if fold.pages.get(event.medium, {}).get(id_) == Page(parent, event.namespace, tokens):
                self._more[event.medium, id_] += 1
                self.stored += 1
            else:
                yield Stored(event.medium, event.namespace, parent, (id_,), tokens)
            parent = id_

    def _is_copy(self, medium: str, id_: int) -> bool:
        """Count one copy less, if there is more than one. Returns whether there was."""
        more = self._more[medium, id_]
        if more:
            self._more[medium, id_] -= 1
        return bool(more)
