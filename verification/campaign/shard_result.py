"""What a shard found, as plain data that can be written and read back."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from radixcheck.verification.campaign.packed import origin_from_json, origin_json, packed_found, unpacked_found
from radixcheck.verification.campaign.shard import Shard, digest_of
from radixcheck.verification.checker.coverage import Coverage
from radixcheck.verification.checker.formulas import Tally
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.envelope import Envelope, Reach

_REACH = ("reached", "target", "unit", "reason", "refuted")
DIGEST, SECONDS = "digest", "seconds"


@dataclass(frozen=True, slots=True)
class Row:
    """A verdict that is not about one property of a run: on an exploration, a mutant or a condition."""

    name: str
    verdict: str
    text: str
    status: int


@dataclass(frozen=True, slots=True)
class ShardResult:
    """The result of one shard. It is the same whoever performs the shard, but for the seconds."""

    number: int
    kind: str
    task: str  # the digest of the shard
    result: RunResult
    rows: tuple[Row, ...] = ()
    lost: str = ""  # how the processes that performed it ended, each time; empty: they did not
    seconds: float = field(default=0.0, compare=False)  # of work

    def to_text(self) -> str:
        """Return it as JSON, with a digest of what it says."""
        rows = [[row.name, str(row.verdict), row.text, int(row.status)] for row in self.rows]
        about = {"number": self.number, "kind": str(self.kind), "task": self.task, "lost": self.lost, "rows": rows}
        data = {**about, "result": _to_json(self.result)}
        return json.dumps({DIGEST: digest_of(data), SECONDS: round(self.seconds, 3), **data}) + "\n"

    @classmethod
    def from_text(cls, text: str) -> "ShardResult":
        """Return the result that `to_text` wrote. Raise ValueError if the text is not complete, or was changed."""
        try:
            data = json.loads(text)
            digest, seconds = data.pop(DIGEST), data.pop(SECONDS)
            if digest != digest_of(data):
                raise ValueError("its content is not what its digest says")
            rows = tuple(Row(*row) for row in data["rows"])
            return cls(data["number"], data["kind"], data["task"], _from_json(data["result"]), rows, data["lost"], seconds)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it is not the result of a shard ({error!r})") from error


def result_of(shard: Shard, result: RunResult, seconds: float = 0.0, lost: str = "", rows: Sequence[Row] = ()) -> ShardResult:
    """Return the result of a shard."""
    return ShardResult(shard.number, shard.kind, shard.digest, result, tuple(rows), lost, seconds)


def _to_json(result: RunResult) -> dict[str, Any]:
    return {
        "operations": result.steps,
        "runs": result.runs,
        "runs_lost": result.lost,
        "checked": dict(result.tally.checked),
        "exercised": dict(result.tally.exercised),
        "fired": dict(result.fired),
        "edges": dict(result.edges),
        "envelope": result.envelope.to_json(),
        "reaches": {name: {each: getattr(reach, each) for each in _REACH} for name, reach in result.reaches.items()},
        "marks": {mark: origin_json(origin) for mark, origin in result.coverage.reached.items()},
        "found": [packed_found(found) for found in result.found.values()],
        "consequences": [packed_found(found) for found in result.consequences.values()],
    }


def _from_json(data: Mapping[str, Any]) -> RunResult:
    found, consequences = (list(map(unpacked_found, data[name])) for name in ("found", "consequences"))
    return RunResult(
        steps=data["operations"],
        runs=data["runs"],
        lost=data["runs_lost"],
        tally=Tally(Counter(data["checked"]), Counter(data["exercised"])),
        fired=Counter(data["fired"]),
        edges=Counter(data["edges"]),
        found={each.violation.property: each for each in found},
        envelope=Envelope(**data["envelope"]),
        reaches={name: Reach(**reach) for name, reach in data["reaches"].items()},
        consequences={each.violation.property: each for each in consequences},
        coverage=Coverage({mark: origin_from_json(origin) for mark, origin in data["marks"].items()}),
    )
