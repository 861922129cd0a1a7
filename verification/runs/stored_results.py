"""Stored results, and the result of each piece of evidence in them. Nothing here runs a cache."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.review_6907.answers import BENCH, FACTS, LATENCY, PROVE, Evidence

Stored = Mapping[str, Any]  # the JSON object of a result


@dataclass(frozen=True, slots=True)
class Result:
    """The stored result of one piece of evidence."""

    verdict: str
    detail: str  # how much was decided, and in what time


@dataclass(frozen=True, slots=True)
class Results:
    """The stored results by source. Each verified subject is a source."""

    stored: Mapping[str, Stored]

    def of(self, evidence: Evidence) -> Result | None:
        """Return the result of a piece of evidence, or None if it is not stored. A latency that is not stored is NOT MEASURED."""
        missing = Result(Verdict.NOT_MEASURED, "no stored result of the present sources") if evidence.source == LATENCY else None
        found = self.stored.get(evidence.source)
        if found is None:
            return missing
        reader = {PROVE: _proved, FACTS: _tried, BENCH: _measured, LATENCY: _measured}.get(evidence.source, _verified)
        return reader(found, evidence.name) or missing


def _verified(found: Stored, name: str) -> Result | None:
    for p in found["properties"]:
        if p["id"] == name:
            if p["verdict"] == Verdict.NOT_OBSERVABLE:
                return Result(p["verdict"], p["note"])
            return Result(p["verdict"], f"{p['non_vacuous']:,} of {p['checked']:,} states or calls were non-vacuous")
    return None


def _proved(found: Stored, name: str) -> Result | None:
    cells = [cell for cell in found["cells"] if name in (cell["name"], cell["formula"])]
    if not cells:
        return None
    verdicts = dict.fromkeys(cell["verdict"] for cell in cells)
    seconds = sum(each["seconds"] for cell in cells for each in cell["decided"])
    return Result(" / ".join(verdicts), f"{len(cells)} condition{'s' if len(cells) > 1 else ''}, {seconds:.1f} s")


def _tried(found: Stored, name: str) -> Result | None:
    return next((Result(f["verdict"], f["against"] or f["detail"]) for f in found["facts"] if f["id"] == name), None)


def _measured(found: Stored, name: str) -> Result | None:
    return next((Result(c["verdict"], c["text"]) for c in found["claims"] if c["id"] == name), None)
