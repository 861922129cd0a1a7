"""The section of assumptions and of what is trusted."""

from radixcheck.verification.report.blocks import Items, Paragraph, Section, Words
from radixcheck.verification.review_6907.answers import PROVE
from radixcheck.verification.runs.report_data import ReportData


def section(data: ReportData) -> Section:
    """Return the section."""
    proofs = data.stored(PROVE)
    trusted: list[Words] = [
        f"the solver, {proofs['solver']}: `radixcheck prove --confirm` asks a second one about every proof, from text of our own",
        "the compiler of formulas to Python: tests compare it with the solver on states of few nodes",
        "`observe()` of a cache: it is trusted to show the real state; answers, sizes and the slot pool are checked from outside",
        "random search: a property that is TESTED was not broken in the operations counted, and was non-vacuous in the states shown",
        "CPython, torch, and the machine",
    ]
    assumed = f"{len(proofs['axioms'])} axioms of prefixes: {', '.join(proofs['axioms'])}"
    laws = f"{len(proofs['laws'])} laws of finite sums and trees, each tried on the states that tests see: {'; '.join(proofs['laws'])}"
    intro = "Proofs are about the specification; a program is tied to it at every operation of a run: its state after the operation, "
    intro += "abstracted, is the state that the specification computes from the one before."
    blocks = (
        Paragraph(intro),
        Paragraph("Assumed by the proofs:"),
        Items([assumed, laws], minor=True),
        Paragraph("Trusted:"),
        Items(trusted),
    )
    return Section("trust", "Assumptions and trust base", blocks)
