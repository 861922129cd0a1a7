"""The section of the questions of the review: verdict, answer, advice, evidence, command and source of each."""

from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report.blocks import (
    Badge,
    Block,
    Command,
    Inline,
    Items,
    Link,
    Paragraph,
    Part,
    Section,
    Table,
    WebLink,
    Words,
    anchor,
    link,
)
from radixcheck.verification.review_6907.answers import ANY, BENCH, FACTS, LATENCY, PROVE, Evidence
from radixcheck.verification.review_6907.questions import THREAD
from radixcheck.verification.runs.answer_results import Answered
from radixcheck.verification.runs.report_data import ReportData
from radixcheck.verification.runs.stored_results import Result


def section(data: ReportData) -> Section:
    """Return the section, one part for each question."""
    thread = WebLink(THREAD, "sglang#6907")
    about = " and by later changes, with the answer and all evidence. A verdict is that of the first piece of evidence."
    if data.replaced:
        about = ", as far as a search of a cache decides it. Verdicts are about the caches under review alone; what an answer says in "
        about += "general is about caches of this kind."
    intro = Paragraph(("What was asked in the review of ", thread, about))
    return Section("questions", "Claims and questions", [intro, *(_part(data, each) for each in data.answers.answered)])


def _part(data: ReportData, each: Answered) -> Part:
    question = each.answer.question
    source = WebLink(question.url, question.place)
    general = "In general: " if each.of_one_cache else ""
    blocks: list[Block] = [Paragraph((f"{general}{each.text} (Asked by: {question.asked_by}, ", source, ".)"))]
    blocks += [Paragraph(f"Here: {each.short}")] if each.of_one_cache else []
    blocks += [Paragraph(f"Recommendation: {each.advice}")] if each.advice else []
    if each.results:
        blocks.append(Table(("evidence", "verdict", "what it says"), [_row(data, *each.results[0])]))
    if len(each.results) > 1:
        blocks.append(Items([_others(data, word, found) for word, found in _by_verdict(each).items()], minor=True))
    blocks += [Command(each.command)] if each.command else []
    title = (f"{each.answer.id}  ", Badge(each.verdict), f"  {question.sentence}")
    return Part(anchor("question", each.answer.id), title, blocks, label=each.answer.id, whole=True)


def _by_verdict(each: Answered) -> dict[str, list[tuple[Evidence, Result | None]]]:
    """Return all evidence but the first by its verdict."""
    found: dict[str, list[tuple[Evidence, Result | None]]] = {}
    for evidence, result in each.results[1:]:
        found.setdefault(result.verdict if result else Verdict.MISSING, []).append((evidence, result))
    return found


def _others(data: ReportData, word: str, found: list[tuple[Evidence, Result | None]]) -> tuple[Inline, ...]:
    """Return the names of evidence that has the same verdict; each leads to what it says."""
    words: list[Inline] = ["also ", Badge(word), " "]
    for i, (evidence, result) in enumerate(found):
        words += [", " if i else "", named(data, evidence, word), *_of(evidence), _unexpected(evidence, result)]
        words += [f" ({result.detail})"] if result and not result.says else []
    return tuple(words)


def _row(data: ReportData, evidence: Evidence, result: Result | None) -> tuple[Words, ...]:
    word = result.verdict if result else Verdict.MISSING
    says = f"{result.text if result else ''}{_unexpected(evidence, result)}"
    return (named(data, evidence, word), *_of(evidence)), Badge(word), says


def _of(evidence: Evidence) -> tuple[str, ...]:
    """Return the subject that was searched, in words."""
    return () if evidence.source in (PROVE, FACTS, BENCH, LATENCY) else (f" of `{evidence.source}`",)


def _unexpected(evidence: Evidence, result: Result | None) -> str:
    """Return what was expected, where the result is another one."""
    undecided = result is None or (evidence.source == LATENCY and result.verdict == Verdict.NOT_MEASURED)
    return "" if undecided or (result and evidence.expected in (ANY, result.verdict)) else f" (expected {evidence.expected})"


def named(data: ReportData, evidence: Evidence, word: str) -> Link | str:
    """Return a reference to where the evidence is shown."""
    name = evidence.name
    if evidence.source in (PROVE, FACTS, BENCH, LATENCY):
        formula = name.rpartition("/")[2]
        if evidence.source == PROVE and formula in EVERY:
            return Link(anchor("property", formula), name)
        return link({PROVE: "claim", FACTS: "fact"}.get(evidence.source, "cost"), name)
    found = data.results.stored.get(evidence.source, {"refuted": ()})
    shown = any(refuted["property"] == name for refuted in found["refuted"])
    return link("trace", evidence.source, name) if shown else link("property", name)
