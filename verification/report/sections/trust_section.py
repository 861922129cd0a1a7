"""What all this rests on."""

from radixcheck.verification.report.blocks import Items, Paragraph, Section, Words
from radixcheck.verification.review_6907.answers import PROVE
from radixcheck.verification.runs.report_data import Gathered


def section(found: Gathered) -> Section:
    """Assumptions of the proofs, and what is trusted."""
    proofs = found.stored(PROVE)
    trusted: list[Words] = [
        f"the solver, {proofs['solver']}: `radixcheck prove --confirm` asks a second one about every proof, from text of our own",
        "the compiler of formulas to Python: it must agree with the solver's reading on states of few nodes (tests)",
        "`observe()` of a cache: what it shows is believed to be what it has; answers, sizes and the slot pool are seen from outside",
        "random search: a property that is TESTED was not broken in the operations counted, and had something to say in those shown",
        "CPython, torch, and the machine",
    ]
    assumed = f"{len(proofs['axioms'])} axioms of prefixes: {', '.join(proofs['axioms'])}"
    laws = f"{len(proofs['laws'])} laws of finite sums and trees, each tried on the states that tests see: {'; '.join(proofs['laws'])}"
    intro = "Proofs are about the specification; a program is tied to it at every operation of a run: its state after the operation, "
    intro += "abstracted, is the state that the specification computes from the one before."
    blocks = (Paragraph(intro), Paragraph("Assumed by the proofs:"), Items([assumed, laws]), Paragraph("Trusted:"), Items(trusted))
    return Section("trust", "Assumptions and trust base", blocks)
