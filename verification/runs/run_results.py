"""What the jobs return: frozen, with a status and as JSON. Nothing here runs a cache."""

import shlex
from dataclasses import dataclass
from typing import Any

from radixcheck.verification.core.found import Found
from radixcheck.verification.core.page_sizes import DRAWN
from radixcheck.verification.core.status import Outcome, Status, worst
from radixcheck.verification.explore.explore_results import Explored
from radixcheck.verification.protocol import MODES, Supports
from radixcheck.verification.runs.trace_results import ReplayOutcome, trace_json
from radixcheck.verification.search.search_results import Bounds, Comparison, Difference, PropertyVerdict, Report, planned_operations


@dataclass(frozen=True, slots=True)
class Scene:
    """The tree before and after the operation that shows a fault, each with the three sizes."""

    before: str
    after: str
    orphans: str  # what becomes of unreachable slots; empty if there are none
    expected: str = ""  # the tree of the specification after it, if it is another one than `after`
    specified: bool = False  # the cache does not show its inside: `before` and `after` are trees of the specification
    answers: tuple[str, ...] = ()  # of the cache, to each operation of the trace


def found_json(found: Found, scene: Scene | None = None) -> dict[str, Any]:
    """Return a refuted property as a JSON object: the violation, its trace and, if there is one, its scene."""
    out = {
        "property": found.violation.property,
        "text": found.violation.text,
        "config": found.config.to_json(),
        "trace": trace_json(found.trace),
        "wrong": found.wrong,
        "ends_process": found.ends_process,
    }
    if scene is None:
        return out
    trees = {"before": scene.before, "after": scene.after, "orphans": scene.orphans}
    return out | trees | {"expected": scene.expected, "specified": scene.specified, "answers": list(scene.answers)}


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
        b, usual = self.report.bounds, Supports(page_sizes=DRAWN)
        words = [*("radixcheck", "verify", self.report.subject, "--seed", f"{b.seed}", "--seconds", f"{b.seconds:g}")]
        words += [word for policy in b.policies for word in ("--policy", policy) if b.policies != usual.policies]
        words += [word for size in b.page_sizes for word in ("--page-size", f"{size}") if b.page_sizes != usual.page_sizes]
        as_usual = b.operations in {planned_operations(b.seconds, here) for here in (True, False)}
        words += [] if as_usual else ["--operations", f"{b.operations}"]
        words += ["--pool", f"{b.pool}"] if b.pool is not None else []
        words += ["--host-pool", f"{b.host_pool}"] if b.host_pool is not None else []
        words += [word for mode in b.modes for word in ("--mode", mode) if b.modes != MODES]
        words += ["--device", b.device] if b.device != "cpu" else []
        words += [] if b.stretch else ["--no-stretch"]
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
            **({"modes": r.bounds.modes} if r.bounds.modes else {}),
            "rules_never_fired": r.idle_rules,
            "unfinished": r.unfinished,
            "undecided": r.gaps,
            "envelope": r.envelope.to_json(),
            "stretch": {name: reach.to_json() for name, reach in r.reaches.items()},
            "edges": {"taken": dict(r.edges), "impossible": dict(r.impossible_edges), "never_taken": r.missing_edges},
            "properties": list(map(verdict_json, r.verdicts)),
            **({"choices": dict(r.choices)} if r.choices else {}),
            "refuted": [found_json(found, scene) for found, scene in self.scenes],
            "reference": self.agreement.to_json() if self.agreement else None,
            "replay": self.replayed.to_json() if self.replayed else None,
        }


def verdict_json(v: PropertyVerdict) -> dict[str, Any]:
    """Return the verdict on a property as a JSON object."""
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
        """REFUTED by a difference that neither has declared; UNDECIDED if nothing was compared, or less than planned."""
        if self.comparison.faults:
            return Status.REFUTED
        return Status.HOLDS if self.comparison.steps and not self.comparison.unfinished else Status.UNDECIDED

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
            "unfinished": list(self.comparison.unfinished),
            "differences": list(map(self._difference_json, self.comparison.differences)),
        }

    def _difference_json(self, d: Difference) -> dict[str, Any]:
        return {
            "what": d.kind.what,
            "departs": [self.name(side) for side in d.kind.departs],
            "declared": {self.name(side): why for side, why in d.declared.items()},
            "runs": d.runs,
            "config": d.config.to_json(),
            "trace": trace_json(d.trace),
            **{
                "left_answer": d.left,
                "right_answer": d.right,
                "specification": d.specification,
                "why": d.why,
                "specified_before": d.before,
            },
        }


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
        late = [f"{e.scope.name}, pages of {e.page_size}" for e in self.explored if e.given_up == "time"]
        explorations = list(map(_explored_json, self.explored))
        return {"subject": self.subject, "status": self.status, "explorations": explorations, "unfinished": late}


def _explored_json(e: Explored) -> dict[str, Any]:
    return {
        **{"scope": e.scope.name, "bound": e.scope.sentence, "policy": e.policy, "page_size": e.page_size, "verdict": e.verdict},
        **{"states": e.states, "transitions": e.transitions, "depth": e.depth, "closed": e.closed, "shown": e.shown},
        **{"opaque": e.opaque, "given_up": e.given_up, "seconds": round(e.seconds, 1), "states_a_minute": e.a_minute(e.states)},
        **{"transitions_a_minute": e.a_minute(e.transitions), "exercised": sorted(e.exercised)},
        "refuted": list(map(found_json, e.found)),
    }
