"""What the commands do, and what they found, ready to be shown or written as JSON."""

import shlex
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from radixcheck.verification.operations import REQUEST_OPERATIONS, Op
from radixcheck.verification.protocol import Supports
from radixcheck.verification.replay.mooncake import TraceError, read
from radixcheck.verification.replay.replay import Replayed, Settings, replay
from radixcheck.verification.replay.sample import FILE as SAMPLE
from radixcheck.verification.report.pictures import Scene, scene
from radixcheck.verification.search.diff import POOL_PAGES, Outcome, along, diff
from radixcheck.verification.search.run import Config, Found
from radixcheck.verification.search.verify import Options, Report, supported, verify
from radixcheck.verification.subjects.registry import Subject, UsageError, name_of, resolve

Progress = Callable[[str], AbstractContextManager[Any]]


@dataclass(frozen=True, slots=True)
class Request:
    """Under what to check, as asked on the command line."""

    policies: tuple[str, ...]
    page_sizes: tuple[int, ...]
    pool: int | None
    device: str
    seed: int

    def both(self, other: "Request") -> "Request":
        """What two subjects share. Raises `UsageError` if that is nothing."""
        policies = tuple(p for p in self.policies if p in other.policies)
        sizes = tuple(s for s in self.page_sizes if s in other.page_sizes)
        if not policies or not sizes:
            raise UsageError("the two subjects share no policy or no page size")
        return Request(policies, sizes, self.pool, self.device, self.seed)

    def configs(self) -> tuple[Config, ...]:
        """Every policy and page size, with pools of several sizes."""
        return tuple(
            Config(policy, size, self.pool or size * pages, self.device)
            for pages in POOL_PAGES
            for size in self.page_sizes
            for policy in self.policies
        )


def config_json(config: Config) -> dict[str, Any]:
    """A configuration as JSON."""
    return {"policy": config.policy, "page_size": config.page_size, "pool": config.pool, "device": config.device}


@dataclass(frozen=True, slots=True)
class VerifyOutcome:
    """A report, the scene of each fault, and the replay of the sample where the subject can be replayed."""

    report: Report
    scenes: tuple[tuple[Found, Scene | None], ...]
    agreement: "DiffOutcome | None"  # with the reference
    replayed: "ReplayOutcome | None"

    @property
    def status(self) -> int:
        """The exit status."""
        parts = [self.report.status, *(part.status for part in (self.agreement, self.replayed) if part)]
        return next((status for status in (1, 3, 2) if status in parts), 0)

    @property
    def command(self) -> str:
        """What repeats it."""
        o, usual = self.report.options, Supports()
        words = [*("radixcheck", "verify", self.report.subject, "--seed", f"{o.seed}", "--seconds", f"{o.seconds:g}")]
        words += [word for policy in o.policies for word in ("--policy", policy) if o.policies != usual.policies]
        words += [word for size in o.page_sizes for word in ("--page-size", f"{size}") if o.page_sizes != usual.page_sizes]
        words += ["--pool", f"{o.pool}"] if o.pool is not None else []
        words += ["--device", o.device] if o.device != "cpu" else []
        return shlex.join([*words, *(["--misuse"] if o.misused else [])])

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines."""
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
        "config": config_json(found.config),
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
    def status(self) -> int:
        """The exit status: 1 a fault or a leak, 2 a trace that could not be read to its end, 3 nothing replayed."""
        if not self.replayed.clean:
            return 1
        if self.unread:
            return 2
        return 0 if self.replayed.requests else 3

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines."""
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


BESIDE = "reference"  # the cache that a subject which holds is compared with
BESIDE_SECONDS = 8.0
POOL = 320_000  # tokens of a replay
SAMPLE_POOL = 6_000  # tokens: small enough that the sample evicts


def replay_trace(
    path: Path | None, subject: str, settings: Settings, limit: int, progress: Progress, record: Callable[[Op], None] = lambda op: None
) -> ReplayOutcome:
    """Replay a file, or the sample if none is given; `record` is told of every operation. Raises `UsageError` if nothing can be used."""
    recorded = read(path or SAMPLE, limit)
    shown = path.name if path else "sample"
    if recorded.error and not recorded.requests:
        raise UsageError(str(recorded.error))
    try:
        with progress(f"replay {shown}") as tell:
            replayed = replay(
                recorded.requests,
                resolve(subject),
                settings,
                progress=lambda done, total: tell(done / total, f"{done:,} requests"),
                record=record,
            )
    except TraceError as error:
        raise UsageError(str(error)) from error
    return ReplayOutcome(subject, shown, settings, replayed, str(recorded.error or ""))


def verified(subject: Subject, request: Request, seconds: float, misused: bool, progress: Progress) -> VerifyOutcome:
    """One subject searched, without the comparison and the replay."""
    options = Options(request.policies, request.page_sizes, seconds, request.seed, request.pool, request.device, misused)
    with progress(f"verify {name_of(subject)}") as tell:
        report = verify(subject, options, tell)
    factory = resolve(subject)
    return VerifyOutcome(report, tuple((found, scene(factory, found)) for found in report.found), None, None)


def verify_and_replay(subject: str, request: Request, seconds: float, misused: bool, progress: Progress) -> VerifyOutcome:
    """The main job for one subject."""
    outcome = verified(subject, request, seconds, misused, progress)
    report = outcome.report
    replayed = agreement = None
    if not report.found and subject != BESIDE:
        shared = request.both(_everything(BESIDE, request))
        agreement = compare(subject, BESIDE, shared, min(BESIDE_SECONDS, seconds), progress)
    if not report.found and _replayable(subject, request):
        settings = Settings(page_size=16, pool=SAMPLE_POOL, device=request.device)
        replayed = replay_trace(None, subject, settings, 0, progress)
    return replace(outcome, agreement=agreement, replayed=replayed)


def _everything(subject: str, request: Request) -> Request:
    supports, _ = supported(subject)
    return Request(supports.policies, supports.page_sizes, request.pool, request.device, request.seed)


def _replayable(subject: str, request: Request) -> bool:
    supports, transparent = supported(subject, request.device)
    return set(REQUEST_OPERATIONS) <= set(supports.operations) and transparent and 16 in supports.page_sizes and "lru" in supports.policies


@dataclass(frozen=True, slots=True)
class DiffOutcome:
    """Two subjects compared."""

    left: str
    right: str
    request: Request
    outcome: Outcome
    apart: tuple[str, ...] = ()  # what only one of the two declares

    @property
    def status(self) -> int:
        """The exit status: 1 they differ in something that nobody declared, 3 nothing was compared, 0 they agree."""
        if self.outcome.faults:
            return 1
        return 0 if self.outcome.steps else 3

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        return {
            "left": self.left,
            "right": self.right,
            "status": self.status,
            "operations": self.outcome.steps,
            "runs": self.outcome.runs,
            "left_the_specification_together": self.outcome.parted,
            "not_compared": list(self.apart),
            "differences": [
                {
                    "what": d.kind.what,
                    "departs": [{"left": self.left, "right": self.right}[side] for side in d.kind.departs],
                    "declared": {{"left": self.left, "right": self.right}[side]: why for side, why in d.declared.items()},
                    "runs": d.runs,
                    "config": config_json(d.config),
                    "trace": [op.to_json() for op in d.trace],
                    **{"left_answer": d.left, "right_answer": d.right, "specification": d.specification},
                }
                for d in self.outcome.differences
            ],
        }


def compare(left: str, right: str, request: Request, seconds: float, progress: Progress, operations: int | None = None) -> DiffOutcome:
    """Compare two subjects, for so many seconds or until so many operations were compared."""
    with progress(f"diff {left} {right}") as tell:
        outcome = diff(left, right, request.configs(), request.seed, seconds, operations, tell)
    return DiffOutcome(left, right, request, outcome, tuple(_apart(left, right)))


def compare_along(left: str, right: str, request: Request, path: Path | None, limit: int, progress: Progress) -> DiffOutcome:
    """Compare two subjects along a trace (None: the sample) under the first policy and page size that was asked for.

    Raises `UsageError` if nothing can be used of the trace.
    """
    policy, size = request.policies[0], 16 if 16 in request.page_sizes else request.page_sizes[0]
    pool = request.pool or (POOL if path else SAMPLE_POOL)
    settings = Settings(policy, size, tokens_per_id=size, pool=pool, device=request.device)
    recorded: list[Op] = []
    replay_trace(path, BESIDE, settings, limit, progress, recorded.append)
    with progress(f"diff {left} {right}") as tell:
        outcome = along(left, right, Config(policy, size, pool, request.device), tuple(recorded), tell)
    shown = replace(request, policies=(policy,), page_sizes=(size,))
    return DiffOutcome(left, right, shown, outcome, tuple(_apart(left, right)))


def _apart(left: str, right: str) -> Iterator[str]:
    """What only one of them declares, and so is not compared."""
    a, b = supported(left)[0], supported(right)[0]
    for one, other, name in ((a, b, right), (b, a, left)):
        for what, mine, others in (
            ("policy", one.policies, other.policies),
            ("page size", one.page_sizes, other.page_sizes),
            ("operation", one.operations, other.operations),
            ("namespaces", ("",) * one.namespaces, ("",) * other.namespaces),
        ):
            lacking = [str(each) for each in mine if each not in others]
            if lacking:
                yield f"{name} has no {what} {', '.join(lacking)}".rstrip()
