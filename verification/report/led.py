"""Recorded operations that were run again: what broke, and at which of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.text import Text

from radixcheck.verification.catalogue import CATALOGUE
from radixcheck.verification.refinement.checker import Violation
from radixcheck.verification.replay.judge import judge
from radixcheck.verification.report.outcome import Progress
from radixcheck.verification.report.shortened import Shortened, shortened
from radixcheck.verification.search.run import new_checker
from radixcheck.verification.subjects.registry import resolve
from radixcheck.verification.traces import Recorded


@dataclass(frozen=True, slots=True)
class Led:
    """A cache, led along operations."""

    file: str
    subject: str
    recorded: Recorded
    done: int  # operations that could be called, up to the one that breaks something
    uncallable: int  # those that no caller could make
    broken: tuple[Violation, ...]

    @property
    def status(self) -> int:
        """1: something breaks; 3: nothing was called, or not all could be; 0: all of it holds."""
        if self.broken:
            return 1
        return 0 if self.done and not self.uncallable else 3

    def parts(self) -> list[Any]:
        """For a person."""
        parts: list[Any] = []
        for violation in self.broken:
            sentence = CATALOGUE[violation.property].sentence
            parts.append(Text.assemble((f"{violation.property} REFUTED", "bold red"), f"  {sentence}"))
            parts.append(Text(f"  at operation {self.done} ({self.recorded.trace[self.done - 1]}): {violation.text}"))
        if self.uncallable:
            parts.append(Text(f"{self.uncallable} operations could not be called after those before them, and were left out", "yellow"))
        verdict, colour = {0: ("holds", "green"), 1: ("is refuted", "bold red"), 3: ("is undecided", "yellow")}[self.status]
        bound = f" on {self.file}: {self.done} of {len(self.recorded.trace)} operations under {self.recorded.config}"
        return [*parts, Text.assemble(f"{self.subject} ", (verdict, colour), bound)]

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        broken = [{"property": v.property, "text": v.text} for v in self.broken]
        return {"subject": self.subject, "trace": self.file, "status": self.status, "operations": self.done, "broken": broken}


def lead(file: str, subject: str, recorded: Recorded) -> Led:
    """Run them on a fresh cache, with every property checked after each, up to the first that breaks one."""
    c = recorded.config
    checker = new_checker(resolve(subject), c, stride=1)
    uncallable = 0
    for number, op in enumerate(recorded.trace, 1):
        uncallable += not checker.allowed(op)
        if broken := checker.step(op):
            return Led(file, subject, recorded, number, uncallable, tuple(broken))
    return Led(file, subject, recorded, len(recorded.trace) - uncallable, uncallable, ())


def shorten(led: Led, out: Path, seconds: float, progress: Progress) -> Shortened:
    """The fewest of them that show the same, written to `out`."""
    if not led.broken:
        return Shortened(out, None, f"nothing breaks, so there is nothing to shrink: {out} was not written")
    origin = f"Found along {led.file}, at operation {led.done}."
    config, trace = led.recorded.config, led.recorded.trace[: led.done]
    first = judge(resolve(led.subject), config, trace).violations  # as the shrinker will judge each attempt
    property_ = first[0].property if first else led.broken[0].property
    return shortened(led.subject, property_, config, trace, origin, out, seconds, progress)
