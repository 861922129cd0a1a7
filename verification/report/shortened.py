"""What `radixcheck replay --shrink` made of a replay that stopped: a test or a trace of few operations, or why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from radixcheck.verification import traces
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.replay.shrink import Shrunk, shrink
from radixcheck.verification.replay.written import text
from radixcheck.verification.report import files
from radixcheck.verification.report.outcome import Progress, ReplayOutcome
from radixcheck.verification.report.recorded import RecordedOutcome
from radixcheck.verification.search.run import Config
from radixcheck.verification.subjects.registry import UsageError, resolve
from radixcheck.verification.traces import Recorded

TEST, TRACE = ".py", ".jsonl"  # how the name of a file ends that is a test, or a trace


@dataclass(frozen=True, slots=True)
class Fault:
    """What is to be shrunk."""

    subject: str
    properties: tuple[str, ...]  # that are broken: the first of them that shows again is kept
    config: Config
    trace: Trace
    origin: str  # where it was met first, in a sentence


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


def of_replay(outcome: ReplayOutcome, recorded: Sequence[Op]) -> Fault | None:
    """What the replay of a request trace stopped at; None: nothing was found at an operation."""
    found, s = outcome.replayed.fault, outcome.settings
    if found is None:
        return None
    under = f"{s.policy}, pages of {s.page_size}, pool of {s.pool}, {s.running} running"
    origin = f"Found in a replay of {outcome.trace} under {under}, at operation {found.step:,} ({found.operation})."
    config = Config(s.policy, s.page_size, s.pool, s.device)
    return Fault(outcome.subject, (found.violation.property,), config, tuple(recorded), origin)


def of_recorded(outcome: RecordedOutcome) -> Fault | None:
    """What a trace file breaks; None: nothing."""
    if not outcome.broken:
        return None
    r, step = outcome.recorded, outcome.broken[0]
    broken = [v.property for each in outcome.broken for v in each.broken]
    ids = sorted(dict.fromkeys(broken), key=lambda id_: id_ != r.property)  # that for which it was recorded first
    origin = f"Found in {outcome.trace} under {r.config}, at operation {step.number:,} ({step.op})."
    return Fault(outcome.subject, tuple(ids), r.config, r.trace, origin)


def shorten(fault: Fault | None, out: Path, seconds: float, progress: Progress) -> Shortened:
    """Shrink a fault, in so many seconds at most, and write it as what the name of the file asks for."""
    if fault is None:
        return Shortened(out, None, f"nothing was found at an operation, so there is nothing to shrink: {out} was not written")
    with progress(f"shrink {len(fault.trace):,} operations") as tell:
        tries = (shrink(resolve(fault.subject), id_, fault.config, fault.trace, seconds, tell) for id_ in fault.properties)
        shrunk = next(filter(None, tries), None)
    if shrunk is None:
        again = f"the {len(fault.trace):,} recorded operations do not break {' nor '.join(fault.properties)} again in a cache of their own"
        return Shortened(out, None, f"{again}: {out} was not written")
    found = shrunk.found
    if out.suffix == TRACE:
        traces.write(out, Recorded(found.config, found.trace, fault.subject, found.violation.property))
    else:
        with out.open("x", encoding="utf-8") as file:
            file.write(text(fault.subject, fault.origin, shrunk))
    return Shortened(out, shrunk, "")
