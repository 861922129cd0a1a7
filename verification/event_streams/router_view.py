"""What a router knows: the fold of the events that it saw, beside the fold of all that the server sent.

Requests, if a log is given, are looked up in both when they arrive: what the router predicts to be cached on the device, and what was.
Each is a JSON line: `tokens`, and `batch`, the sequence number of the last batch that the server had sent before it.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from radixcheck.spec.events.event_values import DEVICE
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.event_streams.payload import is_count, short
from radixcheck.verification.event_streams.recording import Frame, Item
from radixcheck.verification.event_streams.stream import Stream
from radixcheck.verification.event_streams.stream_results import RouterSeen, StreamFolded

COUNTED = ("requests", "prompt_tokens", "predicted_tokens", "cached_tokens", "wrong_tokens", "missed_tokens")


@dataclass(frozen=True, slots=True)
class Lookup:
    """One request."""

    batch: int
    tokens: tuple[int, ...]


def read_lookups(path: Path) -> list[Lookup]:
    """Return the requests of a log, by batch. Raise UsageError."""
    try:
        with path.open("rb") as lines:
            found = [_lookup(f"{path}, line {number}", line) for number, line in enumerate(lines, 1) if line.strip()]
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    return sorted(found, key=lambda each: each.batch)


def _lookup(where: str, line: bytes) -> Lookup:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where}: is not JSON; give requests with tokens and batch") from error
    match data:
        case {"tokens": list() as tokens, "batch": batch} if is_count(batch) and all(map(is_count, tokens)):
            return Lookup(batch, tuple(tokens))
    raise UsageError(f"{where}: is {short(data)}; give requests with tokens, a list of integers, and batch, a sequence number")


def router_view(seen: Iterable[Item], sent: Iterable[Item], lookups: Sequence[Lookup]) -> tuple[StreamFolded, StreamFolded, RouterSeen]:
    """Fold what a router saw and what a server sent, and look the requests up. Returns both folds, and how they compare."""
    router, server, tokens = Stream(), Stream(), Counter[str]()
    asking = {batch: list(some) for batch, some in groupby(lookups, key=lambda each: each.batch)}
    arriving = _Arriving(router, seen)
    for frame in server.read(sent):
        arriving.until(frame.seq)
        for lookup in asking.pop(frame.seq, ()):
            tokens.update(_compared(lookup, router, server))
    arriving.until(None)
    ours, theirs = (set(stream.tiers()[DEVICE].ids) if DEVICE in stream.tiers() else set[int]() for stream in (router, server))
    unasked = sum(map(len, asking.values()))
    counts = {
        name: tokens[name] for name in ("requests", "prompt_tokens", "predicted_tokens", "cached_tokens", "wrong_tokens", "missed_tokens")
    }
    return router.result(), server.result(), RouterSeen(len(ours & theirs), len(ours - theirs), len(theirs - ours), unasked, **counts)


class _Arriving:
    """The batches that reach the router."""

    def __init__(self, router: Stream, items: Iterable[Item]) -> None:
        self._router, self._items = router, iter(items)
        self._next: Item | None = None

    def until(self, seq: int | None) -> None:
        """Let everything arrive that was sent up to this batch; None: everything."""
        for _ in self._router.read(self._due(seq)):
            pass

    def _due(self, seq: int | None) -> Iterator[Item]:
        while (item := self._next or next(self._items, None)) is not None:
            self._next = item
            if seq is not None and isinstance(item, Frame) and item.seq > seq:
                return
            self._next = None
            yield item


def _compared(lookup: Lookup, router: Stream, server: Stream) -> dict[str, int]:
    """Return the tokens of a request that the router predicts, and those that the server had."""
    predicted, cached = (stream.cached(lookup.tokens) for stream in (router, server))
    return {
        "requests": 1,
        "prompt_tokens": len(lookup.tokens),
        "predicted_tokens": predicted,
        "cached_tokens": cached,
        "wrong_tokens": max(0, predicted - cached),
        "missed_tokens": max(0, cached - predicted),
    }
