"""The section of the questions of the review: verdict, answer, advice, evidence, command and source of each."""

from radixcheck.verification.core.catalogue import EVERY
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report.blocks import (
    Badge,
    Block,
    Command,
    Inline,
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

SHOWN = 1  # pieces of evidence that are not folded


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
    rows = [_row(data, evidence, result) for evidence, result in each.results]
    columns = ("evidence", "verdict", "what it says")
    if rows:
        blocks.append(Table(columns, rows[:SHOWN]))
    if len(rows) > SHOWN:
        more = Table(columns, rows[SHOWN:])
        blocks.append(Part(anchor("more", each.answer.id), _more(len(rows) - SHOWN), [more], folded=True))
    blocks += [Command(each.command)] if each.command else []
    title = (f"{each.answer.id}  ", Badge(each.verdict), f"  {question.sentence}")
    return Part(anchor("question", each.answer.id), title, blocks, label=each.answer.id, whole=True)


def _more(pieces: int) -> str:
    return f"{pieces} more piece{'s' if pieces > 1 else ''} of evidence"


def _row(data: ReportData, evidence: Evidence, result: Result | None) -> tuple[Words, ...]:
    word = result.verdict if result else Verdict.MISSING
    of: tuple[Inline, ...] = () if evidence.source in (PROVE, FACTS, BENCH, LATENCY) else (f" of `{evidence.source}`",)
    undecided = word == Verdict.MISSING or (evidence.source == LATENCY and word == Verdict.NOT_MEASURED)
    unexpected = "" if evidence.expected in (ANY, word) or undecided else f" (expected {evidence.expected})"
    return (named(data, evidence, word), *of), Badge(word), f"{result.text if result else ''}{unexpected}"


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
