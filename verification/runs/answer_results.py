"""The answers to the questions of the review, with the stored results that they rest on. Nothing here runs a cache."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixcheck.verification.core.status import Outcome, Status, Verdict, worst
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.review_6907.answers import ANSWERS, ANY, LATENCY, Answer, Evidence, sources
from radixcheck.verification.runs.store import present
from radixcheck.verification.runs.stored_results import Result, Results

UNMEASURED = (LATENCY, Verdict.NOT_MEASURED)
NAMED_MAX = 3  # pieces of evidence in one line
WORST_FIRST = (Verdict.REFUTED, Verdict.UNKNOWN, Verdict.NOT_EXERCISED, Verdict.NOT_OBSERVABLE)
UNDECIDED = {*WORST_FIRST[1:], Verdict.NOT_MEASURED}
STATUS: dict[str, Status] = {
    Verdict.NOT_AS_EXPECTED: Status.REFUTED,
    **dict.fromkeys((Verdict.MISSING, Verdict.UNDECIDED), Status.UNDECIDED),
}


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and the results of its evidence."""

    answer: Answer
    results: tuple[tuple[Evidence, Result | None], ...]

    @property
    def verdict(self) -> Verdict | str:
        """Return the verdict of the first result if all are as expected; of the caches under review the worst. OPEN: without evidence.

        Latencies are measured with an engine, so that an answer which rests on them is OPEN until that was done.
        """
        found = [(evidence, result.verdict) for evidence, result in self.results if result]
        if len(found) < len(self.results):
            return Verdict.MISSING
        if self._contradicted or self._undecided:
            return Verdict.NOT_AS_EXPECTED if self._contradicted else Verdict.UNDECIDED
        if not found or self._unmeasured:
            return Verdict.OPEN
        words = {word for evidence, word in found if evidence.expected == ANY}
        return next((word for word in WORST_FIRST if word in words), found[0][1])

    @property
    def _contradicted(self) -> list[str]:
        """Return the names of what was decided, and not as expected."""
        return [e.name for e, r in self.results if r and e.expected != ANY and {*r.verdict.split(" / ")} - {e.expected} - UNDECIDED]

    @property
    def _undecided(self) -> list[str]:
        """Return the names of what was not decided, but for latencies that are to be measured."""
        expected = ((e, r.verdict, {ANY, r.verdict}) for e, r in self.results if r)
        return [e.name for e, word, fits in expected if e.expected not in fits and (e.source, word) != UNMEASURED]

    @property
    def _unmeasured(self) -> bool:
        """Whether the answer rests on a latency that no stored result has."""
        return any((e.source, result.verdict) == UNMEASURED for e, result in self.results if result)

    @property
    def text(self) -> str:
        """Return the answer, what it means for the submitted cache, and what is open."""
        if self._unmeasured and self.verdict == Verdict.OPEN:
            return f"The latency needs a served model: `{self.command}` measures it, in an engine's environment."
        words, open_ = " ".join(filter(None, (self.answer.answer, self.answer.change))), self.answer.open
        return words + (f" Open: {open_}." if words and open_ else "") if words else f"{open_}."

    @property
    def short(self) -> str:
        """Return the answer in one line. What was not decided, or contradicts the answer, is said instead of it."""
        if self.verdict == Verdict.MISSING:
            return f"Not decided: {_listed(e.name for e, result in self.results if result is None)}: no result."
        if self.verdict == Verdict.NOT_AS_EXPECTED:
            return f"Contradicted: {_listed(self._contradicted)}."
        if self.verdict == Verdict.UNDECIDED:
            return f"Not decided: {_listed(self._undecided)}."
        if self.verdict == Verdict.OPEN:
            return "Not measured here." if self._unmeasured else f"{self.answer.open}.".capitalize()
        return _seen(self.results) if self.of_one_cache else self.answer.in_short.short

    @property
    def advice(self) -> str:
        """Return what to do, if the answer is known and leaves that open."""
        return self.answer.in_short.advice if self.verdict not in (*STATUS, Verdict.OPEN) and not self.of_one_cache else ""

    @property
    def of_one_cache(self) -> bool:
        """Whether the answer says only what the results of the caches under review are, whatever these are."""
        return bool(self.results) and all(e.expected == ANY for e, _ in self.results)

    @property
    def about(self) -> tuple[str, ...]:
        """Return which caches the verdict is about: those under review, or those of the first result."""
        if self.of_one_cache:
            return tuple(dict.fromkeys(e.source for e, _ in self.results))
        return next((r.about for _, r in self.results[:1] if r and any(r.about)), ())

    @property
    def command(self) -> str:
        """Return the command that obtains the first result, or an empty string if there is no evidence."""
        return self.results[0][0].command if self.results else ""

    def to_json(self) -> dict[str, Any]:
        """Return the answer with each result as JSON."""
        question = self.answer.question
        return {
            **{"id": self.answer.id, "asked_by": question.asked_by, "url": question.url, "question": question.sentence},
            **{"verdict": self.verdict, "answer": self.text, "open": self.answer.open, "command": self.command},
            **{"short": self.short, "advice": self.advice, "about": list(self.about)},
            "evidence": [_evidence_json(evidence, result) for evidence, result in self.results],
        }


def _evidence_json(e: Evidence, result: Result | None) -> dict[str, Any]:
    head = {"command": e.command, "name": e.name, "source": e.source, "expected": e.expected}
    found = result or Result(Verdict.MISSING, "")
    return head | {"found": found.verdict, "detail": found.detail, "says": found.says}


def _listed(names: Iterable[str]) -> str:
    """Return the first names, and how many more there are."""
    every = list(dict.fromkeys(names))
    more = f" and {len(every) - NAMED_MAX} more" if len(every) > NAMED_MAX else ""
    return ", ".join(every[:NAMED_MAX]) + more


def _seen(results: tuple[tuple[Evidence, Result | None], ...]) -> str:
    """Return the properties by what was found of them."""
    by_word: dict[str, list[str]] = {}
    several = len({evidence.source for evidence, _ in results}) > 1
    for evidence, result in results:
        name = f"{evidence.name} of {evidence.source}" if several else evidence.name
        by_word.setdefault(result.verdict if result else Verdict.MISSING, []).append(name)
    said = {Verdict.REFUTED: "Broken", Verdict.TESTED: "Not broken in any state or call"}
    return "; ".join(f"{said.get(Verdict(word), word.lower().capitalize())}: {_listed(names)}" for word, names in by_word.items()) + "."


@dataclass(frozen=True, slots=True)
class AnswersOutcome(Outcome):
    """Answered questions."""

    answered: tuple[Answered, ...]
    reviewed: tuple[int, ...] = ()  # the statuses of the caches that were reviewed in place of the submitted change

    @property
    def status(self) -> Status:
        """REFUTED if a result is not as expected, UNDECIDED if one is missing or undecided, or the worse status of a cache under review.

        An OPEN answer holds.
        """
        return worst([*self.reviewed, *(STATUS.get(each.verdict, Status.HOLDS) for each in self.answered)])

    def to_json(self) -> list[dict[str, Any]]:
        """Return every answer with each result."""
        return [each.to_json() for each in self.answered]


def answer_by(results: Results, answers: Iterable[Answer] = ANSWERS, subjects: Iterable[str] = ()) -> AnswersOutcome:
    """Return every answer with its results. `subjects`: caches that are reviewed in place of the submitted change."""
    answered = tuple(Answered(each, tuple((e, results.of(e)) for e in each.evidence)) for each in answers)
    return AnswersOutcome(answered, tuple(results.stored[subject]["status"] for subject in subjects))


def answer_from(folder: Path, answers: Sequence[Answer]) -> AnswersOutcome:
    """Return the answers with the results that are stored in this folder. Nothing is run."""
    return answer_by(present(folder, sources(answers)), answers)


def chosen(ids: Sequence[str]) -> tuple[Answer, ...]:
    """Return the answers to the questions with these ids, or to all if there are none. Raise UsageError for an unknown id."""
    answers = {answer.id: answer for answer in ANSWERS}
    for id_ in ids:
        if id_ not in answers:
            raise UsageError(f"no question has the id {id_!r}: choose from {', '.join(answers)}")
    return tuple(answers[id_] for id_ in dict.fromkeys(ids)) or ANSWERS
