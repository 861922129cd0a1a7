"""The questions of the review with their answers and the results that these rest on, at the terminal."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.report.style import Tone, of_status, styled, table, toned
from radixcheck.verification.review_6907.answers import ANY, BENCH, FACTS, LATENCY, PROVE, Evidence
from radixcheck.verification.review_6907.questions import THREAD, Question
from radixcheck.verification.runs.answer_results import Answered, AnswersOutcome
from radixcheck.verification.runs.stored_results import Result

DECIDED = (Verdict.PROVED, Verdict.EXHAUSTED, Verdict.TESTED, Verdict.MEASURED, Verdict.REFUTED)  # verdicts with which an answer is shown


def line(evidence: Evidence, result: Result | None) -> tuple[str, str]:
    """Return the verdict of a piece of evidence, and the rest of its line."""
    of = "" if evidence.source in (PROVE, FACTS, BENCH, LATENCY) else f" of {evidence.source}"
    return (result.verdict if result else Verdict.MISSING), f"{evidence.name}{of}: {result.text if result else ''}"


def answers(outcome: AnswersOutcome) -> list[Any]:
    """Return question, verdict, answer, evidence and command of each, and a line that counts the verdicts."""
    return [*(part for each in outcome.answered for part in _answer(each)), _last(outcome)]


def brief(outcome: AnswersOutcome) -> list[Any]:
    """Return a table of the questions and a line that counts the verdicts."""
    return [_table((each, each.verdict) for each in outcome.answered), Text(), _last(outcome)]


def _table(rows: Iterable[tuple[Answered, str]]) -> Table:
    shown = table("id", "asked by", "verdict", "claim or question, and its answer")
    for each, verdict in rows:
        question = each.answer.question
        short = f"\n{each.short}" if verdict in DECIDED else ""
        shown.add_row(question.id, _asked_by(question), styled(verdict), Text.assemble(question.sentence, (short, "bold")))
    return shown


def _asked_by(question: Question) -> str:
    """Return who asked, with the pull request where that is not the reviewed one."""
    return question.asked_by if question.url == THREAD else f"{question.asked_by} {question.place}"


def listing(outcome: AnswersOutcome, results: Path) -> list[Any]:
    """Return the table of the questions by stored results alone, what NOT RUN means, and the URL of the thread."""
    verdicts = [_stored(each.verdict) for each in outcome.answered]
    parts = [_table(zip(outcome.answered, verdicts, strict=True)), Text()]
    if Verdict.NOT_RUN in verdicts:
        command = f"radixcheck report --results {quote(str(results))}"
        parts.append(Text(f"{Verdict.NOT_RUN}: {results} has no result of the present sources; `{command}` obtains it"))
    return [*parts, Text(f"the review is {THREAD}; `radixcheck report --question ID` shows answer and evidence")]


def listing_json(outcome: AnswersOutcome) -> list[dict[str, Any]]:
    """Return the same as JSON, with the evidence of each answer."""
    return [
        row | {"verdict": _stored(row["verdict"]), "evidence": [e | {"found": _stored(e["found"])} for e in row["evidence"]]}
        for row in outcome.to_json()
    ]


def _stored(verdict: str) -> str:
    """Return the verdict as a listing shows it: a listing runs nothing, so that a missing result is NOT RUN."""
    return Verdict.NOT_RUN if verdict == Verdict.MISSING else verdict


def _answer(each: Answered) -> Iterator[Any]:
    yield Text(f"{each.answer.id}  {each.answer.question.sentence}", "bold")
    yield Padding(Text.assemble(styled(each.verdict), f"  {each.short}"), (0, 0, 0, 2))
    yield Padding(Text(f"{'In general: ' if each.of_one_cache else ''}{each.text}"), (0, 0, 0, 2))
    if each.advice:
        yield Padding(Text(f"Recommendation: {each.advice}"), (0, 0, 0, 2))
    for evidence, result in each.results:
        verdict, rest = line(evidence, result)
        unlike = Tone.UNDECIDED if each.verdict == Verdict.OPEN else Tone.BAD
        yield Padding(toned(f"{verdict} {rest}", Tone.DIM if evidence.expected in (ANY, verdict) else unlike), (0, 0, 0, 4))
    if each.command:
        yield Padding(Text(each.command), (0, 0, 0, 4))
    yield Text()


def _last(outcome: AnswersOutcome) -> Text:
    """Return the line that counts the verdicts."""
    words: Sequence[str] = [each.verdict for each in outcome.answered]
    counts = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    return of_status(f"{len(words)} claims and questions: {counts}", outcome.status)
