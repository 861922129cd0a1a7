"""The sections of a report, in the order in which they are read."""

from radixcheck.verification.report.blocks import Document
from radixcheck.verification.report.gathered import Gathered
from radixcheck.verification.report.sections import (
    asked,
    benchmark,
    counterexamples,
    exploration,
    field,
    invariants,
    kills,
    matrix,
    summary,
    trust,
)


def document(found: Gathered) -> Document:
    """The whole report."""
    reviewed = ", ".join(found.subjects)
    modules = (summary, asked, counterexamples, invariants, matrix, exploration, kills, benchmark, field, trust)
    return Document(f"radixcheck report: {reviewed}", [module.section(found) for module in modules])
