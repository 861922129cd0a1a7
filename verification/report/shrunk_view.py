"""What `radixcheck replay --shrink` made of a replay that stopped: a test or a trace of few operations, or why there is none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Any

from rich.text import Text

from radixcheck.verification.core import traces
from radixcheck.verification.core.config import Config
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.subject import Factory, Subject
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.protocol import Setup
from radixcheck.verification.replay.regression_test import text
from radixcheck.verification.replay.shrink_replay import Shrunk, shrink
from radixcheck.verification.replay.stepped import DETERMINISM
from radixcheck.verification.report import verify_files as files
from radixcheck.verification.report.trace_view import RecordedOutcome
from radixcheck.verification.runs.outcome import Progress, ReplayOutcome
from radixcheck.verification.search.shrink import shrink as minimal

TEST, TRACE = ".py", ".jsonl"  # how the name of a file ends that is a test, or a trace


Tell = Callable[[float, str], None]  # share of the time that is spent, what is done


@dataclass(frozen=True, slots=True)
class Fault:
    """What is to be shrunk."""

    subject: str  # its name
    property: str  # that is broken
    trace: Trace
    origin: str  # where it was met first, in a sentence
    shrink: Callable[[float, Tell], Shrunk | None]  # in so many seconds; None: it does not show again


@dataclass(frozen=True, slots=True)
class Shortened:
    """What there is to say of shrinking."""

    out: Path
    shrunk: Shrunk | None  # None: nothing was written
    why: str  # nothing was written; empty: it was

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        if self.shrunk is None:
            return {"file": None, "why": self.why}
        s = self.shrunk
        return {
            "file": str(self.out),
            "property": s.found.violation.property,
            "recorded": s.recorded,
            "operations": [op.to_json() for op in s.found.trace],
            "attempts": s.attempts,
            "complete": s.complete,
            "seconds": s.seconds,
        }

    def parts(self) -> list[Any]:
        """For a person."""
        if self.shrunk is None:
            return [Text(self.why, "yellow")]
        s = self.shrunk
        steps = [Text(f"  {i}  {op}") for i, op in enumerate(s.found.trace, 1)]
        title = f"{s.recorded:,} operations shrunk to {len(steps)}, under {s.found.config}:"
        done = f"{s.attempts:,} attempts, {s.seconds:.1f} s" + ("" if s.complete else "; the time was over, fewer might do")
        mend = f"show them: radixcheck show {self.out}" if self.out.suffix == TRACE else f"run them: pytest {self.out}"
        return [Text(title), *steps, Text(f"{done}; {mend}")]


def check_new(out: Path) -> None:
    """Whether a file can be written there that is not there yet, before anything is run. Raises `UsageError`."""
    if out.suffix not in (TEST, TRACE):
        raise UsageError(f"--shrink {out}: give one that ends in {TEST}, for pytest, or in {TRACE}, a trace")
    files.check_new("--shrink", out)


def of_replay(subject: Subject, outcome: ReplayOutcome, recorded: Sequence[Op]) -> Fault | None:
    """What the replay of a request trace stopped at; None: nothing was found at an operation."""
    found, s = outcome.replayed.fault, outcome.settings
    if found is None:
        return None
    under = f"{s.policy}, pages of {s.page_size}, pool of {s.pool}, {s.running} running"
    origin = f"Found in a replay of {outcome.trace} under {under}, at operation {found.step:,} ({found.operation})."
    id_, config = found.violation.property, Config(s.policy, s.page_size, s.pool, s.device)
    return Fault(subject.name, id_, tuple(recorded), origin, partial(shrink, subject, id_, config, recorded))


def of_recorded(subject: Subject, outcome: RecordedOutcome) -> Fault | None:
    """What a trace file breaks: that for which it was recorded, or else the first; None: nothing."""
    r = outcome.recorded
    broken = [(step, v) for step in outcome.broken for v in step.broken]
    if not broken:
        return None
    step, violation = min(broken, key=lambda one: (one[1].property != r.property, bool(one[1].follows_from)))
    origin = f"Found in {outcome.trace} under {r.config}, at operation {step.number:,} ({step.op})."
    trace = tuple(each.op for each in outcome.steps if each.performed and each.number <= step.number)
    found = Found(violation, trace, r.config)
    return Fault(subject.name, violation.property, r.trace, origin, partial(_by_checker, subject, found, len(r.trace)))


def _by_checker(factory: Factory, found: Found, recorded: int, seconds: float, tell: Tell) -> Shrunk:
    """As `verify` shrinks: the whole state is compared after each operation, so that the property keeps its name."""
    begun, attempts = monotonic(), list[float]()

    def counted(setup: Setup) -> object:
        attempts.append(monotonic() - begun)
        tell(min(1.0, attempts[-1] / seconds), f"{len(attempts):,} attempts")
        return factory(setup)

    shorter = minimal(counted, found, seconds)
    spent = monotonic() - begun
    return Shrunk(shorter, recorded, len(attempts), spent, spent < seconds)


def shorten(fault: Fault | None, out: Path, seconds: float, progress: Progress) -> Shortened:
    """Shrink a fault, in so many seconds at most, and write it as what the name of the file asks for."""
    if fault is None:
        return Shortened(out, None, f"nothing was found at an operation, so there is nothing to shrink: {out} was not written")
    if out.suffix == TEST and fault.property == DETERMINISM:
        why = f"one run, as a test makes it, does not show {DETERMINISM}: {out} was not written; give a name that ends in {TRACE}"
        return Shortened(out, None, why)
    with progress(f"shrink {len(fault.trace):,} operations") as tell:
        shrunk = fault.shrink(seconds, tell)
    if shrunk is None:
        again = f"the {len(fault.trace):,} recorded operations do not break {fault.property} again in a cache of their own"
        return Shortened(out, None, f"{again}: {out} was not written")
    found = shrunk.found
    if out.suffix == TRACE:
        traces.write(out, Recorded(found.config, found.trace, fault.subject, found.violation.property))
    else:
        with out.open("x", encoding="utf-8") as file:
            file.write(text(fault.subject, fault.origin, shrunk))
    return Shortened(out, shrunk, "")
