"""The answers to the reviewers' questions with the results that they rest on, as text for a person and as JSON for machines."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.padding import Padding
from rich.text import Text

from radixcheck.verification.report.answers import ANSWERS, Answer, Evidence
from radixcheck.verification.report.results import Result, Results

OPEN, MISSING, UNEXPECTED = "OPEN", "MISSING", "NOT AS EXPECTED"
COLOURS = {"PROVED": "green", "TESTED": "green", "REFUTED": "cyan", OPEN: "yellow"}  # anything else is bold red


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and what its evidence says today."""

    answer: Answer
    results: tuple[tuple[Evidence, Result | None], ...]

    @property
    def verdict(self) -> str:
        """What the first result says, if all are as expected; OPEN without any."""
        words = [result.verdict if result else MISSING for _, result in self.results]
        if any(word != evidence.expected for word, (evidence, _) in zip(words, self.results, strict=True)):
            return MISSING if MISSING in words else UNEXPECTED
        return words[0] if words else OPEN


def answered(results: Results, answers: Iterable[Answer] = ANSWERS) -> tuple[Answered, ...]:
    """Every answer beside its results."""
    return tuple(Answered(answer, tuple((e, results.of(e)) for e in answer.evidence)) for answer in answers)


def text(found: Sequence[Answered]) -> list[Any]:
    """Question, verdict, answer, evidence and command of each; and a last line that counts them."""
    return [*(part for each in found for part in _one(each)), _last(found)]


def _one(each: Answered) -> Iterator[Any]:
    a = each.answer
    yield Text(f"{a.id}  {a.question}", "bold")
    said = a.answer or a.open
    yield Padding(Text.assemble((each.verdict, COLOURS.get(each.verdict, "bold red")), f"  {said}"), (0, 0, 0, 2))
    if a.answer and a.open:
        yield Padding(Text(f"open: {a.open}", "yellow"), (0, 0, 0, 2))
    for evidence, result in each.results:
        word, detail = (result.verdict, result.detail) if result else (MISSING, "")
        of = "" if evidence.source == "prove" else f" of {evidence.source}"
        line = f"{word} {evidence.name}{of}: {detail}"
        yield Padding(Text(line, "dim" if word == evidence.expected else "bold red"), (0, 0, 0, 4))
    if each.results:
        yield Padding(Text(each.results[0][0].command), (0, 0, 0, 4))
    yield Text()


def _last(found: Sequence[Answered]) -> Text:
    words = [each.verdict for each in found]
    counts = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    return Text(f"{len(found)} claims and questions: {counts}", "green" if status(found) == 0 else "bold red")


def status(found: Sequence[Answered]) -> int:
    """1: a result is not as the answer says; 3: one is missing; 0: none is. What is OPEN is no failure of a result."""
    words = {each.verdict for each in found}
    return 1 if UNEXPECTED in words else 3 if MISSING in words else 0


def to_json(found: Sequence[Answered]) -> list[dict[str, Any]]:
    """Every answer, with each result."""
    return [
        {
            "id": each.answer.id,
            "question": each.answer.question,
            "verdict": each.verdict,
            "answer": each.answer.answer,
            "open": each.answer.open,
            "evidence": [
                {
                    "command": e.command,
                    "name": e.name,
                    "expected": e.expected,
                    "found": r.verdict if r else MISSING,
                    "detail": r.detail if r else "",
                }
                for e, r in each.results
            ],
        }
        for each in found
    ]
