"""The pages of the device, page by page: what a router looks a prompt up in while events arrive. Nothing is judged here."""

from collections import Counter
from collections.abc import Iterator, Sequence

from radixcheck.spec.events.event_values import DEVICE, Cleared, Removed, Stored
from radixcheck.verification.event_streams.batch_format import Reported


class DevicePages:
    """The pages that are there, of prompts without a namespace and of one group of blocks."""

    def __init__(self) -> None:
        self._size = 1  # tokens of a page
        self._ids: dict[tuple[int | None, tuple[int, ...]], int] = {}  # of all pages so far, by what they follow and their tokens
        self._copies = Counter[int]()  # of the pages that are there, by id

    def take(self, reported: Reported) -> Iterator[None]:
        """Take one event, and yield after each of its pages: servers join events, so that something may have happened in between."""
        match reported.event:
            case Cleared():
                self._copies.clear()
                yield
            case Stored(medium, namespace, parent, ids, tokens) if medium == DEVICE and not namespace and reported.block_size:
                self._size = reported.block_size
                for at, id_ in enumerate(ids):
                    self._ids[parent, tokens[at * self._size : (at + 1) * self._size]] = parent = id_
                    self._copies[id_] = self._copies[id_] + 1 if reported.names_group else 1
                    yield
            case Removed(medium, ids) if medium == DEVICE:
                for id_ in ids:
                    self._copies[id_] = max(0, self._copies[id_] - 1)
                    yield

    def cached(self, tokens: Sequence[int]) -> int:
        """Return how many of these tokens are there: whole pages from the start."""
        length, parent = 0, None
        while length + self._size <= len(tokens):
            id_ = self._ids.get((parent, tuple(tokens[length : length + self._size])))
            if id_ is None or not self._copies[id_]:
                break
            parent, length = id_, length + self._size
        return length
