"""The questions of the review with their answers and the results that these rest on, as text and as JSON."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.review_6907.answers import ANSWERS, ANY, BENCH, FACTS, PROVE, Answer, Evidence
from radixcheck.verification.review_6907.questions import THREAD, Question
from radixcheck.verification.runs.results import Result, Results

OPEN, MISSING, NOT_RUN, UNEXPECTED = Verdict.OPEN, Verdict.MISSING, Verdict.NOT_RUN, Verdict.NOT_AS_EXPECTED
GOOD = "green"
COLOURS: dict[str, str] = {
    Verdict.PROVED: GOOD,
    Verdict.TESTED: GOOD,
    Verdict.MEASURED: GOOD,
    Verdict.REFUTED: "cyan",
    OPEN: "yellow",
    NOT_RUN: "dim",
}  # anything else is bold red
WORST_FIRST = (Verdict.REFUTED, Verdict.UNKNOWN, Verdict.NOT_EXERCISED, Verdict.NOT_OBSERVABLE)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and the results of its evidence."""

    answer: Answer
    results: tuple[tuple[Evidence, Result | None], ...]

    @property
    def verdict(self) -> str:
        """Return the verdict of the first result if all are as expected; of several subjects the worst. OPEN: without evidence."""
        said = [(evidence, result.verdict if result else MISSING) for evidence, result in self.results]
        if any(word == MISSING for _, word in said):
            return MISSING
        if any(evidence.expected not in (ANY, word) for evidence, word in said):
            return UNEXPECTED
        if not said:
            return OPEN
        first, word = said[0]
        words = {other for evidence, other in said if (evidence.name, evidence.expected) == (first.name, ANY)}
        return next((worst for worst in WORST_FIRST if worst in words), word)


def answered(results: Results, answers: Iterable[Answer] = ANSWERS) -> tuple[Answered, ...]:
    """Return every answer with its results."""
    return tuple(Answered(answer, tuple((e, results.of(e)) for e in answer.evidence)) for answer in answers)


def paragraph(answer: Answer) -> str:
    """Return the answer, what it means for the submitted cache, and what is open."""
    said = " ".join(word for word in (answer.answer, answer.change) if word)
    return said + (f" Open: {answer.open}." if said and answer.open else "") if said else f"{answer.open}."


def line(evidence: Evidence, result: Result | None) -> tuple[str, str]:
    """Return the verdict of a piece of evidence, and the rest of its line."""
    of = "" if evidence.source in (PROVE, FACTS, BENCH) else f" of {evidence.source}"
    return (result.verdict if result else MISSING), f"{evidence.name}{of}: {result.detail if result else ''}"


def text(found: Sequence[Answered]) -> list[Any]:
    """Return question, verdict, answer, evidence and command of each, and a line that counts the verdicts."""
    return [*(part for each in found for part in _one(each)), last(found)]


def brief(found: Sequence[Answered]) -> list[Any]:
    """Return a table of the questions and a line that counts the verdicts."""
    return [_table((each, each.verdict) for each in found), Text(), last(found)]


def _table(rows: Iterable[tuple[Answered, str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("id", "asked by", "verdict", "claim or question"):
        table.add_column(column, overflow="fold")
    for each, word in rows:
        question = each.answer.question
        table.add_row(question.id, _asked_by(question), Text(word, COLOURS.get(word, "bold red")), Text(question.sentence))
    return table


def _asked_by(question: Question) -> str:
    """Return who asked, with the pull request where that is not the reviewed one."""
    return question.asked_by if question.url == THREAD else f"{question.asked_by} {question.place}"


def listing(found: Sequence[Answered], results: Path) -> list[Any]:
    """Return the table of the questions by stored results alone, what NOT RUN means, and the URL of the thread."""
    words = [_run(each.verdict) for each in found]
    parts = [_table(zip(found, words, strict=True)), Text()]
    if NOT_RUN in words:
        command = f"radixcheck report --results {quote(str(results))}"
        parts.append(Text(f"{NOT_RUN}: {results} has no result of the present sources; `{command}` obtains it"))
    return [*parts, Text(f"the review is {THREAD}; `radixcheck report --question ID` shows answer and evidence")]


def listing_json(found: Sequence[Answered]) -> list[dict[str, Any]]:
    """Return the same as JSON, with the evidence of each answer."""
    return [
        row | {"verdict": _run(row["verdict"]), "evidence": [e | {"found": _run(e["found"])} for e in row["evidence"]]}
        for row in to_json(found)
    ]


def _run(word: str) -> str:
    """Return the verdict as a listing shows it: it runs nothing, so that a result which is not stored is no failure."""
    return NOT_RUN if word == MISSING else word


def _one(each: Answered) -> Iterator[Any]:
    a = each.answer
    yield Text(f"{a.id}  {a.question.sentence}", "bold")
    yield Padding(Text.assemble((each.verdict, COLOURS.get(each.verdict, "bold red")), f"  {paragraph(a)}"), (0, 0, 0, 2))
    for evidence, result in each.results:
        word, rest = line(evidence, result)
        yield Padding(Text(f"{word} {rest}", "dim" if evidence.expected in (ANY, word) else "bold red"), (0, 0, 0, 4))
    if each.results:
        yield Padding(Text(each.results[0][0].command), (0, 0, 0, 4))
    yield Text()


def counts(found: Sequence[Answered]) -> str:
    """Return how many there are of each verdict."""
    words = [each.verdict for each in found]
    return ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))


def last(found: Sequence[Answered]) -> Text:
    """Return the line that counts the verdicts."""
    return Text(f"{len(found)} claims and questions: {counts(found)}", GOOD if status(found) == Status.HOLDS else "bold red")


def status(found: Sequence[Answered]) -> Status:
    """Return REFUTED if a result is not as the answer says, UNDECIDED if one is missing. An OPEN answer holds."""
    words = {each.verdict for each in found}
    return Status.REFUTED if UNEXPECTED in words else Status.UNDECIDED if MISSING in words else Status.HOLDS


def to_json(found: Sequence[Answered]) -> list[dict[str, Any]]:
    """Return every answer with each result as JSON."""
    return [
        {
            "id": each.answer.id,
            "asked_by": each.answer.question.asked_by,
            "url": each.answer.question.url,
            "question": each.answer.question.sentence,
            "verdict": each.verdict,
            "answer": paragraph(each.answer),
            "open": each.answer.open,
            "command": each.results[0][0].command if each.results else "",
            "evidence": [
                {
                    "command": e.command,
                    "name": e.name,
                    "source": e.source,
                    "expected": e.expected,
                    "found": r.verdict if r else MISSING,
                    "detail": r.detail if r else "",
                }
                for e, r in each.results
            ],
        }
        for each in found
    ]
