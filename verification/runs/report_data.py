"""The data of a report, from which its sections are made. Nothing here runs a cache."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from radixcheck.verification.core.status import Outcome, Status, worst
from radixcheck.verification.review_6907.answers import BENCH, FACTS, LATENCY, PROVE
from radixcheck.verification.runs.answer_results import AnswersOutcome
from radixcheck.verification.runs.stored_results import Results, Stored
from radixcheck.verification.trace_replay.frame_results import Frame

MUTANTS = "mutants"  # the source of the kill matrix


@dataclass(frozen=True, slots=True)
class Counterexample:
    """A trace of a subject, and the properties that it refutes, as stored."""

    subject: str
    refuted: tuple[Stored, ...]
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True)
class CacheNamed:
    """A cache that a result is about."""

    sentence: str
    module: str  # that makes it


@dataclass(frozen=True, slots=True)
class ReportData(Outcome):
    """Answers, and the stored results that they rest on."""

    subjects: tuple[str, ...]  # under review
    replaced: bool  # whether they replace the submitted change
    results: Results
    answers: AnswersOutcome
    counterexamples: tuple[Counterexample, ...]
    findings: Mapping[str, Any]  # as `radixcheck findings --json` prints them; NOT RUN unless they were repeated
    versions: Mapping[str, str]  # of what was run
    caches: Mapping[str, CacheNamed] = field(default_factory=dict)  # those that a result is about, by name
    campaigns: tuple[Stored, ...] = ()  # as `radixcheck campaign` stored them, with any sources

    @property
    def status(self) -> Status:
        """The worst status of the answers, the subjects under review, the explorations, and the kill matrix.

        A mutant that survives makes all verdicts doubtful.
        """
        stored = (self.stored(source)["status"] for source in (*self.subjects, *self.explored_sources))
        return worst([self.answers.status, self.kill_matrix["status"], *stored])

    @property
    def kill_matrix(self) -> Stored:
        """Return the kill matrix."""
        return self.stored(MUTANTS)

    def to_json(self) -> dict[str, Any]:
        """Return everything."""
        return {
            "status": self.status,
            "subjects": list(self.subjects),
            "versions": dict(self.versions),
            "answers": self.answers.to_json(),
            "findings": dict(self.findings),
            "campaigns": list(self.campaigns),
            "results": dict(self.results.stored),
        }

    def stored(self, source: str) -> Stored:
        """Return the stored results of a source."""
        return self.results.stored[source]

    @property
    def verified(self) -> Iterator[tuple[str, Stored]]:
        """Yield the subjects that were verified, those under review first."""
        others = (PROVE, FACTS, BENCH, LATENCY, MUTANTS)
        names = [name for name in self.results.stored if name not in others and name not in self.explored_sources]
        yield from ((name, self.stored(name)) for name in sorted(names, key=lambda name: name not in self.subjects))

    @property
    def explored(self) -> dict[str, list[Stored]]:
        """Return the explorations of each subject that was explored."""
        return {source.partition(" ")[2]: self.stored(source)["explorations"] for source in self.explored_sources}

    @property
    def explored_sources(self) -> list[str]:
        """Return the sources that are explorations."""
        return [source for source in self.results.stored if source.startswith("explore ")]
