"""All that a report is made of, before it is put into sections."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from radixcheck.verification.report.questions_view import Answered
from radixcheck.verification.review_6907.answers import BENCH, FACTS, PROVE
from radixcheck.verification.runs.results import Results
from radixcheck.verification.runs.store import Stored


@dataclass(frozen=True, slots=True)
class Gathered:
    """Answers, and the stored results that they rest on."""

    subjects: tuple[str, ...]  # under review
    replaced: bool  # whether they stand in the place of the change that was submitted
    results: Results
    answered: tuple[Answered, ...]
    findings: Mapping[str, Any]  # as `radixcheck findings --json` prints them; not repeated: their verdicts are NOT RUN
    versions: Mapping[str, str]  # of what was run

    def stored(self, source: str) -> Stored:
        """What is stored of it."""
        return self.results.stored[source]

    @property
    def verified(self) -> Iterator[tuple[str, Stored]]:
        """The caches that were checked, those under review first."""
        others = (PROVE, FACTS, BENCH, "mutants")
        names = [name for name in self.results.stored if name not in others and not name.startswith("explore ")]
        yield from ((name, self.stored(name)) for name in sorted(names, key=lambda name: name not in self.subjects))


def anchor(kind: str, *names: str) -> str:
    """An id within the document.

    >>> anchor("trace", "as-submitted:pairs", "EVICT_LEAF")
    'trace-as-submitted-pairs-EVICT_LEAF'
    """
    return "-".join("".join(c if c.isalnum() or c in "_." else "-" for c in name) for name in (kind, *names))
