"""What `radixcheck replay --shrink` made of a replay that stopped: a file of few operations, or the reason why there is none."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from radixcheck.verification.operations import Op
from radixcheck.verification.replay.fault import Fault
from radixcheck.verification.replay.shrink import Shrunk, shrink
from radixcheck.verification.replay.written import text
from radixcheck.verification.report.outcome import Progress, ReplayOutcome
from radixcheck.verification.search.run import Config
from radixcheck.verification.subjects.registry import UsageError, resolve
from radixcheck.verification.traces import Recorded, write

TRACE = ".jsonl"  # how the name of a file ends that holds a trace


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
        again = "radixcheck show" if self.out.suffix == TRACE else "pytest"
        return [Text(title), *steps, Text(f"{done}; run them: {again} {self.out}")]


def check_new(out: Path) -> None:
    """Whether a file can be written there that is not there yet, before anything is run. Raises `UsageError`."""
    if out.suffix not in (".py", TRACE):
        raise UsageError(f"--shrink {out}: give a name that ends in .py, for pytest, or in {TRACE}, for a trace")
    try:
        out.open("x").close()
        out.unlink()
    except FileExistsError as error:
        raise UsageError(f"--shrink {out}: exists already, and is not overwritten; give another file") from error
    except OSError as error:
        raise UsageError(f"--shrink {out}: cannot be written ({error.strerror}); give another file") from error


def shorten(outcome: ReplayOutcome, recorded: Sequence[Op], out: Path, seconds: float, progress: Progress) -> Shortened:
    """Shrink what a replay recorded, in so many seconds at most, and write it as a pytest file."""
    fault, s = outcome.replayed.fault, outcome.settings
    if fault is None:
        return Shortened(out, None, f"nothing was found at an operation, so there is nothing to shrink: {out} was not written")
    config = Config(s.policy, s.page_size, s.pool, s.device)
    return shortened(outcome.subject, fault.violation.property, config, recorded, _origin(outcome, fault), out, seconds, progress)


def shortened(
    subject: str, property_: str, config: Config, recorded: Sequence[Op], origin: str, out: Path, seconds: float, progress: Progress
) -> Shortened:
    """Shrink operations that break a property, and write what is left: a pytest file, or a trace."""
    with progress(f"shrink {len(recorded):,} operations") as tell:
        shrunk = shrink(resolve(subject), property_, config, recorded, seconds, tell)
    if shrunk is None:
        again = f"the {len(recorded):,} recorded operations do not break {property_} again in a cache of their own"
        return Shortened(out, None, f"{again}: {out} was not written")
    if out.suffix == TRACE:
        write(out, Recorded(shrunk.found.config, shrunk.found.trace, subject, property_))
    else:
        with out.open("x", encoding="utf-8") as file:
            file.write(text(subject, origin, shrunk))
    return Shortened(out, shrunk, "")


def _origin(outcome: ReplayOutcome, fault: Fault) -> str:
    s = outcome.settings
    under = f"{s.policy}, pages of {s.page_size}, pool of {s.pool}, {s.running} running"
    return f"Found in a replay of {outcome.trace} under {under}, at operation {fault.step:,} ({fault.operation})."
