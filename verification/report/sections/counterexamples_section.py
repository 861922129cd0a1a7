"""Counterexamples: what breaks in caches, as sequences of pictures; and models of claims that are wrong."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from radixcheck.verification.core.catalogue import CATALOGUE
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.operations import Op
from radixcheck.verification.report.alt_text import alt_text
from radixcheck.verification.report.blocks import Badge, Block, Paragraph, Part, Picture, Section, Steps
from radixcheck.verification.report.drawing import svg
from radixcheck.verification.review_6907.answers import PROVE
from radixcheck.verification.runs.report_data import Gathered, anchor
from radixcheck.verification.runs.show_job import frames
from radixcheck.verification.subjects.registry import resolve
from radixcheck.verification.trace_replay.frame_results import Frame

FIRST, LAST = 2, 5  # pictures of a long trace


def section(found: Gathered) -> Section:
    """Of caches first, then of claims."""
    blocks: list[Block] = []
    for name, stored in found.verified:
        blocks += [_trace(name, together) for together in _together(stored["refuted"])]
    proofs = found.stored(PROVE)
    wrong = {cell["name"]: cell for cell in proofs["cells"] if cell["name"] in proofs["pictures"]}
    if not blocks:
        blocks.append(Paragraph("No cache that was checked breaks a property."))
    claims = [_claim(cell, proofs["pictures"][name]) for name, cell in wrong.items()]
    intro = Paragraph(
        "For each claim that is wrong a solver found a state of few nodes; the step was run on it, and, where one can, in a cache."
    )
    return Section("counterexamples", "Counterexamples", [*blocks, Part("claims", "Claims that are wrong", [intro, *claims])])


def _together(refuted: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Those that one trace shows."""
    by_trace: dict[str, list[Mapping[str, Any]]] = {}
    for one in refuted:
        by_trace.setdefault(f"{one['config']} {one['trace']}", []).append(one)
    return list(by_trace.values())


def _trace(name: str, together: Sequence[Mapping[str, Any]]) -> Part:
    config, trace = Config(**together[0]["config"]), tuple(map(Op.from_json, together[0]["trace"]))
    ids = [one["property"] for one in together]
    blocks: list[Block] = [Paragraph(f"{len(trace)} operations under {config}.")]
    for one in together:
        where = "" if one["text"] == "fails" else f" Here: {one['text']}."
        blocks.append(Paragraph((Badge(Verdict.REFUTED), f" `{one['property']}` {CATALOGUE[one['property']].sentence}{where}")))
    blocks.append(Steps(list(_pictures(anchor("picture", name, ids[0]), frames(resolve(name), config, trace)))))
    if together[0].get("orphans"):
        blocks.append(Paragraph(f"What becomes of them: {together[0]['orphans']}."))
    first, *others = (anchor("trace", name, id_) for id_ in ids)
    return Part(first, f"{name}: {', '.join(ids)}", blocks, also=others)


def _pictures(name: str, shown: Sequence[Frame]) -> Iterator[Picture]:
    """The first and the last of them, where there are many."""
    for frame in shown:
        if not FIRST <= frame.number < len(shown) - LAST:
            title = f"{frame.number}  {frame.operation}: {frame.answer}" if frame.number else "before"
            yield Picture(svg(frame, f"{name}-{frame.number}"), title, alt_text(frame))


def _claim(cell: Mapping[str, Any], drawn: Sequence[Mapping[str, str]]) -> Part:
    run = cell["run"]
    blocks: list[Block] = [Paragraph(cell["sentence"]), Steps([Picture(p["svg"], p["title"], p["text"]) for p in drawn])]
    if run:
        blocks.append(Paragraph(f"The same in `{run['cache']}`: {'; '.join(run['operations'])}: `{run['property']}` {run['text']}."))
    return Part(anchor("claim", cell["name"]), (Badge(cell["verdict"]), f" {cell['name']}"), blocks, folded=True)
