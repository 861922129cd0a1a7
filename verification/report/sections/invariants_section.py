"""The section of the properties: each in words and as a formula, with the verdict on the cache, a witness, a mutant, and the proof."""

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from radixcheck.spec.policies import POLICIES
from radixcheck.spec.property import Property
from radixcheck.spec.run.text import text
from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report.blocks import Badge, Block, Inline, Paragraph, Part, Plain, Section, anchor, link
from radixcheck.verification.review_6907.answers import PROVE
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
    """Return the section: by kind, a part for each property, with the verdict on the first cache under review."""
    name = data.subjects[0]
    verified = {p["id"]: p for p in data.stored(name)["properties"]} if name in data.results.stored else {}
    proofs = data.stored(PROVE)
    parts = []
    for kind, title in KINDS.items():
        shown: list[Block] = []
        for file, properties in groupby((p for p in EVERY.values() if p.kind == kind), key=_file):
            shown += [Paragraph(f"In `{file}`:")] if file else []
            shown += [_property(p, name, verified.get(p.id), proofs) for p in properties]
        parts.append(Part(anchor("kind", kind), title, shown, label=title.partition(":")[0].lower()))
    intro = (
        f"What a cache must keep, with the verdict on `{name}`. Formulas are printed from the specification that tests run and the solver "
    )
    intro += f"proves; where they compare keys, under {POLICY}."
    return Section("invariants", "Properties", [Paragraph(intro), *parts])


def _property(p: Property, name: str, verified: Mapping[str, Any] | None, proofs: Stored) -> Part:
    blocks: list[Block] = [Paragraph((f"{p.why} " if p.why else "", *_questions(p)))] if p.why or p.questions else []
    if p.formula:
        blocks.append(Plain(text(p.formula(POLICIES[POLICY]))))
    if p.witness:
        blocks.append(Paragraph(("It is non-vacuous where: ", f"`{text(p.witness(POLICIES[POLICY]))}`")))
    if verified and verified["checked"]:
        states = f"{verified['non_vacuous']:,} of {verified['checked']:,} states or calls of `{name}` were non-vacuous: "
        blocks.append(Paragraph((states, Badge(verified["verdict"]), ".")))
    proof = _proved(p.id, proofs)
    proved = f"Proved: {proof}." if proof else "It is tested, not proved."
    blocks.append(Paragraph(f"Broken by the mutant `{p.mutant}`. {proved}"))
    word: tuple[Inline, ...] = (Badge(verified["verdict"]), "  ") if verified else ()
    return Part(anchor("property", p.id), (f"`{p.id}`  ", *word, p.sentence), blocks, folded=True, whole=True)


def _file(p: Property) -> str:
    """Return the file that has the formula; an empty string if there is none."""
    return f"{p.formula.__module__.removeprefix('radixcheck.').replace('.', '/')}.py" if p.formula else ""


def _questions(p: Property) -> Iterator[Inline]:
    """Yield links to the questions that the property bears on."""
    for i, id_ in enumerate(p.questions.split()):
        yield ", " if i else "Questions: "
        yield link("question", id_)
    if p.questions:
        yield "."


def _proved(id_: str, proofs: Stored) -> str:
    """Return for what the property is proved; an empty string if it is not, or if one condition of it is not."""
    cells = [cell for cell in proofs["cells"] if cell["formula"] == id_]
    proved = [cell for cell in cells if cell["verdict"] == Verdict.PROVED]
    if any(cell["verdict"] != Verdict.PROVED for cell in cells if not cell["sentence"]):
        return ""
    steps = dict.fromkeys(cell["transition"] for cell in proved if cell["transition"])
    promised = [each["operation"] for each in proofs["operations"] if each["promise"] == id_ and each["verdict"] == Verdict.PROVED]
    if steps:
        return f"kept by {len(steps)} transitions"
    if promised:
        return f"promised by {', '.join(promised)}"
    claimed = next((cell["sentence"] for cell in proved if cell["sentence"]), "")
    return claimed.rstrip(".") or ("follows from the state formulas" if proved else "")
