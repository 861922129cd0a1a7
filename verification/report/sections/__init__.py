"""The sections of a report, in the order in which they are read."""

from radixcheck.verification.report.blocks import Document
from radixcheck.verification.report.gathered import Gathered
from radixcheck.verification.report.sections import (
    benchmark,
    counterexamples,
    exploration,
    findings,
    invariants,
    kills,
    proofs,
    questions,
    summary,
    trust,
)


def document(found: Gathered) -> Document:
    """The whole report."""
    reviewed = ", ".join(found.subjects)
    modules = (summary, questions, counterexamples, invariants, proofs, exploration, kills, benchmark, findings, trust)
    return Document(f"radixcheck report: {reviewed}", [module.section(found) for module in modules])
