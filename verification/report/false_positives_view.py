"""False alarms, as a table that grows, and as JSON for machines."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from radixcheck.verification.core.status import Status
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.mutants.false_positives import PLACES, Cleared, clear_all
from radixcheck.verification.report.mutants_view import Show


@dataclass(frozen=True, slots=True)
class Alarms:
    """What was found in caches in which there is nothing to find."""

    cleared: tuple[Cleared, ...]
    seeds: int
    seconds: float

    @property
    def status(self) -> Status:
        """REFUTED if anything was found."""
        return Status.REFUTED if any(each.result.found for each in self.cleared) else Status.HOLDS

    def parts(self) -> list[Any]:
        """The table, every alarm with its operations, and a line that counts."""
        table = Table("subject", "configuration", "runs", "operations", "alarms", box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for each in self.cleared:
            found = Text(", ".join(each.result.found) or "0", "bold red" if each.result.found else "green")
            table.add_row(each.subject, str(each.place), f"{each.result.runs:,}", f"{each.result.steps:,}", found)
        return [table, Text(), *self._found(), self._last()]

    def _found(self) -> list[Text]:
        return [
            Text(f"{each.subject}, {each.place}: {id_}: {found.violation.text}: {'; '.join(map(str, found.trace))}", "bold red")
            for each in self.cleared
            for id_, found in each.result.found.items()
        ]

    def _last(self) -> Text:
        alarms = sum(len(each.result.found) for each in self.cleared)
        words = f"{alarms} false alarm{'s' * (alarms != 1)}"
        steps = sum(each.result.steps for each in self.cleared)
        bound = f", {steps:,} operations, {self.seeds} seeds x {len(PLACES)} configurations of each cache, {self.seconds:.0f} s"
        return Text.assemble((words, "bold red" if alarms else "green"), bound)

    def to_json(self) -> dict[str, Any]:
        """Everything, for machines."""
        return {
            "status": self.status,
            "seeds": self.seeds,
            "seconds": round(self.seconds, 1),
            "rows": [_row(each) for each in self.cleared],
        }


def _row(each: Cleared) -> dict[str, Any]:
    found = [
        {"property": id_, "text": found.violation.text, "trace": [op.to_json() for op in found.trace]}
        for id_, found in each.result.found.items()
    ]
    return {"subject": each.subject, **asdict(each.place), "runs": each.result.runs, "operations": each.result.steps, "alarms": found}


def _check(subject: Subject) -> None:
    """Raise UsageError unless the subject supports every configuration."""
    for place in PLACES:
        if place.policy not in subject.supports.policies or place.page_size not in subject.supports.page_sizes:
            raise UsageError(f"{subject.name} does not support {place}: --clean is for caches that support every configuration")


def alarms(subjects: Sequence[Subject], seeds: int, show: Show) -> Alarms:
    """Run the subjects. Raise UsageError if one does not support every configuration."""
    for subject in subjects:
        _check(subject)
    start, steps, found = perf_counter(), 0, 0

    def told(part: Cleared) -> None:
        nonlocal steps, found
        steps, found = steps + part.result.steps, found + len(part.result.found)
        show(Group(Text(f"{steps:,} operations, {found} alarms; last: {part.subject}, {part.place}", "bold")))

    cleared = clear_all(subjects, seeds, told)
    return Alarms(cleared, seeds, perf_counter() - start)
