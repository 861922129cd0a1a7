"""The hits of requests beside what the KV events say was cached when they were served.

The engine looks a request up once, when it begins to serve it. Where among the events that is follows from the times of the batches: after
all batches from before its round, and not after the first batch from after its round. In between, requests of the round store pages and
evict others, also within a batch. So the hit must be what the fold gives at one of these events, from the beginning of the round on; which
one is not known. And it must be possible: a request does not hit pages that only it has computed.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

from radixcheck.verification.event_streams.batch_format import batch_of
from radixcheck.verification.event_streams.recording import Frame, Item
from radixcheck.verification.event_streams.stream import Stream
from radixcheck.verification.event_streams.stream_results import StreamFolded


@dataclass(frozen=True, slots=True)
class Served:
    """One request, the answer's part that concerns the cache, and when its round was served."""

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
    seen: bool = False  # whether as many as it hit were cached at some event of its round

    @property
    def agrees(self) -> bool:
        """Whether the hit is what the events say, and possible."""
        return self.seen and self.served.hit <= self.served.most


def predicted(requests: Sequence[Served], items: Iterable[Item]) -> tuple[StreamFolded, list[Predicted]]:
    """Fold a recording, and look the requests up in it, which are in the order of their rounds."""
    stream = Stream()
    lookups = _Lookups(requests, stream)
    for frame, left in stream.read_events(lookups.begun(items)):
        lookups.look_up()
        if not left:
            lookups.end(_time(frame))
    lookups.begin(inf)
    return stream.result(), lookups.found


class _Lookups:
    """The requests whose rounds have begun, and those that are still looked up."""

    def __init__(self, requests: Sequence[Served], stream: Stream) -> None:
        self._stream = stream
        self._waiting = deque(requests)
        self._open: list[Predicted] = []
        self.found: list[Predicted] = []

    def begun(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield each item when the requests whose round began before it have been looked up."""
        for item in items:
            if isinstance(item, Frame):
                self.begin(_time(item))
            yield item

    def begin(self, time: float) -> None:
        """Look up the requests whose round began before this time."""
        while self._waiting and self._waiting[0].begun <= time:
            served = self._waiting.popleft()
            first = self._cached(served)
            request = Predicted(served, first, first == served.hit)
            self.found.append(request)
            self._open.append(request)

    def look_up(self) -> None:
        """Look up again those whose hit was not seen so far."""
        for request in self._open:
            request.seen = request.seen or self._cached(request.served) == request.served.hit

    def end(self, time: float) -> None:
        """Look up no more those whose round ended before this time."""
        self._open = [request for request in self._open if request.served.ended > time]

    def _cached(self, served: Served) -> int:
        return self._stream.cached(served.tokens[:-1])  # the last token of a prompt is always computed


def _time(frame: Frame) -> float:
    """Return when a batch was sent. Raise StreamError."""
    return batch_of(frame.value()).time
