"""The result of `radixcheck contracts` at the terminal."""

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from radixcheck.verification.contracts.contract_results import EXHAUSTED, REFUTED, Decided
from radixcheck.verification.core.status import Status
from radixcheck.verification.report.style import Tone, of_status, styled, table, toned, warning
from radixcheck.verification.runs.evidence_results import ContractsOutcome

WORDS = {Status.HOLDS: "hold", Status.REFUTED: "are refuted"}


def contracts(outcome: ContractsOutcome) -> list[Any]:
    """Return a row for each contract, what is wrong, and a line that counts."""
    decided = outcome.decided
    shown = table("function", "where it is used", "bounds", "verdict", "paths", "seconds", "twin", numbers=("paths", "seconds"))
    for each in decided:
        c = each.contract
        twin = Text("refuted") if each.twin.verdict == REFUTED else toned(f"passes: {each.twin.verdict}", Tone.BAD)
        shown.add_row(c.name, c.where, c.bound(), styled(each.judged.verdict), f"{each.paths:,}", f"{each.seconds:.1f}", twin)
    faults = [warning(line) for each in decided for line in _faults(each)]
    held, refuted = sum(each.good for each in decided), sum(each.twin.verdict == REFUTED for each in decided)
    words = of_status(WORDS.get(outcome.status, "are undecided"), outcome.status)
    numbers = f": {held} of {len(decided)} EXHAUSTED within their bounds, {refuted} twins refuted, {outcome.seconds:.0f} s"
    return [shown, Text(), *faults, Text.assemble("the contracts ", words, numbers)]


def _faults(each: Decided) -> Iterator[str]:
    """Yield the counterexample, the reason why nothing was decided, and the reason why the contract is vacuous."""
    name, judged, twin = each.contract.name, each.judged, each.twin
    if judged.verdict == REFUTED and judged.arguments is not None:
        arguments = ", ".join(f"{argument} = {value}" for argument, value in judged.arguments.items())
        yield f"{name} REFUTED at {arguments}: {judged.note}. The contract: {each.contract.sentence}"
    elif judged.verdict != EXHAUSTED:
        yield f"{name} {judged.verdict}: {judged.note}"
    if twin.verdict != REFUTED:
        yield f"{name}: its twin is not refuted ({twin.note or twin.verdict}), so the contract shows nothing: {each.contract.fault}"
