"""The hits of requests beside what the KV events say was cached when they were served.

The engine looks a request up once, when it begins to serve it. Where among the events that is follows from the times of the batches: after
all batches from before its round, and not after the first batch from after its round. In between, requests of the round store pages and
evict others, also within a batch, and within an event: SGLang joins events that follow each other. So the hit must be what was cached at
one of these pages, from the beginning of the round on; which one is not known. And it must be possible: a request does not hit pages that
only it has computed.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import inf

from radixcheck.verification.event_streams.batch_format import Batch, batch_of
from radixcheck.verification.event_streams.device_pages import DevicePages
from radixcheck.verification.event_streams.payload import StreamError
from radixcheck.verification.event_streams.recording import Frame, Item


@dataclass(frozen=True, slots=True)
class Served:
    """One request, what of it was cached, and when its round was served."""

    tokens: tuple[int, ...]
    hit: int  # tokens that were not computed, as the engine reports
    most: int  # that can be hit: pages that other requests had before, or beside it
    begun: float  # seconds, as the times of batches
    ended: float


@dataclass(slots=True)
class Predicted:
    """What the events say about a request."""

    served: Served
    first: int = 0  # tokens that were cached when its round began
    seen: bool = False  # whether as many as it hit were cached at some page of an event of its round

    @property
    def agrees(self) -> bool:
        """Whether the hit is what the events say, and possible."""
        return self.seen and self.served.hit <= self.served.most


def predicted(requests: Sequence[Served], items: Iterable[Item]) -> list[Predicted]:
    """Look the requests up in a recording; they are in the order of their rounds. Where it cannot be read on, it ends."""
    lookups = _Lookups(requests)
    with suppress(StreamError):
        for item in items:
            if isinstance(item, Frame):
                lookups.take(batch_of(item.value()))
    lookups.begin(inf)
    return lookups.found


class _Lookups:
    """The requests whose rounds have begun, and those that are still looked up."""

    def __init__(self, requests: Sequence[Served]) -> None:
        self._pages = DevicePages()
        self._waiting = deque(requests)
        self._open: list[Predicted] = []  # whose hit was not seen so far
        self.found: list[Predicted] = []

    def take(self, batch: Batch) -> None:
        """Take a batch: begin rounds before it, look up after each page, and end rounds after it."""
        self.begin(batch.time)
        for reported in batch.events:
            for _ in self._pages.take(reported):
                for request in self._open:
                    request.seen = self._cached(request.served) == request.served.hit
                self._open = [request for request in self._open if not request.seen]
        self._open = [request for request in self._open if request.served.ended > batch.time]

    def begin(self, time: float) -> None:
        """Look up the requests whose round began before this time."""
        while self._waiting and self._waiting[0].begun <= time:
            served = self._waiting.popleft()
            first = self._cached(served)
            request = Predicted(served, first, first == served.hit)
            self.found.append(request)
            if not request.seen:
                self._open.append(request)

    def _cached(self, served: Served) -> int:
        return self._pages.cached(served.tokens[:-1])  # the last token of a prompt is always computed
