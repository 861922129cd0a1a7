"""The section of the questions of the review: verdict, answer, evidence, command and source of each."""

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report.blocks import Badge, Block, Command, Link, Paragraph, Part, Section, Table, WebLink, Words, anchor, link
from radixcheck.verification.report.questions_view import line
from radixcheck.verification.review_6907.answers import ANY, BENCH, FACTS, LATENCY, PROVE, Evidence
from radixcheck.verification.review_6907.questions import THREAD
from radixcheck.verification.runs.answer_results import Answered
from radixcheck.verification.runs.report_data import ReportData
from radixcheck.verification.runs.stored_results import Result

SHOWN = 6  # pieces of evidence that are not folded


def section(data: ReportData) -> Section:
    """Return the section, one part for each question."""
    place = "the caches under review" if data.replaced else "the change as submitted"
    thread = WebLink(THREAD, "sglang#6907")
    about = f" and by later changes, about {place}. A verdict is that of the first piece of evidence."
    intro = Paragraph(("What was asked in the review of ", thread, about))
    return Section("questions", "Claims and questions", [intro, *(_part(data, each) for each in data.answers.answered)])


def _part(data: ReportData, each: Answered) -> Part:
    question = each.answer.question
    source = WebLink(question.url, question.place)
    blocks: list[Block] = [Paragraph((f"{each.text} (Asked by: {question.asked_by}, ", source, ".)"))]
    rows = [_row(data, evidence, result) for evidence, result in each.results]
    columns = ("verdict", "evidence", "what it says")
    if rows:
        blocks.append(Table(columns, rows[:SHOWN]))
    if len(rows) > SHOWN:
        more = Table(columns, rows[SHOWN:])
        blocks.append(Part(anchor("more", each.answer.id), f"{len(rows) - SHOWN} more pieces of evidence", [more], folded=True))
    blocks += [Command(each.command)] if each.command else []
    return Part(anchor("question", each.answer.id), (f"{each.answer.id}  ", Badge(each.verdict), f"  {question.sentence}"), blocks)


def _row(data: ReportData, evidence: Evidence, result: Result | None) -> tuple[Words, ...]:
    word, rest = line(evidence, result)
    of = "" if evidence.source in (PROVE, FACTS, BENCH, LATENCY) else f" of `{evidence.source}`"
    undecided = word == Verdict.MISSING or (evidence.source == LATENCY and word == Verdict.NOT_MEASURED)
    unexpected = "" if evidence.expected in (ANY, word) or undecided else f" (expected {evidence.expected})"
    return Badge(word), (_named(data, evidence, word), of), rest.partition(": ")[2] + unexpected


def _named(data: ReportData, evidence: Evidence, word: str) -> Link | str:
    """Return a reference to where the evidence is shown."""
    if evidence.source == PROVE:
        return link("claim", evidence.name) if word == Verdict.REFUTED else evidence.name
    if evidence.source == BENCH:
        return Link("benchmark", evidence.name)
    if evidence.source in (FACTS, LATENCY):
        return evidence.name
    shown = any(refuted["property"] == evidence.name for refuted in data.stored(evidence.source)["refuted"])
    return link("trace", evidence.source, evidence.name) if shown else link("property", evidence.name)
