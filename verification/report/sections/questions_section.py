"""The claims and the reviewers' questions: verdict, answer, evidence and command of each."""

from collections.abc import Iterator

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report.blocks import Badge, Block, Command, Link, Paragraph, Part, Section, Table, Words
from radixcheck.verification.report.questions_view import MISSING, Answered, line, paragraph
from radixcheck.verification.review_6907.answers import ANY, BENCH, FACTS, PROVE, Evidence
from radixcheck.verification.runs.report_data import Gathered, anchor
from radixcheck.verification.runs.results import Result

SHOWN = 6  # pieces of evidence that are seen at once; the rest is folded


def section(found: Gathered) -> Section:
    """All of them."""
    place = "the caches under review" if found.replaced else "the change as submitted"
    intro = f"What was asked in the review of sglang#6907 and of later changes, about {place}. The verdict is what the first evidence says."
    return Section("questions", "Claims and questions", [Paragraph(intro), *(_part(found, each) for each in found.answered)])


def _part(found: Gathered, each: Answered) -> Part:
    blocks: list[Block] = [Paragraph(paragraph(each.answer))]
    rows = [_row(found, evidence, result) for evidence, result in each.results]
    columns = ("verdict", "evidence", "what it says")
    if rows:
        blocks.append(Table(columns, rows[:SHOWN]))
    if len(rows) > SHOWN:
        more = Table(columns, rows[SHOWN:])
        blocks.append(Part(anchor("more", each.answer.id), f"{len(rows) - SHOWN} more pieces of evidence", [more], folded=True))
    blocks += [Command(command) for command in _commands(each)]
    return Part(anchor("question", each.answer.id), (f"{each.answer.id}  ", Badge(each.verdict), f"  {each.answer.question}"), blocks)


def _commands(each: Answered) -> Iterator[str]:
    """What repeats the verdict."""
    if each.results:
        yield each.results[0][0].command


def _row(found: Gathered, evidence: Evidence, result: Result | None) -> tuple[Words, ...]:
    word, said = line(evidence, result)
    of = "" if evidence.source in (PROVE, FACTS, BENCH) else f" of `{evidence.source}`"
    unexpected = "" if evidence.expected in (ANY, word) or word == MISSING else f" (expected {evidence.expected})"
    return Badge(word), (_named(found, evidence, word), of), said.partition(": ")[2] + unexpected


def _named(found: Gathered, evidence: Evidence, word: str) -> Link | str:
    """A reference to where it is shown."""
    if evidence.source == PROVE:
        return Link(anchor("claim", evidence.name), evidence.name) if word == Verdict.REFUTED else evidence.name
    if evidence.source == BENCH:
        return Link("benchmark", evidence.name)
    if evidence.source == FACTS:
        return evidence.name
    shown = any(refuted["property"] == evidence.name for refuted in found.stored(evidence.source)["refuted"])
    return Link(anchor("trace", evidence.source, evidence.name) if shown else anchor("property", evidence.name), evidence.name)
