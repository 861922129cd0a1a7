"""The result of a campaign: what it did, the verdict on each property, and for each finding the command that repeats it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from radixcheck.verification.campaign.shard_result import Row
from radixcheck.verification.core.status import Outcome, Status, worst
from radixcheck.verification.runs.run_results import found_json, verdict_json
from radixcheck.verification.search.search_results import Report

FAULTS_MAX = 5  # that a sentence lists


@dataclass(frozen=True, slots=True)
class Performed:
    """What was performed, by whom, and what is missing."""

    planned: int  # shards
    done: int
    resumed: int  # of them were in the store before
    kinds: Mapping[str, int]  # shards that were performed, by kind
    missing: tuple[str, ...]  # titles of some that are missing
    lost: Mapping[int, str]  # shards whose processes were lost, each with how
    nodes_lost: int  # how often a shard was lost with a node, or a worker, of Ray
    workers: str  # who performed them, in words
    operations: int  # of this run
    seconds: float  # of this run
    work_seconds: float  # of processes, of all shards
    later: int = 0  # traces of the corpus that came after the campaign was begun: its plan has them not


@dataclass(frozen=True, slots=True)
class CampaignOutcome(Outcome):
    """The result of a campaign so far."""

    report: Report
    performed: Performed
    store: Path
    sources: str
    commit: str
    date: str
    command: str
    files: Mapping[str, str]  # of the trace of each refuted property
    repeats: Mapping[str, str]  # the command that repeats the finding of each on this machine
    rows: tuple[Row, ...] = ()  # verdicts on explorations, mutants and conditions

    @property
    def status(self) -> Status:
        """The worst status of the search and of the other verdicts; without any shard UNDECIDED."""
        return worst([*([self.report.status] if self.performed.done else []), *(row.status for row in self.rows)])

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        r, p = self.report, self.performed
        return {
            "subject": r.subject,
            "command": self.command,
            "status": self.status,
            **{"store": str(self.store), "sources": self.sources, "commit": self.commit, "date": self.date},
            **{"operations": r.steps, "operations_planned": r.bounds.operations, "runs": r.runs},
            **{"seed": r.bounds.seed, "policies": list(r.bounds.policies), "page_sizes": list(r.bounds.page_sizes)},
            "modes": list(r.bounds.modes),
            "shards": {
                **{"planned": p.planned, "done": p.done, "resumed": p.resumed, "kinds": dict(p.kinds)},
                **{"missing": list(p.missing), "lost": {str(number): how for number, how in p.lost.items()}},
            },
            "performed": {
                **{"workers": p.workers, "nodes_lost": p.nodes_lost, "operations": p.operations, "corpus_later": p.later},
                **{"seconds": round(p.seconds, 1), "work_seconds": round(p.work_seconds, 1)},
            },
            "rules_never_fired": list(r.idle_rules),
            "undecided": list(r.gaps),
            "envelope": r.envelope.to_json(),
            "stretch": {name: reach.to_json() for name, reach in r.reaches.items()},
            "edges": {"taken": dict(r.edges), "impossible": dict(r.impossible_edges), "never_taken": list(r.missing_edges)},
            "properties": list(map(verdict_json, r.verdicts)),
            "verdicts": [asdict(row) for row in self.rows],
            "refuted": [found_json(found) | self._repeated(found.violation.property) for found in r.found],
        }

    def _repeated(self, property_: str) -> dict[str, str]:
        told = {"file": self.files.get(property_), "repeat": self.repeats.get(property_)}
        return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class CheckedStore(Outcome):
    """The check of a store."""

    folder: Path
    shards: int  # stored
    planned: int | None  # None: other sources made the store, so that its plan is not known here
    faults: tuple[str, ...]

    @property
    def status(self) -> Status:
        """HOLDS if every shard of the plan is stored, and no file has a fault; else UNDECIDED."""
        return Status.HOLDS if not self.faults and self.shards == self.planned else Status.UNDECIDED

    @property
    def sentence(self) -> str:
        """The check in words."""
        of = "" if self.planned is None else f" of {self.planned:,}"
        if self.faults:
            return f"{self.folder}: {len(self.faults)} of {self.shards:,} shards cannot be used: {'; '.join(self.faults[:FAULTS_MAX])}"
        unknown = "" if self.planned is not None else "; other sources made it, so that it was not compared with its plan"
        missing = "; the same command performs the others" if self.planned is not None and self.shards < self.planned else ""
        return f"{self.folder}: {self.shards:,}{of} shards are stored, and each is undamaged{unknown}{missing}"

    def to_json(self) -> dict[str, Any]:
        """Return the check as a JSON object."""
        about = {"store": str(self.folder), "status": self.status, "shards": self.shards, "planned": self.planned}
        return {**about, "faults": list(self.faults)}
