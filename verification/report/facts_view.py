"""The result of `radixcheck facts` at the terminal."""

from typing import Any

from rich.padding import Padding
from rich.text import Text

from radixcheck.verification.core.status import Status
from radixcheck.verification.report.style import as_expected, of_status
from radixcheck.verification.runs.evidence_results import FactsOutcome


def facts(outcome: FactsOutcome) -> list[Any]:
    """Return each fact with its claim and what was seen, and a line that counts."""
    parts: list[Any] = []
    for one in outcome.decided:
        fact, expected = one.fact, one.status == Status.HOLDS
        verdict = as_expected(one.verdict, expected)
        parts.append(Text.assemble((f"{fact.id} ", "bold"), verdict, f"  ({fact.questions})  {fact.claim}"))
        unexpected = "" if expected else f"expected {fact.expected}; "
        parts.append(Padding(Text(unexpected + (one.tried.against or one.tried.detail)), (0, 0, 0, 2)))
    good = sum(one.status == Status.HOLDS for one in outcome.decided)
    line = f"{good} of {len(outcome.decided)} as expected, {sum(one.seconds for one in outcome.decided):.1f} s"
    return [*parts, of_status(line, outcome.status)]
