"""What the jobs that run a trace return. Nothing here runs a cache."""

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from radixcheck.verification.core.catalogue import PROBED
from radixcheck.verification.core.status import Outcome, Status
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.operations import Op
from radixcheck.verification.trace_replay.frame_results import Frame
from radixcheck.verification.trace_replay.replay_results import OF_THE_TIER, Replayed, Settings, Shrunk, Step

TEST, TRACE = ".py", ".jsonl"  # suffixes of the files that shrinking writes
COUNTERS = ("operations", "looked", "formulas")  # fields of Replayed that are mappings


def trace_json(trace: tuple[Op, ...]) -> list[dict[str, Any]]:
    """Return the operations of a trace as JSON objects."""
    return [op.to_json() for op in trace]


@dataclass(frozen=True, slots=True)
class ShrinkOutcome:
    """What shrinking a fault led to."""

    out: Path
    shrunk: Shrunk | None  # None: nothing was written
    why: str = ""  # nothing was written

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        if self.shrunk is None:
            return {"file": None, "why": self.why}
        s = self.shrunk
        return {
            "file": str(self.out),
            "property": s.found.violation.property,
            "recorded": s.recorded,
            "operations": trace_json(s.found.trace),
            "attempts": s.attempts,
            "complete": s.complete,
            "seconds": s.seconds,
        }


@dataclass(frozen=True, slots=True)
class ReplayOutcome(Outcome):
    """A trace of requests, replayed."""

    subject: str
    trace: str
    settings: Settings
    replayed: Replayed
    unread: str = ""  # why reading stopped before the end of the file
    shrunk: ShrinkOutcome | None = None
    format: str = ""  # of the trace

    @property
    def status(self) -> Status:
        """REFUTED by a fault or a leak; WRONG_USE if the trace could not be read to its end; UNDECIDED if nothing was replayed."""
        if not self.replayed.clean:
            return Status.REFUTED
        if self.unread:
            return Status.WRONG_USE
        return Status.HOLDS if self.replayed.requests else Status.UNDECIDED

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        r = self.replayed
        fault = r.fault and {
            "property": r.fault.violation.property,
            "text": r.fault.violation.text,
            "request": r.fault.request,
            "step": r.fault.step,
            "operation": r.fault.operation,
        }
        return {
            "subject": self.subject,
            "trace": self.trace,
            "format": self.format,
            "status": self.status,
            "unread": self.unread,
            "settings": self._settings(),
            **{f.name: getattr(r, f.name) for f in fields(r) if f.name not in ("fault", "tier", *COUNTERS)},
            **{name: dict(getattr(r, name)) for name in COUNTERS},
            "hit_rate": r.hit_rate,
            "fault": fault,
            **({"tier": asdict(r.tier)} if r.tier else {}),
            **({"shrunk": self.shrunk.to_json()} if self.shrunk else {}),
        }

    def _settings(self) -> dict[str, Any]:
        s = self.settings
        return {f.name: getattr(s, f.name) for f in fields(s) if s.mode or f.name not in OF_THE_TIER}


@dataclass(frozen=True, slots=True)
class TraceOutcome(Outcome):
    """A trace of operations, replayed."""

    subject: str
    trace: str  # the name of the file
    recorded: Recorded
    steps: tuple[Step, ...]  # up to the one after which the checker stopped
    shrunk: ShrinkOutcome | None = None

    @property
    def broken(self) -> tuple[Step, ...]:
        """The steps that break a property."""
        return tuple(step for step in self.steps if step.broken)

    @property
    def undecided(self) -> str:
        """Why nothing is decided although nothing broke; empty if it is."""
        property_ = self.recorded.property
        if self.broken:
            return ""
        if not any(step.performed for step in self.steps):
            return "no operation of the trace could be performed"
        left_out = sum(not step.performed for step in self.steps)
        if left_out:
            return f"{left_out} of {len(self.steps)} operations could not be performed: what they would have shown is not known"
        if property_ in PROBED:
            return f"{property_}, for which it was recorded, shows by counting steps or memory: radixcheck verify {self.subject} does that"
        return ""

    @property
    def status(self) -> Status:
        """REFUTED if a step breaks a property."""
        return Status.REFUTED if self.broken else Status.UNDECIDED if self.undecided else Status.HOLDS

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            "subject": self.subject,
            "trace": self.trace,
            "status": self.status,
            "undecided": self.undecided,
            "config": self.recorded.config.to_json(),
            "property": self.recorded.property,
            "recorded": len(self.recorded.trace),
            "operations": [
                {
                    **{"step": step.number, "operation": step.op.to_json(), "performed": step.performed, "answer": step.answer},
                    "broken": [{"property": v.property, "text": v.text, "follows_from": v.follows_from} for v in step.broken],
                }
                for step in self.steps
            ],
            **({"shrunk": self.shrunk.to_json()} if self.shrunk else {}),
        }


@dataclass(frozen=True, slots=True)
class ShowOutcome(Outcome):
    """The frames of a trace."""

    subject: str
    trace: str  # the name of the file
    recorded: Recorded
    frames: tuple[Frame, ...]  # all
    chosen: tuple[Frame, ...]  # to be shown

    @property
    def status(self) -> Status:
        """REFUTED if a step breaks a property, shown or not."""
        return Status.REFUTED if any(frame.broken for frame in self.frames) else Status.HOLDS

    def to_json(self) -> dict[str, Any]:
        """Return the chosen frames as a JSON object."""
        names = {"subject": self.subject, "trace": self.trace, "status": self.status}
        return names | {"config": self.recorded.config.to_json(), "steps": [frame.to_json() for frame in self.chosen]}
