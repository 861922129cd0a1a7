"""The answers to the reviewers' questions with the results that they rest on, as text for a person and as JSON for machines."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.review_6907.answers import ANSWERS, ANY, BENCH, FACTS, PROVE, Answer, Evidence
from radixcheck.verification.runs.results import Result, Results

OPEN, MISSING, UNEXPECTED = Verdict.OPEN, Verdict.MISSING, Verdict.NOT_AS_EXPECTED
GOOD = "green"
COLOURS: dict[str, str] = {
    Verdict.PROVED: GOOD,
    Verdict.TESTED: GOOD,
    Verdict.MEASURED: GOOD,
    Verdict.REFUTED: "cyan",
    OPEN: "yellow",
}  # anything else is bold red
WORST_FIRST = (Verdict.REFUTED, Verdict.UNKNOWN, Verdict.NOT_EXERCISED, Verdict.NOT_OBSERVABLE)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and what its evidence says today."""

    answer: Answer
    results: tuple[tuple[Evidence, Result | None], ...]

    @property
    def verdict(self) -> str:
        """What the first result says, if all are as expected; the worst, where it was asked of several caches; OPEN without an answer."""
        said = [(evidence, result.verdict if result else MISSING) for evidence, result in self.results]
        if any(word == MISSING for _, word in said):
            return MISSING
        if any(evidence.expected not in (ANY, word) for evidence, word in said):
            return UNEXPECTED
        if not self.answer.answer:
            return OPEN
        first, word = said[0]
        words = {other for evidence, other in said if (evidence.name, evidence.expected) == (first.name, ANY)}
        return next((worst for worst in WORST_FIRST if worst in words), word)


def answered(results: Results, answers: Iterable[Answer] = ANSWERS) -> tuple[Answered, ...]:
    """Every answer beside its results."""
    return tuple(Answered(answer, tuple((e, results.of(e)) for e in answer.evidence)) for answer in answers)


def paragraph(answer: Answer) -> str:
    """All that we say to it."""
    said = " ".join(word for word in (answer.answer, answer.change) if word)
    return said + (f" Open: {answer.open}." if said and answer.open else "") if said else f"{answer.open}."


def line(evidence: Evidence, result: Result | None) -> tuple[str, str]:
    """What a piece of evidence says: verdict, and the rest of the line."""
    of = "" if evidence.source in (PROVE, FACTS, BENCH) else f" of {evidence.source}"
    return (result.verdict if result else MISSING), f"{evidence.name}{of}: {result.detail if result else ''}"


def text(found: Sequence[Answered]) -> list[Any]:
    """Question, verdict, answer, evidence and command of each; and a last line that counts them."""
    return [*(part for each in found for part in _one(each)), last(found)]


def brief(found: Sequence[Answered]) -> list[Any]:
    """A row for each, and the line that counts them."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for column in ("", "verdict", "claim or question"):
        table.add_column(column, overflow="fold")
    for each in found:
        table.add_row(each.answer.id, Text(each.verdict, COLOURS.get(each.verdict, "bold red")), each.answer.question)
    return [table, Text(), last(found)]


def _one(each: Answered) -> Iterator[Any]:
    a = each.answer
    yield Text(f"{a.id}  {a.question}", "bold")
    yield Padding(Text.assemble((each.verdict, COLOURS.get(each.verdict, "bold red")), f"  {paragraph(a)}"), (0, 0, 0, 2))
    for evidence, result in each.results:
        word, rest = line(evidence, result)
        yield Padding(Text(f"{word} {rest}", "dim" if evidence.expected in (ANY, word) else "bold red"), (0, 0, 0, 4))
    if each.results:
        yield Padding(Text(each.results[0][0].command), (0, 0, 0, 4))
    yield Text()


def counts(found: Sequence[Answered]) -> str:
    """How many there are of each verdict."""
    words = [each.verdict for each in found]
    return ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))


def last(found: Sequence[Answered]) -> Text:
    """The line that counts them."""
    return Text(f"{len(found)} claims and questions: {counts(found)}", GOOD if status(found) == Status.HOLDS else "bold red")


def status(found: Sequence[Answered]) -> Status:
    """Return REFUTED if a result is not as the answer says, UNDECIDED if one is missing. An OPEN answer holds."""
    words = {each.verdict for each in found}
    return Status.REFUTED if UNEXPECTED in words else Status.UNDECIDED if MISSING in words else Status.HOLDS


def to_json(found: Sequence[Answered]) -> list[dict[str, Any]]:
    """Every answer, with each result."""
    return [
        {
            "id": each.answer.id,
            "question": each.answer.question,
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
