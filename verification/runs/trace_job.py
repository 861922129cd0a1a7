"""The job of `radixcheck replay` for a trace of operations."""

from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from time import process_time

from radixcheck.verification.core.found import Found
from radixcheck.verification.core.progress import Progress, Tell, silent
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.protocol import Setup
from radixcheck.verification.runs.shrink_job import Origin, ShrinkTo, shrink_to
from radixcheck.verification.runs.trace_results import TraceOutcome
from radixcheck.verification.search.run import trace_checker
from radixcheck.verification.search.shrink import Effort, shrink_within
from radixcheck.verification.trace_replay.replay_results import Shrunk, Step
from radixcheck.verification.trace_replay.stepped import peeked, replicas, stepped


@dataclass(frozen=True, slots=True)
class TraceRequest:
    """A subject, and the trace of operations to replay through it, under the trace's own configuration."""

    subject: Subject
    trace: str  # its name
    recorded: Recorded
    shrink: ShrinkTo | None = None  # what to do with a fault


def replay_operations(request: TraceRequest, progress: Progress = silent) -> TraceOutcome:
    """Replay a trace with everything checked after each operation and, if asked to, shrink the fault."""
    subject, recorded, steps = request.subject, request.recorded, list[Step]()
    with progress(f"replay {request.trace}") as tell:
        for step in stepped(trace_checker(subject, recorded.config, len(recorded.trace)), recorded.trace):
            steps.append(step)
            tell(step.number / len(recorded.trace), f"{step.number:,} operations")
        first = next((step for step in steps if step.broken), None)
        differing = peeked(subject, recorded, first.number, first.broken) if first else replicas(subject, recorded)
    if differing:
        number, violation = differing
        steps = [replace(step, broken=(violation, *step.broken)) if step.number == number else step for step in steps]
    outcome = TraceOutcome(subject.name, request.trace, recorded, tuple(steps))
    if request.shrink is None:
        return outcome
    return replace(outcome, shrunk=shrink_to(request.shrink, _origin(subject, outcome), progress))


def _origin(subject: Subject, outcome: TraceOutcome) -> Origin | None:
    """Return the violation of the property for which the trace was recorded, else the first one; None if there is none."""
    r = outcome.recorded
    broken = [(step, v) for step in outcome.broken for v in step.broken]
    if not broken:
        return None
    step, violation = min(broken, key=lambda one: (one[1].property != r.property, bool(one[1].follows_from)))
    words = f"Found in {outcome.trace} under {r.config}, at operation {step.number:,} ({step.op})."
    trace = tuple(each.op for each in outcome.steps if each.performed and each.number <= step.number)
    found = Found(violation, trace, r.config)
    return Origin(subject.name, violation.property, subject, r.trace, words, partial(_by_checker, subject, found, len(r.trace)))


def _by_checker(subject: Subject, found: Found, recorded: int, effort: Effort, tell: Tell) -> Shrunk:
    """Shrink as `verify` does: the whole state is compared after each operation, so that the property keeps its name."""
    begun, attempts = process_time(), count(1)

    def counted(setup: Setup) -> object:
        tell(effort.share, f"{next(attempts):,} attempts")
        return subject(setup)

    shorter = shrink_within(counted, found, effort)
    return Shrunk(shorter, recorded, next(attempts) - 1, process_time() - begun, not effort.spent)
