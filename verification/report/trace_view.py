"""A trace file replayed: its operations under its own configuration, each checked; what came of it, for a person and as JSON."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.text import Text

from radixcheck.verification.core.status import Status
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.replay.stepped import Step, replicas, stepped
from radixcheck.verification.report.alt_text import clean
from radixcheck.verification.report.wording import numbered, styled
from radixcheck.verification.runs.outcome import Progress
from radixcheck.verification.search.diff import brief
from radixcheck.verification.search.probes import PROBED
from radixcheck.verification.search.run import new_checker


@dataclass(frozen=True, slots=True)
class RecordedOutcome:
    """A trace file replayed through a subject."""

    subject: str  # its name
    trace: str  # the name of the file
    recorded: Recorded
    steps: tuple[Step, ...]  # up to the one after which nothing more could be judged

    @property
    def broken(self) -> tuple[Step, ...]:
        """The steps at which something breaks."""
        return tuple(step for step in self.steps if step.broken)

    @property
    def undecided(self) -> str:
        """Why nothing can be said although nothing broke; empty if it can."""
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
        """Everything, for machines."""
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
        }

    def parts(self) -> list[Any]:
        """For a person."""
        count = len(self.recorded.trace)
        head = f"{self.trace} through {self.subject}: {count:,} operation{'s' * (count != 1)} under {self.recorded.config}"
        lines: list[Any] = [Text(clean(head))]
        lines += map(Text, numbered([clean(f"{brief(str(step.op))}: {step.answer}") for step in self.steps]))
        rest = count - len(self.steps)
        if rest:
            lines.append(Text(f"the other {rest:,} were not performed: after this nothing can be judged", "yellow"))
        for step in self.broken:
            lines += [_broken(step, v.property, v.text, v.follows_from) for v in step.broken]
        named = {v.property for step in self.broken for v in step.broken}
        if self.recorded.property and self.recorded.property not in (*named, *PROBED):
            lines.append(Text(clean(f"{self.recorded.property}, for which it was recorded, is not broken here")))
        if self.undecided:
            lines.append(Text(clean(self.undecided), "yellow"))
        return [*lines, Text.assemble(clean(self.subject) + " ", styled(self.status), clean(f" on {self.trace}"))]


def _broken(step: Step, id_: str, text: str, follows_from: str) -> Text:
    where = clean(f" at operation {step.number:,} ({brief(str(step.op))}): {text}" + (f", as {follows_from} is" if follows_from else ""))
    return Text.assemble((f"{id_} REFUTED", "bold red"), where)


def replay_recorded(path: Path, recorded: Recorded, subject: Subject, progress: Progress) -> RecordedOutcome:
    """Perform and check a trace as `show` does; with every operation the whole state is compared, and every formula evaluated."""
    steps = list[Step]()
    with progress(f"replay {path.name}") as tell:
        for step in stepped(new_checker(subject, recorded.config, stride=1), recorded.trace):
            steps.append(step)
            tell(step.number / len(recorded.trace), f"{step.number:,} operations")
        differing = None if any(step.broken for step in steps) else replicas(subject, recorded)
    if differing:
        number, violation = differing
        steps = [replace(step, broken=(violation,)) if step.number == number else step for step in steps]
    return RecordedOutcome(subject.name, path.name, recorded, tuple(steps))
