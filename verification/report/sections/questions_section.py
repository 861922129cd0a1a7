"""The claims and questions of the review: verdict, answer, evidence and command of each, and where it was asked."""

from collections.abc import Iterator

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report.blocks import Badge, Block, Command, Link, Paragraph, Part, Section, Table, WebLink, Words
from radixcheck.verification.report.questions_view import MISSING, Answered, line, paragraph
from radixcheck.verification.review_6907.answers import ANY, BENCH, FACTS, PROVE, Evidence
from radixcheck.verification.review_6907.questions import THREAD
from radixcheck.verification.runs.report_data import Gathered, anchor
from radixcheck.verification.runs.results import Result

SHOWN = 6  # pieces of evidence that are seen at once; the rest is folded


def section(found: Gathered) -> Section:
    """Return the section, one part for each question."""
    place = "the caches under review" if found.replaced else "the change as submitted"
    thread = WebLink(THREAD, "sglang#6907")
    about = f" and by later changes, about {place}. A verdict is that of the first piece of evidence."
    intro = Paragraph(("What was asked in the review of ", thread, about))
    return Section("questions", "Claims and questions", [intro, *(_part(found, each) for each in found.answered)])


def _part(found: Gathered, each: Answered) -> Part:
    question = each.answer.question
    source = WebLink(question.url, question.place)
    blocks: list[Block] = [Paragraph((f"{paragraph(each.answer)} (Asked by: {question.asked_by}, ", source, ".)"))]
    rows = [_row(found, evidence, result) for evidence, result in each.results]
    columns = ("verdict", "evidence", "what it says")
    if rows:
        blocks.append(Table(columns, rows[:SHOWN]))
    if len(rows) > SHOWN:
        more = Table(columns, rows[SHOWN:])
        blocks.append(Part(anchor("more", each.answer.id), f"{len(rows) - SHOWN} more pieces of evidence", [more], folded=True))
    blocks += [Command(command) for command in _commands(each)]
    return Part(anchor("question", each.answer.id), (f"{each.answer.id}  ", Badge(each.verdict), f"  {question.sentence}"), blocks)


def _commands(each: Answered) -> Iterator[str]:
    """Yield the command that repeats the verdict."""
    if each.results:
        yield each.results[0][0].command


def _row(found: Gathered, evidence: Evidence, result: Result | None) -> tuple[Words, ...]:
    word, said = line(evidence, result)
    of = "" if evidence.source in (PROVE, FACTS, BENCH) else f" of `{evidence.source}`"
    unexpected = "" if evidence.expected in (ANY, word) or word == MISSING else f" (expected {evidence.expected})"
    return Badge(word), (_named(found, evidence, word), of), said.partition(": ")[2] + unexpected


def _named(found: Gathered, evidence: Evidence, word: str) -> Link | str:
    """Return a reference to where the evidence is shown."""
    if evidence.source == PROVE:
        return Link(anchor("claim", evidence.name), evidence.name) if word == Verdict.REFUTED else evidence.name
    if evidence.source == BENCH:
        return Link("benchmark", evidence.name)
    if evidence.source == FACTS:
        return evidence.name
    shown = any(refuted["property"] == evidence.name for refuted in found.stored(evidence.source)["refuted"])
    return Link(anchor("trace", evidence.source, evidence.name) if shown else anchor("property", evidence.name), evidence.name)
