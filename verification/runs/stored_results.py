"""Stored results, and the result of each piece of evidence in them. Nothing here runs a cache."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.review_6907.answers import BENCH, FACTS, LATENCY, PROVE, Evidence
from radixcheck.verification.review_6907.cost_claims import CLAIMS

Stored = Mapping[str, Any]  # the JSON object of a result
SPECIFICATION, SERVED = "the specification", "the caches of a served model"  # what a result may be about, other than a cache by name


@dataclass(frozen=True, slots=True)
class Result:
    """The stored result of one piece of evidence."""

    verdict: str
    detail: str  # how much was decided, and in what time
    says: str = ""  # what was decided, in words; empty: the words are those of a property
    about: tuple[str, ...] = ()  # which caches

    @property
    def text(self) -> str:
        """Return what was decided, and how much of it.

        >>> Result("PROVED", "1 condition, 0.2 s", "A split copies the times.").text
        'A split copies the times. (1 condition, 0.2 s)'
        """
        return f"{self.says} ({self.detail})" if self.says and self.detail else self.says or self.detail


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
            about = (found.get("subject", ""),)
            if p["verdict"] == Verdict.NOT_OBSERVABLE:
                return Result(p["verdict"], p["note"], about=about)
            return Result(p["verdict"], f"{p['non_vacuous']:,} of {p['checked']:,} states or calls were non-vacuous", about=about)
    return None


def _proved(found: Stored, name: str) -> Result | None:
    cells = [cell for cell in found["cells"] if name in (cell["name"], cell["formula"])]
    if not cells:
        return None
    verdicts = dict.fromkeys(cell["verdict"] for cell in cells)
    seconds = sum(each["seconds"] for cell in cells for each in cell["decided"])
    detail = f"{len(cells)} condition{'s' if len(cells) > 1 else ''}, {seconds:.1f} s"
    runs = dict.fromkeys(cell["run"]["cache"] for cell in cells if cell.get("run"))
    return Result(" / ".join(verdicts), detail, _sentence(cells), (SPECIFICATION, *runs))


def _sentence(cells: Sequence[Stored]) -> str:
    """Return the claims of these conditions, else the steps that keep the formula."""
    claims = list(dict.fromkeys(cell["sentence"] for cell in cells if cell.get("sentence")))
    steps = list(dict.fromkeys(cell["transition"] for cell in cells if cell.get("transition")))
    if claims:
        return " ".join(claims)
    return f"kept by {'each of ' if len(steps) > 1 else ''}{', '.join(steps)}" if steps else "follows from the state formulas"


def _tried(found: Stored, name: str) -> Result | None:
    for f in found["facts"]:
        if f["id"] == name:
            return Result(f["verdict"], f["against"] or f["detail"], f.get("claim", ""), (f["about"],) if "about" in f else ())
    return None


def _measured(found: Stored, name: str) -> Result | None:
    for c in found["claims"]:
        if c["id"] == name:
            about = dict.fromkeys((CLAIMS[name].less[0], CLAIMS[name].more[0])) if name in CLAIMS else (SERVED,)
            return Result(c["verdict"], c["text"], c.get("sentence", ""), tuple(about))
    return None
