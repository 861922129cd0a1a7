"""What runs of the checker did and found."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from radixcheck.verification.checker.coverage import Coverage
from radixcheck.verification.checker.formulas import Tally
from radixcheck.verification.core.envelope import Envelope, Reach
from radixcheck.verification.core.found import Config, Found, Violation
from radixcheck.verification.operations import Op


@dataclass(slots=True)
class RunResult:
    """What one run, or several merged ones, did and found: the first violation of each property, by its id."""

    steps: int = 0
    runs: int = 0
    lost: int = 0  # runs at whose end the subject did not answer any more
    tally: Tally = field(default_factory=Tally)
    fired: Counter[str] = field(default_factory=Counter)  # operations by name
    edges: Counter[str] = field(default_factory=Counter)  # edges taken, by id
    found: dict[str, Found] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)  # property -> number of operations, with the one that first broke it
    envelope: Envelope = field(default_factory=Envelope)  # how far the runs went
    reaches: dict[str, Reach] = field(default_factory=dict)  # by dimension of the stretch phase
    consequences: dict[str, Found] = field(default_factory=dict)  # violations that follow from another one
    coverage: Coverage = field(default_factory=Coverage)  # of random runs, where it is recorded

    @classmethod
    def of(cls, parts: Iterable["RunResult"]) -> "RunResult":
        """Return the merged results."""
        result = cls()
        for part in parts:
            result.merge(part)
        return result

    @property
    def followed(self) -> dict[str, str]:
        """For each property that was broken as a consequence: the property whose violation caused it."""
        return {id_: found.violation.follows_from for id_, found in self.consequences.items()}

    def broken(self, id_: str) -> Found | None:
        """Return how a property was broken, also as a consequence of another; None if it was not."""
        return self.found.get(id_) or self.consequences.get(id_)

    def merge(self, other: "RunResult") -> None:
        """Add another result; of two traces for one property keep the shorter."""
        for id_, steps in other.after.items():
            self.after.setdefault(id_, self.steps + steps)
        self.steps += other.steps
        self.runs += other.runs
        self.lost += other.lost
        self.envelope = self.envelope.merge(other.envelope)
        self.reaches.update(other.reaches)
        self.tally.add(other.tally)
        self.fired.update(other.fired)
        self.edges.update(other.edges)
        self.coverage.add(other.coverage.reached)
        for ours, theirs in ((self.found, other.found), (self.consequences, other.consequences)):
            for id_, found in theirs.items():
                if id_ not in ours or len(found.trace) < len(ours[id_].trace):
                    ours[id_] = found

    def record(self, violations: Iterable[Violation], trace: Iterable[Op], config: Config) -> None:
        """Keep the violations of properties that were not broken before."""
        for v in violations:
            kept = self.consequences if v.follows_from else self.found
            if v.property not in kept:
                kept[v.property] = Found(v, tuple(trace), config)
                self.after.setdefault(v.property, len(kept[v.property].trace))
