"""The jobs of `radixcheck replay --events` and `radixcheck record`: fold a stream of events, or write it into a file."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from radixcheck.verification.core.deadline import NEVER, Deadline
from radixcheck.verification.core.progress import Progress, Tell, silent
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.event_streams.batch_writer import BatchWriter, NewFile
from radixcheck.verification.event_streams.live_source import Endpoint, LiveSource, interrupts, is_address
from radixcheck.verification.event_streams.recording import Item, read
from radixcheck.verification.event_streams.router_view import read_lookups, router_view
from radixcheck.verification.event_streams.stream import Stream
from radixcheck.verification.runs.events_results import EventsOutcome, RecordOutcome

ACCEPTED = "JSON lines with seq and payload or content, as `radixcheck record` writes them, or [topic, seq, payload] in msgpack"


@dataclass(frozen=True, slots=True)
class EventsRequest:
    """The stream to fold."""

    source: Path | Endpoint
    seconds: float | None = None  # of a server; None: until Ctrl-C
    against: Path | None = None  # a recording of all that the server sent; the source is what a router saw
    requests: Path | None = None  # to look up in both


def endpoint(address: str, replay: str | None = None, topic: str = "", bind: bool = False) -> Endpoint:
    """Return where a server sends events. Raise UsageError."""
    for each in (address, replay):
        if each is not None and not is_address(each):
            raise UsageError(f"{each}: is not the address of a socket; give tcp://host:port or ipc://path")
    return Endpoint(address, replay, topic, bind)


def fold_events(request: EventsRequest, progress: Progress = silent) -> EventsOutcome:
    """Fold a stream. Raise UsageError if it cannot be opened or no batch of it can be read."""
    stream, source = Stream(), request.source
    if request.against is not None and isinstance(source, Path):
        return _compare(source, request.against, request.requests)
    if isinstance(source, Path):
        with progress(f"replay {source.name}") as tell:
            for _ in stream.read(read(source)):
                _tell(tell, stream.batches)
        folded = stream.result()
        if not folded.batches:
            raise UsageError(f"{source}: {folded.doubts[0].why}; give a recording: {ACCEPTED}")
        return EventsOutcome(source.name, folded)
    with progress(f"replay {source.address}") as tell, _live(source, request.seconds) as items:
        for _ in stream.read(items):
            _tell(tell, stream.batches)
    return EventsOutcome(source.address, stream.result())


def _compare(seen: Path, sent: Path, requests: Path | None) -> EventsOutcome:
    """Fold what a router saw and what the server sent. Raise UsageError."""
    lookups = [] if requests is None else read_lookups(requests)
    router, server, compared = router_view(read(seen), read(sent), lookups)
    for path, folded in ((seen, router), (sent, server)):
        if not folded.batches:
            raise UsageError(f"{path}: {folded.doubts[0].why}; give a recording: {ACCEPTED}")
    return EventsOutcome(seen.name, router, compared, server)


def _tell(tell: Tell, batches: int) -> None:
    if batches % 1_000 == 1:
        tell(0.0, f"{batches:,} batches")


@contextmanager
def _live(source: Endpoint, seconds: float | None) -> Iterator[Iterator[Item]]:
    """Return the batches of a server, until the seconds have passed or the user interrupts."""
    with closing(LiveSource(source)) as live, interrupts() as ended:
        yield live.items(NEVER if seconds is None else Deadline.after(seconds), ended)


def record_events(source: Endpoint, path: Path, seconds: float | None = None, progress: Progress = silent) -> RecordOutcome:
    """Write what a server sends into a new file, batch by batch: what is written stays, however the recording ends. Raise UsageError."""
    with progress(f"record {source.address}") as tell, _live(source, seconds) as items, NewFile(path) as file:
        writer = BatchWriter(file.write, source.address)
        for count in writer.write(items):
            _tell(tell, count)
    first, last = min(writer.seqs, default=None), max(writer.seqs, default=None)
    missing = 0 if last is None else last + 1 - len(writer.seqs)
    return RecordOutcome(source.address, path.name, len(writer.seqs), first, last, missing, writer.complete, writer.stopped, str(path))
