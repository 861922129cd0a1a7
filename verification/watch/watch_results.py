"""What a watch found and counted. Nothing here reads a cache."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NamedTuple

from radixcheck.verification.core.status import Outcome, Status
from radixcheck.verification.core.traces import Recorded

WATCH, SHADOW = "WATCH", "SHADOW"  # the watch itself failed, or its shadow did: nothing is said of the cache
ITSELF = frozenset({WATCH, SHADOW})


@dataclass(frozen=True, slots=True)
class Finding:
    """One property that did not hold after one call."""

    property: str  # an id of the catalogue, or WATCH or SHADOW
    call: int  # its number, from 1
    verb: str
    text: str  # what was expected, and what was found
    trace: str = ""  # the name of the trace file in the same folder; empty: there is none

    def to_json(self) -> dict[str, Any]:
        """Return the finding as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Finding":
        """Return the finding that `to_json` wrote."""
        return cls(data["property"], data["call"], data["verb"], data["text"], data.get("trace", ""))


class LoggedTrace(NamedTuple):
    """What a log of operations makes of them, and what it leaves out of the tree at its beginning."""

    recorded: Recorded
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class ShadowSeen:
    """What the shadow of one cache did."""

    calls: int  # compared
    nanoseconds: int  # within the calls of the server; those of the watch have them too
    differences: int
    rebuilds: int  # after a difference, from the live tree
    left_out: int  # calls that were not compared
    paused: str = ""  # why calls are left out now


@dataclass(frozen=True, slots=True)
class WatchedCache:
    """What was counted of one cache in one process of the server."""

    name: str  # of its files: the id of the process
    cache: str  # as `radixcheck subjects` names it
    version: str  # of the engine
    python: str  # the interpreter of the server
    budget_us: int  # microseconds for checks in each call
    calls: Counter[str]  # by verb
    nanoseconds: int  # of the watch, within the calls of the server
    longest: int  # nanoseconds of one call
    path_checks: int
    window_checks: int
    rounds: int
    skipped: int  # checks that the budget did not allow
    nodes: int
    raised: int  # calls that the cache itself ended with an error
    departures: Counter[str]  # accepted, by property
    found: Counter[str]  # by property, also those that are not written in full
    findings: tuple[Finding, ...] = ()  # those that are written in full
    aborted: str = ""  # the property for which the watch ended the process
    shadow: ShadowSeen | None = None
    ended: bool = False  # the cache or its process was ended in order; else calls of its last second may be missing here

    @property
    def us_per_call(self) -> float:
        """Microseconds of the watch, on average."""
        return self.nanoseconds / 1_000 / max(1, self.calls.total())

    @property
    def skipped_share(self) -> float:
        """The share of the checks of contents on touched paths that the budget did not allow."""
        return self.skipped / max(1, self.skipped + self.path_checks)

    def counts(self) -> dict[str, Any]:
        """Return all but the findings as a JSON object."""
        counts = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("findings", "shadow")}
        return counts | ({"shadow": asdict(self.shadow)} if self.shadow else {})

    def to_json(self) -> dict[str, Any]:
        """Return everything as a JSON object."""
        shares = {"us_per_call": self.us_per_call, "skipped_share": self.skipped_share}
        return self.counts() | shares | {"findings": [finding.to_json() for finding in self.findings]}


@dataclass(frozen=True, slots=True)
class Ended:
    """How the command ended that was watched."""

    command: tuple[str, ...]
    status: int  # its exit status; negative: the signal that ended it
    interrupted: bool = False  # by the user
    seconds: float = 0.0

    STOPPED = (-2, -15, 130, 143)  # SIGINT and SIGTERM, as a process or as a shell reports them

    @property
    def failed(self) -> bool:
        """Whether it ended with an error of its own: nothing that it would have done after that was watched."""
        return self.status != 0 and not self.interrupted and self.status not in self.STOPPED


@dataclass(frozen=True, slots=True)
class WatchOutcome(Outcome):
    """What a watch of a server found."""

    folder: Path
    caches: tuple[WatchedCache, ...]
    notes: tuple[str, ...] = ()  # sentences of processes that could not watch their cache
    ended: Ended | None = None  # None: an earlier watch is shown
    unread: tuple[str, ...] = ()  # files, or lines of them, that cannot be read

    @property
    def findings(self) -> tuple[tuple[WatchedCache, Finding], ...]:
        """Every finding that is written in full, with its cache."""
        return tuple((cache, finding) for cache in self.caches for finding in cache.findings)

    @property
    def undecided(self) -> str:
        """Why nothing is decided although nothing was found; empty if it is."""
        return "" if self._refuted else next(self._doubts(), "")

    @property
    def _refuted(self) -> bool:
        return any(cache.found.keys() - ITSELF for cache in self.caches)

    def _doubts(self) -> Iterator[str]:
        if not self.caches:
            yield self.notes[0] if self.notes else "no process of the server loaded the watch"
        elif not any(cache.calls.total() for cache in self.caches):
            yield "the cache was not called"
        for cache in self.caches:
            for property_ in sorted(cache.found.keys() & ITSELF):
                yield f"{'the watch' if property_ == WATCH else 'its shadow'} failed in process {cache.name}"
            if cache.shadow is not None and (cache.shadow.paused or not cache.shadow.calls):
                yield f"the shadow in process {cache.name} compared nothing at the end: {cache.shadow.paused or 'it saw no call'}"
        yield from self.notes
        yield from self.unread
        if self.ended is not None and self.ended.failed:
            yield f"the command ended with status {self.ended.status}: what it would have done after that was not watched"

    @property
    def status(self) -> Status:
        """REFUTED by a finding. UNDECIDED if no call was watched, if a watch failed itself, or if the command failed."""
        return Status.REFUTED if self._refuted else Status.UNDECIDED if self.undecided else Status.HOLDS

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            "folder": str(self.folder),
            "status": self.status,
            "undecided": self.undecided,
            "command": self.ended and asdict(self.ended),
            "caches": [cache.to_json() for cache in self.caches],
            "notes": list(self.notes),
            "unread": list(self.unread),
        }
