"""The section of counterexamples: traces that break caches, as sequences of pictures, and models that refute claims."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report.blocks import Badge, Block, Paragraph, Part, Picture, Plain, Section, Steps, anchor
from radixcheck.verification.report.drawing import svg
from radixcheck.verification.report.wording import operation_lines
from radixcheck.verification.review_6907.answers import PROVE
from radixcheck.verification.runs.report_data import Counterexample, ReportData
from radixcheck.verification.trace_replay.alt_text import alt_text
from radixcheck.verification.trace_replay.frame_results import Frame

FIRST, LAST = 1, 4  # pictures of a long trace


def section(data: ReportData) -> Section:
    """Return the section: counterexamples of caches, then of claims."""
    proofs = data.stored(PROVE)
    wrong = [cell for cell in proofs["cells"] if cell["name"] in proofs["pictures"]]
    blocks: list[Block] = list(map(_trace, data.counterexamples)) or [Paragraph("No cache that was checked breaks a property.")]
    intro = Paragraph(
        "For each claim that is wrong a solver found a state of few nodes. The step was run on that state and, where possible, in a cache."
    )
    if not data.replaced:
        drawn = _drawn(data)
        claims = [_claim(cell, proofs["pictures"][cell["name"]], cell["name"] in drawn) for cell in wrong]
        blocks.append(Part("claims", "Claims that are wrong", [intro, *claims], label="wrong claims"))
    return Section("counterexamples", "Counterexamples", blocks)


def _drawn(data: ReportData) -> set[str]:
    """Return the claims that are shown in pictures: of each answer the first that is wrong. All others are shown in words."""
    wrong = [
        [e.name for e, r in each.results if e.source == PROVE and r and r.verdict == Verdict.REFUTED] for each in data.answers.answered
    ]
    return {names[0] for names in wrong if names}


def _trace(found: Counterexample) -> Part:
    first, name = found.refuted[0], found.subject
    ids = [one["property"] for one in found.refuted]
    blocks: list[Block] = [Paragraph(f"Of `{name}`:"), Plain("\n".join(operation_lines(first)))]
    for one in found.refuted:
        where = "" if one["text"] == "fails" else f" Here: {one['text']}."
        blocks.append(Paragraph((Badge(Verdict.REFUTED), f" `{one['property']}` {EVERY[one['property']].sentence}{where}")))
    blocks.append(Steps(list(_pictures(anchor("picture", name, ids[0]), found.frames))))
    if first.get("orphans"):
        blocks.append(Paragraph(f"What becomes of them: {first['orphans']}."))
    main, *others = (anchor("trace", name, id_) for id_ in ids)
    return Part(main, f"{name}: {', '.join(ids)}", blocks, also=others, label=f"{name} {ids[0]}", whole=True)


def _pictures(name: str, shown: Sequence[Frame]) -> Iterator[Picture]:
    """Yield the pictures; of a long trace only the first and the last ones. An empty tree at the beginning is not drawn."""
    for frame in shown:
        empty = frame.number == 0 and frame.seen is not None and not frame.seen.nodes
        if not empty and not FIRST <= frame.number < len(shown) - LAST:
            title = f"{frame.number}  {frame.operation}: {frame.answer}" if frame.number else "before"
            yield Picture(svg(frame, f"{name}-{frame.number}"), title, alt_text(frame))


def _claim(cell: Mapping[str, Any], drawn: Sequence[Mapping[str, str]], in_pictures: bool) -> Part:
    """Return the model that refutes a claim: in pictures or in words."""
    run = cell["run"]
    model = Steps([Picture(p["svg"], p["title"], p["text"]) for p in drawn]) if in_pictures else Plain(cell["model"])
    blocks: list[Block] = [Paragraph(cell["sentence"]), model]
    if run:
        blocks.append(Paragraph(f"The same in `{run['cache']}`: {'; '.join(run['operations'])}: `{run['property']}` {run['text']}."))
    return Part(anchor("claim", cell["name"]), (Badge(cell["verdict"]), f" {cell['name']}"), blocks, folded=True, whole=True)
