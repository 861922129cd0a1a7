"""Facts that were tried, as text for a person and as JSON for machines."""

from collections.abc import Sequence
from typing import Any

from rich.padding import Padding
from rich.text import Text

from radixcheck.verification.core.status import Status, worst
from radixcheck.verification.review_6907.fact_results import Decided

COLOURS = {Status.HOLDS: "green", Status.REFUTED: "bold red", Status.UNDECIDED: "yellow"}


def facts(decided: Sequence[Decided]) -> list[Any]:
    """Each with its claim and what was seen; a last line that counts."""
    parts: list[Any] = []
    for one in decided:
        fact = one.fact
        parts.append(Text.assemble((f"{fact.id} ", "bold"), (one.verdict, COLOURS[one.status]), f"  ({fact.questions})  {fact.claim}"))
        wrong = "" if one.status == Status.HOLDS else f"expected {fact.expected}; "
        parts.append(Padding(Text(wrong + (one.tried.against or one.tried.detail)), (0, 0, 0, 2)))
    good = sum(one.status == Status.HOLDS for one in decided)
    line = f"{good} of {len(decided)} as expected, {sum(one.seconds for one in decided):.1f} s"
    return [*parts, Text(line, COLOURS[status(decided)])]


def status(decided: Sequence[Decided]) -> Status:
    """Return the worst status."""
    return worst(one.status for one in decided)


def to_json(decided: Sequence[Decided]) -> dict[str, Any]:
    """Everything, for machines."""
    rows = [
        {
            **{"id": one.fact.id, "questions": one.fact.questions.split(), "claim": one.fact.claim, "verdict": one.verdict},
            **{"expected": one.fact.expected, "cases": one.tried.cases, "against": one.tried.against, "detail": one.tried.detail},
            "seconds": round(one.seconds, 2),
        }
        for one in decided
    ]
    return {"status": status(decided), "facts": rows}
