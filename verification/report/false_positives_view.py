"""False alarms, as a table that grows, and as JSON for machines."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from radixcheck.verification.mutants.false_positives import PLACES, SEEDS, SUBJECTS, Cleared, clear_all
from radixcheck.verification.report.mutants_view import Show
from radixcheck.verification.search.verify import supported
from radixcheck.verification.subjects.registry import UsageError


@dataclass(frozen=True, slots=True)
class Alarms:
    """What was found in caches in which there is nothing to find."""

    cleared: tuple[Cleared, ...]
    seeds: int
    seconds: float

    @property
    def status(self) -> int:
        """1 if anything was found."""
        return 1 if any(each.result.found for each in self.cleared) else 0

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


def _check(subject: str) -> None:
    """Raise `UsageError` unless the cache can be run in every configuration."""
    supports, _ = supported(subject)
    for place in PLACES:
        if place.policy not in supports.policies or place.page_size not in supports.page_sizes:
            raise UsageError(f"{subject} does not support {place}: --clean is for caches that support every configuration")


def alarms(subjects: Sequence[str], seeds: int | None, show: Show) -> Alarms:
    """Run the named caches; this project's own, if none is named. Raises `UsageError`."""
    for subject in subjects:
        _check(subject)
    start, steps, found = perf_counter(), 0, 0

    def told(part: Cleared) -> None:
        nonlocal steps, found
        steps, found = steps + part.result.steps, found + len(part.result.found)
        show(Group(Text(f"{steps:,} operations, {found} alarms; last: {part.subject}, {part.place}", "bold")))

    cleared = clear_all(tuple(subjects) or SUBJECTS, seeds or SEEDS, told)
    return Alarms(cleared, seeds or SEEDS, perf_counter() - start)
