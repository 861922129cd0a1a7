"""The jobs behind the commands, and their results, which can be shown or written as JSON."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from radixcheck.verification.core.config import Config
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.status import Status, worst
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.operations import REQUEST_OPERATIONS, Op
from radixcheck.verification.protocol import Supports
from radixcheck.verification.replay.mooncake import TraceError, read
from radixcheck.verification.replay.replay import Replayed, Settings, replay
from radixcheck.verification.replay.sample import FILE as SAMPLE
from radixcheck.verification.report.pictures import Scene, scene
from radixcheck.verification.runs.request import Request, request_for
from radixcheck.verification.search.diff import Outcome, along, diff
from radixcheck.verification.search.verify import Options, Report, verify
from radixcheck.verification.subjects.registry import resolve

Progress = Callable[[str], AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True)
class VerifyOutcome:
    """The search, the scene of each fault, the comparison with the reference, and the replay of the sample trace."""

    report: Report
    scenes: tuple[tuple[Found, Scene | None], ...]
    agreement: "DiffOutcome | None"  # with the reference
    replayed: "ReplayOutcome | None"

    @property
    def status(self) -> Status:
        """The worst status of the search, the comparison and the replay."""
        return worst([self.report.status, *(part.status for part in (self.agreement, self.replayed) if part)])

    @property
    def command(self) -> str:
        """The command line that repeats the search."""
        o, usual = self.report.options, Supports()
        words = [*("radixcheck", "verify", self.report.subject, "--seed", f"{o.seed}", "--seconds", f"{o.seconds:g}")]
        words += [word for policy in o.policies for word in ("--policy", policy) if o.policies != usual.policies]
        words += [word for size in o.page_sizes for word in ("--page-size", f"{size}") if o.page_sizes != usual.page_sizes]
        words += ["--pool", f"{o.pool}"] if o.pool is not None else []
        words += ["--device", o.device] if o.device != "cpu" else []
        return shlex.join([*words, *(["--misuse"] if o.misused else [])])

    def to_json(self) -> dict[str, Any]:
        """Return the whole result as a JSON object."""
        r = self.report
        return {
            "subject": r.subject,
            "command": self.command,
            "status": self.status,
            "operations": r.steps,
            "runs": r.runs,
            "seconds": round(r.seconds, 1),
            "seed": r.options.seed,
            "policies": r.options.policies,
            "page_sizes": r.options.page_sizes,
            "rules_never_fired": r.idle_rules,
            "properties": [
                {
                    "id": v.property.id,
                    "kind": v.property.kind,
                    "verdict": v.verdict,
                    "checked": v.checked,
                    "non_vacuous": v.exercised,
                    "questions": v.property.questions.split(),
                    "note": v.note,
                }
                for v in r.verdicts
            ],
            "refuted": [_found_json(found, scene_) for found, scene_ in self.scenes],
            "reference": self.agreement.to_json() if self.agreement else None,
            "replay": self.replayed.to_json() if self.replayed else None,
        }


def _found_json(found: Found, scene_: Scene | None) -> dict[str, Any]:
    out = {
        "property": found.violation.property,
        "text": found.violation.text,
        "config": found.config.to_json(),
        "trace": [op.to_json() for op in found.trace],
    }
    if scene_:
        out |= {"before": scene_.before, "after": scene_.after, "orphans": scene_.orphans}
    return out


@dataclass(frozen=True, slots=True)
class ReplayOutcome:
    """A trace replayed. `unread`: why reading stopped before the end of the file."""

    subject: str
    trace: str
    settings: Settings
    replayed: Replayed
    unread: str = ""

    @property
    def status(self) -> Status:
        """REFUTED by a fault or a leak; WRONG_USE if the trace could not be read to its end; UNDECIDED if nothing was replayed."""
        if not self.replayed.clean:
            return Status.REFUTED
        if self.unread:
            return Status.WRONG_USE
        return Status.HOLDS if self.replayed.requests else Status.UNDECIDED

    def to_json(self) -> dict[str, Any]:
        """Return the whole result as a JSON object."""
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
            **{f.name: getattr(r, f.name) for f in fields(r) if f.name not in ("fault", "operations", "looked", "formulas")},
            **{name: dict(getattr(r, name)) for name in ("operations", "looked", "formulas")},
            "hit_rate": r.hit_rate,
            "fault": fault,
        }


REFERENCE = "reference"  # a subject that holds is compared with it
COMPARE_SECONDS = 8.0
POOL = 320_000  # tokens of a replay
SAMPLE_POOL = 6_000  # tokens: small enough that the sample evicts


def replay_trace(
    path: Path | None, subject: Subject, settings: Settings, limit: int, progress: Progress, record: Callable[[Op], None] = lambda op: None
) -> ReplayOutcome:
    """Replay a file, or the sample trace without one. `record` is called with every operation.

    Raise UsageError if no request of the file can be read.
    """
    recorded = read(path or SAMPLE, limit)
    shown = path.name if path else "sample"
    if recorded.error and not recorded.requests:
        raise UsageError(str(recorded.error))
    try:
        with progress(f"replay {shown}") as tell:
            replayed = replay(
                recorded.requests, subject, settings, progress=lambda done, total: tell(done / total, f"{done:,} requests"), record=record
            )
    except TraceError as error:
        raise UsageError(str(error)) from error
    return ReplayOutcome(subject.name, shown, settings, replayed, str(recorded.error or ""))


def verified(subject: Subject, request: Request, seconds: float, misused: bool, progress: Progress) -> VerifyOutcome:
    """Search one subject, without the comparison and the replay."""
    options = Options(request.policies, request.page_sizes, seconds, request.seed, request.pool, request.device, misused)
    with progress(f"verify {subject.name}") as tell:
        report = verify(subject, options, tell)
    return VerifyOutcome(report, tuple((found, scene(subject, found)) for found in report.found), None, None)


def verify_and_replay(subject: Subject, request: Request, seconds: float, misused: bool, progress: Progress) -> VerifyOutcome:
    """Search one subject. If nothing is refuted, compare it with the reference and replay the sample trace."""
    outcome = verified(subject, request, seconds, misused, progress)
    report = outcome.report
    replayed = agreement = None
    if not report.found and subject.name != REFERENCE:
        reference = resolve(REFERENCE)
        shared = request.both(request_for(reference, (), ()))
        agreement = compare(subject, reference, shared, min(COMPARE_SECONDS, seconds), progress)
    if not report.found and _replayable(subject):
        settings = Settings(page_size=16, pool=SAMPLE_POOL, device=request.device)
        replayed = replay_trace(None, subject, settings, 0, progress)
    return replace(outcome, agreement=agreement, replayed=replayed)


def _replayable(subject: Subject) -> bool:
    s = subject.supports
    return subject.white_box and set(REQUEST_OPERATIONS) <= set(s.operations) and 16 in s.page_sizes and "lru" in s.policies


@dataclass(frozen=True, slots=True)
class DiffOutcome:
    """Two subjects compared."""

    left: str
    right: str
    request: Request
    outcome: Outcome
    apart: tuple[str, ...] = ()  # what only one of the two declares, so that it was not compared

    @property
    def status(self) -> Status:
        """REFUTED by a difference that neither has declared; UNDECIDED if nothing was compared."""
        if self.outcome.faults:
            return Status.REFUTED
        return Status.HOLDS if self.outcome.steps else Status.UNDECIDED

    def to_json(self) -> dict[str, Any]:
        """Return the whole result as a JSON object."""
        return {
            "left": self.left,
            "right": self.right,
            "status": self.status,
            "operations": self.outcome.steps,
            "runs": self.outcome.runs,
            "left_the_specification_together": self.outcome.diverged,
            "not_compared": list(self.apart),
            "differences": [
                {
                    "what": d.kind.what,
                    "departs": [{"left": self.left, "right": self.right}[side] for side in d.kind.departs],
                    "declared": {{"left": self.left, "right": self.right}[side]: why for side, why in d.declared.items()},
                    "runs": d.runs,
                    "config": d.config.to_json(),
                    "trace": [op.to_json() for op in d.trace],
                    **{"left_answer": d.left, "right_answer": d.right, "specification": d.specification},
                }
                for d in self.outcome.differences
            ],
        }


def compare(
    left: Subject, right: Subject, request: Request, seconds: float, progress: Progress, operations: int | None = None
) -> DiffOutcome:
    """Compare two subjects for a number of seconds or, if given, over a number of operations."""
    with progress(f"diff {left.name} {right.name}") as tell:
        outcome = diff(left, right, request.configs(), request.seed, seconds, operations, tell)
    return DiffOutcome(left.name, right.name, request, outcome, tuple(_apart(left, right)))


def compare_along(left: Subject, right: Subject, request: Request, path: Path | None, limit: int, progress: Progress) -> DiffOutcome:
    """Compare two subjects along a trace (None: the sample) under the first policy and one page size of the request.

    Raise UsageError if no request of the trace can be read.
    """
    policy, size = request.policies[0], 16 if 16 in request.page_sizes else request.page_sizes[0]
    pool = request.pool or (POOL if path else SAMPLE_POOL)
    settings = Settings(policy, size, tokens_per_id=size, pool=pool, device=request.device)
    recorded: list[Op] = []
    replay_trace(path, resolve(REFERENCE), settings, limit, progress, recorded.append)
    with progress(f"diff {left.name} {right.name}") as tell:
        outcome = along(left, right, Config(policy, size, pool, request.device), tuple(recorded), tell)
    shown = replace(request, policies=(policy,), page_sizes=(size,))
    return DiffOutcome(left.name, right.name, shown, outcome, tuple(_apart(left, right)))


def _apart(left: Subject, right: Subject) -> Iterator[str]:
    """Yield what only one of them declares."""
    for subject, other in ((left, right), (right, left)):
        a, b = subject.supports, other.supports
        for what, mine, others in (
            ("policy", a.policies, b.policies),
            ("page size", a.page_sizes, b.page_sizes),
            ("operation", a.operations, b.operations),
            ("namespaces", ("",) * a.namespaces, ("",) * b.namespaces),
        ):
            lacking = [str(each) for each in mine if each not in others]
            if lacking:
                yield f"{other.name} has no {what} {', '.join(lacking)}".rstrip()
