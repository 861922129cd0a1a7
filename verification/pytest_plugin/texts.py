"""The messages of the pytest plugin."""

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report import console, verify_view
from radixcheck.verification.runs.run_results import VerifyOutcome
from radixcheck.verification.search.search_results import PropertyVerdict


def block(outcome: VerifyOutcome, id_: str) -> str:
    """Return the smallest trace of a refuted property, with the trees before and after its last operation."""
    found, scene = next((found, scene) for found, scene in outcome.scenes if found.violation.property == id_)
    return console.plain(verify_view.fault([found], scene))


def undecided(verdict: PropertyVerdict) -> str:
    """Return why a property that could have been tested was not."""
    return f"{verdict.verdict}: {verdict.note}; give it more seconds"


def summary(outcome: VerifyOutcome) -> str:
    """Return everything that keeps a subject from holding, and a last line that sums it up."""
    lacking = [f"{v.property.id} {undecided(v)}" for v in outcome.report.verdicts if v.verdict == Verdict.NOT_EXERCISED]
    return "\n".join([console.plain(verify_view.faults(outcome)), *lacking, console.plain(verify_view.last_lines(outcome))]).strip()
