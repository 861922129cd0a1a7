"""What the jobs return: frozen, with a status and as JSON. Nothing here runs a cache."""

import shlex
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from radixcheck.verification.core.catalogue import PROBED
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.outcome import Outcome
from radixcheck.verification.core.status import Status, worst
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.explore.explore_results import Explored
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Supports
from radixcheck.verification.search.search_results import Bounds, Comparison, Difference, PropertyVerdict, Report
from radixcheck.verification.trace_replay.frame_results import Frame
from radixcheck.verification.trace_replay.replay_results import Replayed, Settings, Shrunk, Step

TEST, TRACE = ".py", ".jsonl"  # suffixes of the files that shrinking writes
COUNTERS = ("operations", "looked", "formulas")  # fields of Replayed that are mappings


@dataclass(frozen=True, slots=True)
class Scene:
    """The tree before and after the operation that shows a fault."""

    before: str
    after: str
    orphans: str  # what becomes of unreachable slots; empty if there are none


def found_json(found: Found, scene: Scene | None = None) -> dict[str, Any]:
    """Return a refuted property as a JSON object: the violation, its trace and, if there is one, its scene."""
    out = {
        "property": found.violation.property,
        "text": found.violation.text,
        "config": found.config.to_json(),
        "trace": _trace_json(found.trace),
    }
    return out | ({"before": scene.before, "after": scene.after, "orphans": scene.orphans} if scene else {})


def _trace_json(trace: tuple[Op, ...]) -> list[dict[str, Any]]:
    return [op.to_json() for op in trace]


@dataclass(frozen=True, slots=True)
class VerifyOutcome(Outcome):
    """The search, the scene of each fault, the comparison with the reference, and the replay of the sample trace."""

    report: Report
    scenes: tuple[tuple[Found, Scene | None], ...]
    agreement: "DiffOutcome | None" = None  # with the reference
    replayed: "ReplayOutcome | None" = None

    @property
    def status(self) -> Status:
        """The worst status of the search, the comparison and the replay."""
        return worst([self.report.status, *(part.status for part in (self.agreement, self.replayed) if part)])

    @property
    def command(self) -> str:
        """The command line that repeats the search."""
        b, usual = self.report.bounds, Supports()
        words = [*("radixcheck", "verify", self.report.subject, "--seed", f"{b.seed}", "--seconds", f"{b.seconds:g}")]
        words += [word for policy in b.policies for word in ("--policy", policy) if b.policies != usual.policies]
        words += [word for size in b.page_sizes for word in ("--page-size", f"{size}") if b.page_sizes != usual.page_sizes]
        words += ["--pool", f"{b.pool}"] if b.pool is not None else []
        words += ["--device", b.device] if b.device != "cpu" else []
        return shlex.join([*words, *(["--misuse"] if b.misused else [])])

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        r = self.report
        return {
            "subject": r.subject,
            "command": self.command,
            "status": self.status,
            "operations": r.steps,
            "runs": r.runs,
            "seconds": round(r.seconds, 1),
            "seed": r.bounds.seed,
            "policies": r.bounds.policies,
            "page_sizes": r.bounds.page_sizes,
            "rules_never_fired": r.idle_rules,
            "properties": list(map(_verdict_json, r.verdicts)),
            "refuted": [found_json(found, scene) for found, scene in self.scenes],
            "reference": self.agreement.to_json() if self.agreement else None,
            "replay": self.replayed.to_json() if self.replayed else None,
        }


def _verdict_json(v: PropertyVerdict) -> dict[str, Any]:
    return {
        "id": v.property.id,
        "kind": v.property.kind,
        "verdict": v.verdict,
        "checked": v.checked,
        "non_vacuous": v.exercised,
        "questions": v.property.questions.split(),
        "note": v.note,
    }


@dataclass(frozen=True, slots=True)
class DiffOutcome(Outcome):
    """Two subjects compared."""

    left: str
    right: str
    bounds: Bounds
    comparison: Comparison
    apart: tuple[str, ...] = ()  # what only one of the two declares, so that it was not compared

    @property
    def status(self) -> Status:
        """REFUTED by a difference that neither has declared; UNDECIDED if nothing was compared."""
        if self.comparison.faults:
            return Status.REFUTED
        return Status.HOLDS if self.comparison.steps else Status.UNDECIDED

    def name(self, side: str) -> str:
        """Return the name of the left or the right subject."""
        return {"left": self.left, "right": self.right}[side]

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            "left": self.left,
            "right": self.right,
            "status": self.status,
            "operations": self.comparison.steps,
            "runs": self.comparison.runs,
            "left_the_specification_together": self.comparison.diverged,
            "not_compared": list(self.apart),
            "differences": list(map(self._difference_json, self.comparison.differences)),
        }

    def _difference_json(self, d: Difference) -> dict[str, Any]:
        return {
            "what": d.kind.what,
            "departs": [self.name(side) for side in d.kind.departs],
            "declared": {self.name(side): why for side, why in d.declared.items()},
            "runs": d.runs,
            "config": d.config.to_json(),
            "trace": _trace_json(d.trace),
            **{"left_answer": d.left, "right_answer": d.right, "specification": d.specification},
        }


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
            "operations": _trace_json(s.found.trace),
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
            "status": self.status,
            "unread": self.unread,
            "settings": {f.name: getattr(self.settings, f.name) for f in fields(self.settings)},
            **{f.name: getattr(r, f.name) for f in fields(r) if f.name not in ("fault", *COUNTERS)},
            **{name: dict(getattr(r, name)) for name in COUNTERS},
            "hit_rate": r.hit_rate,
            "fault": fault,
            **({"shrunk": self.shrunk.to_json()} if self.shrunk else {}),
        }


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


@dataclass(frozen=True, slots=True)
class ExploreOutcome(Outcome):
    """The explorations of one subject."""

    subject: str
    explored: tuple[Explored, ...]
    scenes: tuple[tuple[tuple[Found, ...], Scene | None], ...]  # the properties that one trace breaks, and its scene
    seconds: float

    @property
    def status(self) -> Status:
        """The worst status of the explorations."""
        return worst(e.status for e in self.explored)

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {"subject": self.subject, "status": self.status, "explorations": list(map(_explored_json, self.explored))}


def _explored_json(e: Explored) -> dict[str, Any]:
    return {
        **{"scope": e.scope.name, "bound": e.scope.sentence, "policy": e.policy, "page_size": e.page_size, "verdict": e.verdict},
        **{"states": e.states, "transitions": e.transitions, "depth": e.depth, "closed": e.closed, "shown": e.shown},
        **{"opaque": e.opaque, "seconds": round(e.seconds, 1), "states_a_minute": e.a_minute(e.states)},
        **{"transitions_a_minute": e.a_minute(e.transitions), "exercised": sorted(e.exercised)},
        "refuted": list(map(found_json, e.found)),
    }
