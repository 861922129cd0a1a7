"""What the jobs about events of servers return: a stream that was folded, and a recording. Nothing here reads a stream."""

from dataclasses import asdict, dataclass
from typing import Any

from radixcheck.spec.events.event_fold import EVENT_REPLAY
from radixcheck.verification.core.status import Outcome, Status, Verdict, worst
from radixcheck.verification.event_streams.batch_format import id_text
from radixcheck.verification.event_streams.stream_results import RouterSeen, StreamFault, StreamFolded


@dataclass(frozen=True, slots=True)
class EventsOutcome(Outcome):
    """A stream of events, folded and judged."""

    stream: str  # the file, or the address of the server
    folded: StreamFolded
    router: RouterSeen | None = None  # None: there is nothing to compare with
    server: StreamFolded | None = None  # what the router is compared with

    @property
    def status(self) -> Status:
        """REFUTED by a fault, or if a router that saw this has other pages than the server; UNDECIDED if batches are missing."""
        if self.router is None or self.server is None:
            return self.folded.status
        replayed = Status.UNDECIDED if self.server.status else Status.HOLDS if self.router.same else Status.REFUTED
        return worst((self.folded.status, replayed))

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """The verdict on each property; with a server's recording also on EVENT_REPLAY."""
        verdicts = self.folded.verdicts
        if self.router is None or self.server is None:
            return verdicts
        same = Verdict.TESTED if self.router.same else Verdict.REFUTED
        return verdicts | {EVENT_REPLAY: Verdict.UNDECIDED if self.server.status else same}

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        f = self.folded
        return {
            "stream": self.stream,
            "status": self.status,
            **{"batches": f.batches, "first": f.first, "last": f.last, "complete": f.complete},
            **{"events": dict(f.events), "pages": dict(f.pages), "copies": f.copies},
            "resident": {
                tier: {"pages": len(t.ids), "tokens": t.tokens, "peak": t.peak, "ids": list(map(id_text, t.ids))}
                for tier, t in f.tiers.items()
            },
            "properties": [
                {"id": id_, "verdict": verdict, "faults": f.fault_counts.get(id_, 0), "doubtful": f.doubtful_counts.get(id_, 0)}
                for id_, verdict in self.verdicts.items()
            ],
            "faults": list(map(_fault, f.faults)),
            "doubtful": list(map(_fault, f.doubtful)),
            "undecided": [{"why": doubt.why, "decides": doubt.decides} for doubt in f.doubts],
            "unnoticed": f.unnoticed,
            "seconds": f.seconds,
            **({"router": asdict(self.router)} if self.router else {}),
        }


def _fault(fault: StreamFault) -> dict[str, Any]:
    return {"property": fault.property, "batch": fault.seq, "event": fault.index, "text": fault.sentence}


@dataclass(frozen=True, slots=True)
class RecordOutcome(Outcome):
    """A recording of what a server sent."""

    address: str
    file: str
    batches: int
    first: int | None  # sequence number; None: no batch came
    last: int | None
    missing: int  # batches before the last one that did not come
    complete: bool  # whether the server had sent no more when it ended
    stopped: str = ""  # why it ended early
    path: str = ""  # of the file

    @property
    def status(self) -> Status:
        """HOLDS if each batch up to the last one is in the file."""
        return Status.UNDECIDED if self.stopped or self.missing or self.last is None else Status.HOLDS

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        names = ("address", "file", "status", "batches", "first", "last", "missing", "complete", "stopped", "path")
        return {name: getattr(self, name) for name in names}
