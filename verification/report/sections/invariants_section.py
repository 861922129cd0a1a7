"""The section of the properties: each in words and as a formula, with its witness, the mutant that breaks it, and the proof."""

from collections.abc import Iterator, Mapping
from typing import Any

from radixcheck.spec.policies import POLICIES
from radixcheck.spec.property import Property
from radixcheck.spec.run.text import text
from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report.blocks import Badge, Block, Inline, Link, Paragraph, Part, Plain, Section, Table, Words, anchor, link
from radixcheck.verification.review_6907.answers import OURS, PROVE
from radixcheck.verification.runs.report_data import ReportData
from radixcheck.verification.runs.stored_results import Stored

KINDS = {
    "state": "State formulas: they hold in every reachable state",
    "post": "Postconditions: what one operation has changed and left unchanged; old marks the state before",
    "theorem": "Theorems: they follow from the others, or compare two runs",
    "event": "Formulas of events: they hold of the fold of all events, in every reachable state",
    "program": "Program checks: storage, cost, depth",
}
POLICY = "lru"  # of formulas that compare keys


def section(data: ReportData) -> Section:
    """Return the section: by kind, a table of the properties, then the details of each."""
    verified = {p["id"]: p for p in data.stored(OURS)["properties"]} if OURS in data.results.stored else {}
    proofs = data.stored(PROVE)
    parts = []
    for kind, title in KINDS.items():
        properties = [p for p in EVERY.values() if p.kind == kind]
        rows: list[tuple[Words, ...]] = [(link("property", p.id), p.sentence, _proved(p.id, proofs)) for p in properties]
        details = [_property(p, verified.get(p.id), proofs) for p in properties]
        parts.append(Part(anchor("kind", kind), title, [Table(("property", "what it says", "proof"), rows), *details]))
    intro = f"Formulas are printed from the specification that tests run and the solver proves; where they compare keys, under {POLICY}."
    return Section("invariants", "Invariants", [Paragraph(intro), *parts])


def _property(p: Property, verified: Mapping[str, Any] | None, proofs: Stored) -> Part:
    blocks: list[Block] = [Paragraph((p.sentence, *_questions(p)))]
    if p.formula:
        blocks.append(Plain(text(p.formula(POLICIES[POLICY]))))
    if p.witness:
        blocks.append(Paragraph(("It is non-vacuous where: ", f"`{text(p.witness(POLICIES[POLICY]))}`")))
    if verified and verified["checked"]:
        states = f"{verified['non_vacuous']:,} of {verified['checked']:,} states or calls of `{OURS}` were non-vacuous: "
        blocks.append(Paragraph((states, Badge(verified["verdict"]), ".")))
    proof = _proved(p.id, proofs)
    proved = f"Proved: {proof}." if proof else "It is tested, not proved."
    blocks.append(Paragraph((f"Broken by the mutant `{p.mutant}` (", Link("kills", "kill matrix"), f"). {proved}")))
    return Part(anchor("property", p.id), p.id, blocks, folded=True)


def _questions(p: Property) -> Iterator[Inline]:
    """Yield links to the questions that the property bears on."""
    for i, id_ in enumerate(p.questions.split()):
        yield ", " if i else " Questions: "
        yield link("question", id_)
    if p.questions:
        yield "."


def _proved(id_: str, proofs: Stored) -> str:
    """Return for what the property is proved; an empty string if it is not."""
    proved = [cell for cell in proofs["cells"] if cell["formula"] == id_ and cell["verdict"] == Verdict.PROVED]
    steps = dict.fromkeys(cell["transition"] for cell in proved if cell["transition"])
    promised = [each["operation"] for each in proofs["operations"] if each["promise"] == id_ and each["verdict"] == Verdict.PROVED]
    if steps:
        return f"kept by {len(steps)} transitions"
    if promised:
        return f"promised by {', '.join(promised)}"
    claimed = next((cell["sentence"] for cell in proved if cell["sentence"]), "")
    return claimed.rstrip(".") or ("follows from the state formulas" if proved else "")
