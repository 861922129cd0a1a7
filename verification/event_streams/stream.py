"""Folds a stream of batches and judges it: the events by their properties, the batches by their sequence numbers.

A missing batch may be the cause of whatever follows. From a gap on, or from a late start, a fault counts only if the batches since then
show it by themselves (an id stored for two pages, a page stored twice); any other is kept as doubtful. Where the cache is cleared,
everything is known again. That a page has two ids is doubtful too, where the events do not show under which namespace it is.

What cannot be noticed: that the last batches are missing, as they leave no gap, unless the recording ends with the mark of completeness;
and that an event is missing, or at another place, where what is left is what a right cache might have sent.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from time import perf_counter

from radixcheck.spec.events.event_fold import EVENT_ID, EVENT_ORDER, EventFault, Page, Resident
from radixcheck.spec.events.event_values import DEVICE, Cleared, Event, Stored
from radixcheck.verification.event_streams.batch_format import JUDGED_KINDS, Batch, Reported, batch_of
from radixcheck.verification.event_streams.block_copies import Copies
from radixcheck.verification.event_streams.payload import StreamError
from radixcheck.verification.event_streams.recording import Complete, Frame, Item
from radixcheck.verification.event_streams.stream_results import Doubt, StreamFault, StreamFolded, TierPages

KEPT_MAX = 1_000  # faults that are kept; all are counted
REMEMBERED_MAX = 2**20  # ids of pages that are gone
REPLAYED = "record from the start of the server, or name its replay socket with --replay-endpoint"
ALONE = "record each run of each server by itself"


class _Group:
    """The fold of one group of blocks, and of what came since the last gap."""

    def __init__(self) -> None:
        self.all = Resident(1, REMEMBERED_MAX)
        self.since: Resident | None = None  # None: no batch is missing that matters
        self.copies = Copies()
        self.second_ids = 0  # of pages whose events do not show the namespace

    def doubt(self) -> None:
        """A batch is missing: begin anew with what is certain."""
        self.since = Resident(self.all.page_size, REMEMBERED_MAX)

    def clear(self) -> None:
        """No tier has a page any more, whatever was missing before."""
        if self.since is not None:
            self.all, self.since = self.since, None
        self.all.apply(Cleared())
        self.copies.clear()

    def on_device(self) -> Iterable[tuple[int, Page]]:
        """Return the pages of the device by id."""
        return self.all.pages.get(DEVICE, {}).items()

    def apply(self, reported: Reported) -> tuple[list[EventFault], list[EventFault]]:
        """Take one event. Returns the faults that are certain, and those that may be none."""
        if reported.block_size:
            for fold in (self.all, self.since):
                if fold is not None:
                    fold.page_size = reported.block_size
        if not reported.names_group:
            certain, doubtful = self._judge(reported.event)
            unnamed = [fault for fault in certain if is_second_id(fault)]
            self.second_ids += len(unnamed)
            return [fault for fault in certain if fault not in unnamed], doubtful + unnamed
        certain, doubtful = [], []
        for event in self.copies.without(reported.event, self.all, reported.block_size):
            some, others = self._judge(event)
            certain += some
            doubtful += others
        return certain, doubtful

    def _judge(self, event: Event) -> tuple[list[EventFault], list[EventFault]]:
        found = list(self.all.apply(event))
        if self.since is None:
            return found, []
        certain = [fault for fault in self.since.apply(event) if isinstance(event, Stored) and fault.property in (EVENT_ORDER, EVENT_ID)]
        return certain, [fault for fault in found if fault not in certain]


def is_second_id(fault: EventFault) -> bool:
    """Return whether a page has two ids. Where events do not show the namespace, these may be two pages."""
    return fault.property == EVENT_ID and " was stored with the id " in fault.sentence


class Stream:
    """The state of one stream."""

    def __init__(self) -> None:
        self._begun = perf_counter()
        self._seen: dict[int, int] = {}  # the hash of the batch, by sequence number
        self._last = -1
        self._complete: int | None = None
        self._rank: int | None = None
        self._in_doubt = False
        self._groups: dict[int, _Group] = {}
        self._left_out: dict[int, str] = {}  # groups whose blocks leave in another order: their kinds
        self._events, self._pages, self._peaks = Counter[str](), Counter[str](), Counter[str]()
        self._faults: list[StreamFault] = []
        self._doubtful: list[StreamFault] = []
        self._counts, self._doubtful_counts = Counter[str](), Counter[str]()
        self._doubts: list[Doubt] = []
        self._prefixes: tuple[int, dict[tuple[int | None, tuple[int, ...]], int]] = (
            -1,
            {},
        )  # the pages of the device, after so many events

    def read(self, items: Iterable[Item]) -> Iterator[Frame]:
        """Take items one after another, and yield each batch when it was taken. What cannot be read ends it, as a doubt."""
        return (frame for frame, left in self.read_events(items) if not left)

    def read_events(self, items: Iterable[Item]) -> Iterator[tuple[Frame, int]]:
        """Do the same, and yield a batch after each of its events, with how many of them are left; one without new events once."""
        try:
            for item in items:
                if isinstance(item, Complete):
                    self._complete = max(item.last, -1 if self._complete is None else self._complete)
                else:
                    for left in self._take(item):
                        yield item, left
                    yield item, 0
        except StreamError as error:
            before = f"; the {self.batches:,} batches before it were read" if self._seen else ""
            self._doubts.append(Doubt(f"{error}{before}", "a stream that can be read to its end"))

    @property
    def batches(self) -> int:
        """How many batches were read; copies do not count."""
        return len(self._seen)

    def _take(self, frame: Frame) -> Iterator[int]:
        """Take one batch; yield between its events how many are left. Raise StreamError if it cannot be read."""
        try:
            batch = batch_of(frame.value())
            self._rank = batch.rank if self._rank is None else self._rank
            if batch.rank != self._rank:
                raise StreamError(f"comes from rank {batch.rank}, those before it from rank {self._rank}: {ALONE}")
            is_new = self._number(frame.seq, hash(batch))
        except StreamError as error:
            raise StreamError(f"{frame.where}: batch {frame.seq} {error}") from error
        if is_new:
            yield from self._fold(frame.seq, batch)

    def _number(self, seq: int, digest: int) -> bool:
        """Judge the sequence number of a batch. Returns whether its events are new. Raise StreamError if it stands for two batches."""
        known = self._seen.get(seq)
        if known is not None:
            if known != digest:
                raise StreamError(
                    f"comes again after batch {self._last}, with other events: the server was started anew, or there are two; {ALONE}"
                )
            self._fault(StreamFault(EVENT_ORDER, seq, None, f"it comes again after batch {self._last}; its copy is left out"))
            return False
        if seq < self._last:
            self._fault(StreamFault(EVENT_ORDER, seq, None, f"it comes after batch {self._last}"))
        if seq != self._last + 1:
            self._in_doubt = True
            for group in self._groups.values():
                group.doubt()
        self._seen[seq] = digest
        self._last = max(seq, self._last)
        return True

    def _fold(self, seq: int, batch: Batch) -> Iterator[int]:
        """Take the events of a batch; yield between them how many are left."""
        for index, reported in enumerate(batch.events):
            if index:
                yield len(batch.events) - index
            self._apply(seq, index, reported)
        for tier, count in self._held().items():
            self._peaks[tier] = max(self._peaks[tier], count)

    def _apply(self, seq: int, index: int, reported: Reported) -> None:
        """Take one event."""
        event = reported.event
        kind = type(event).__name__.lower()
        self._events[kind] += 1
        if isinstance(event, Cleared):
            self._in_doubt = False
            for group in self._groups.values():
                group.clear()
        elif self._judged(reported):
            self._pages[kind] += len(event.ids)
            certain, doubtful = self._group(reported.group).apply(reported)
            for fault in certain:
                self._fault(StreamFault(fault.property, seq, index, fault.sentence))
            for fault in doubtful:
                self._keep(self._doubtful, self._doubtful_counts, StreamFault(fault.property, seq, index, fault.sentence))

    def _judged(self, reported: Reported) -> bool:
        """Return whether the blocks of its group leave longest first; those of other groups are left out."""
        if reported.kind not in JUDGED_KINDS:
            self._left_out[reported.group] = str(reported.kind)
        return reported.group not in self._left_out

    def _group(self, number: int) -> _Group:
        if number not in self._groups:
            self._groups[number] = _Group()
            if self._in_doubt:
                self._groups[number].doubt()
        return self._groups[number]

    def _fault(self, fault: StreamFault) -> None:
        self._keep(self._faults, self._counts, fault)

    def _keep(self, faults: list[StreamFault], counts: Counter[str], fault: StreamFault) -> None:
        counts[fault.property] += 1
        if len(faults) < KEPT_MAX:
            faults.append(fault)

    def _held(self) -> Counter[str]:
        """How many pages each tier holds."""
        held = Counter[str]()
        for group in self._groups.values():
            held.update({tier: len(pages) for tier, pages in group.all.pages.items()})
        return held

    def tiers(self) -> dict[str, TierPages]:
        """Return what each tier holds now."""
        ids, tokens = dict[str, list[int]](), Counter[str]()
        for group in self._groups.values():
            for tier, pages in group.all.pages.items():
                ids.setdefault(tier, []).extend(pages)
                tokens[tier] += sum(len(page.tokens) for page in pages.values())
        return {tier: TierPages(tuple(sorted(each)), tokens[tier], self._peaks[tier]) for tier, each in sorted(ids.items())}

    def cached(self, tokens: Sequence[int]) -> int:
        """Return how many of these tokens, of a prompt without a namespace, are on the device now: whole pages from its start."""
        taken = sum(self._events.values())
        if self._prefixes[0] != taken:
            pages = {
                (page.parent, page.tokens): id_ for group in self._groups.values() for id_, page in group.on_device() if not page.namespace
            }
            self._prefixes = (taken, pages)
        known = self._prefixes[1]
        sizes, length, parent = {len(page) for _, page in known}, 0, None
        while True:
            found = ((known.get((parent, tuple(tokens[length : length + size]))), size) for size in sizes)
            parent, size = next(((id_, size) for id_, size in found if id_ is not None), (None, 0))
            if not size:
                return length
            length += size

    def result(self) -> StreamFolded:
        """Return what the stream showed so far."""
        return StreamFolded(
            batches=self.batches,
            events=dict(self._events),
            pages=dict(self._pages),
            copies=sum(group.copies.stored for group in self._groups.values()),
            first=min(self._seen, default=None),
            last=max(self._seen, default=None),
            complete=self._complete is not None and self._complete <= self._last,
            tiers=self.tiers(),
            faults=tuple(self._faults),
            doubtful=tuple(self._doubtful),
            fault_counts=dict(self._counts),
            doubtful_counts=dict(self._doubtful_counts),
            doubts=(*self._doubts, *self._missing(), *self._not_shown()),
            seconds=perf_counter() - self._begun,
        )

    def _missing(self) -> Iterator[Doubt]:
        """Yield a doubt for batches that are missing at the start, between others, and at the end."""
        if self._complete is not None and self._complete > self._last:
            yield Doubt(f"batches {_range(self._last, self._complete + 1)} are missing at the end", REPLAYED)
        if not self._seen and not self._doubts:
            yield Doubt("there is no batch", "a server that publishes events while it is recorded")
        if not self._seen:
            return
        if not self._events:
            yield Doubt("no batch has an event", "a cache that stores pages while it is recorded")
        seen = sorted(self._seen)
        if seen[0] > 0:
            yield Doubt(f"the stream starts late: its first batch is {seen[0]}, not 0", REPLAYED)
        gaps = [_range(before, after) for before, after in pairwise(seen) if after > before + 1]
        if gaps:
            more = f" and {len(gaps) - 3} more gaps" if len(gaps) > 3 else ""
            yield Doubt(f"batches are missing: {', '.join(gaps[:3])}{more}", REPLAYED)

    def _not_shown(self) -> Iterator[Doubt]:
        """Yield a doubt for what the events do not show."""
        for number, kind in self._left_out.items():
            yield Doubt(
                f"group {number} is left out: blocks of the kind {kind} leave in another order", "a model whose layers have full attention"
            )
        second = sum(group.second_ids for group in self._groups.values())
        if second:
            why = f"{second:,} ids are for tokens that had another id before; the events show no namespace that distinguishes them"
            yield Doubt(why, "one namespace in a recording, or a server whose events show it", EVENT_ID)


def _range(before: int, after: int) -> str:
    """Return the numbers between two in words."""
    return f"{before + 1}" if after == before + 2 else f"{before + 1} to {after - 1}"


def folded(items: Iterable[Item]) -> StreamFolded:
    """Fold all items and return what they showed."""
    stream = Stream()
    for _ in stream.read(items):
        pass
    return stream.result()
