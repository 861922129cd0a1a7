"""The answers to the reviewers' questions: each rests on results that exist, and says what they say."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from radixcheck.verification.catalogue import CATALOGUE
from radixcheck.verification.commands import run
from radixcheck.verification.proofs.matrix import matrix
from radixcheck.verification.report import questions
from radixcheck.verification.report.answers import ANSWERS, SUBJECTS, Answer, found, proved, refuted
from radixcheck.verification.report.results import Results, _stored, digest
from radixcheck.verification.subjects.registry import BUILT_IN

ASKED = [*(f"C{i}" for i in range(1, 13)), *(f"Q{i}" for i in range(1, 14)), *(f"L{i}" for i in range(1, 6))]
EVIDENCE = [(answer.id, evidence) for answer in ANSWERS for evidence in answer.evidence]


def test_every_claim_and_question_has_its_answer() -> None:
    assert [answer.id for answer in ANSWERS] == ASKED
    assert all(answer.answer or answer.open for answer in ANSWERS)
    assert all(bool(answer.answer) == bool(answer.evidence) for answer in ANSWERS)


def test_what_an_answer_rests_on_exists_and_is_expected_there_too() -> None:
    cells = matrix()
    for id_, evidence in EVIDENCE:
        if evidence.source == "prove":
            expected = {cell.expected for cell in cells if evidence.name in (cell.name, cell.formula)}
            assert expected == {evidence.expected}, (id_, evidence.name)
        else:
            assert evidence.source in BUILT_IN
            assert evidence.name in CATALOGUE, (id_, evidence.name)


def cell(name: str, verdict: str) -> dict[str, Any]:
    return {"name": name, "formula": name.partition("/")[2] or name, "verdict": verdict, "decided": [{"seconds": 0.25}]}


def results(*cells: dict[str, Any], **properties: str) -> Results:
    verified = [{"id": id_, "verdict": verdict, "checked": 10, "non_vacuous": 4} for id_, verdict in properties.items()]
    return Results({"cells": cells}, {"base": {"properties": verified}})


ANSWER = Answer("Q1", "Is it so?", "It is.", (*proved("COUNT"), *refuted("Q1-EQUAL"), *found("base", "REFUTED", "RECENCY")))
RIGHT = [cell("evict/COUNT", "PROVED"), cell("grow/COUNT", "PROVED"), cell("Q1-EQUAL", "REFUTED")]


@pytest.mark.parametrize(
    ("cells", "recency", "verdict", "status"),
    [
        (RIGHT, "REFUTED", "PROVED", 0),
        (RIGHT[:2], "REFUTED", "MISSING", 3),
        ([*RIGHT[1:], cell("evict/COUNT", "UNKNOWN")], "REFUTED", "NOT AS EXPECTED", 1),
        (RIGHT, "TESTED", "NOT AS EXPECTED", 1),
    ],
)
def test_an_answer_says_what_its_first_result_says_if_all_are_as_expected(
    cells: list[dict[str, Any]], recency: str, verdict: str, status: int
) -> None:
    answered = questions.answered(results(*cells, RECENCY=recency), [ANSWER])

    assert [each.verdict for each in answered] == [verdict]
    assert questions.status(answered) == status


def test_what_rests_on_nothing_is_open() -> None:
    answered = questions.answered(results(), [replace(ANSWER, evidence=(), answer="", open="nobody knows")])

    assert answered[0].verdict == "OPEN"
    assert questions.status(answered) == 0
    assert questions.to_json(answered)[0]["open"] == "nobody knows"


def test_each_piece_of_evidence_comes_with_the_command_that_repeats_it() -> None:
    (answered,) = questions.to_json(questions.answered(results(*RIGHT, RECENCY="REFUTED"), [ANSWER]))

    assert [e["command"] for e in answered["evidence"]] == [
        "radixcheck prove --property COUNT",
        "radixcheck prove --property Q1-EQUAL",
        "radixcheck verify base",
    ]
    assert answered["evidence"][0]["detail"] == "2 conditions, 0.5 s"


def test_a_result_is_stored_once_for_the_same_sources(tmp_path: Path) -> None:
    file, obtained = tmp_path / "prove.json", [{"cells": [1]}, {"cells": [2]}, {"cells": [3]}]

    assert _stored(file, lambda: obtained.pop(0))["cells"] == [1]
    assert _stored(file, lambda: obtained.pop(0))["cells"] == [1]
    file.write_text(json.dumps({"sources": "others", "cells": [0]}))
    assert _stored(file, lambda: obtained.pop(0))["cells"] == [2]
    file.write_text("{ unfinished")
    assert _stored(file, lambda: obtained.pop(0))["cells"] == [3]
    assert json.loads(file.read_text())["sources"] == digest()


def test_the_command_answers_from_what_is_stored(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = [cell(e.name, e.expected) for _, e in EVIDENCE if e.source == "prove"]
    (tmp_path / "prove.json").write_text(json.dumps({"sources": digest(), "cells": cells}))
    for subject in SUBJECTS:
        verdicts = [{"id": e.name, "verdict": e.expected, "checked": 9, "non_vacuous": 5} for _, e in EVIDENCE if e.source == subject]
        stored = {"sources": digest(), "properties": verdicts}
        (tmp_path / f"verify-{subject.replace(':', '-')}.json").write_text(json.dumps(stored))

    assert run(["report", "--text", "--results", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert run(["report", "--json", "--results", str(tmp_path), "--question", "Q1"]) == 0

    assert all(f"{id_}  " in text for id_ in ASKED)
    assert "30 claims and questions" in text
    assert [each["id"] for each in json.loads(capsys.readouterr().out)] == ["Q1"]


def test_an_unknown_question_and_a_place_that_is_none_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")

    assert run(["report", "--question", "Q99"]) == 2
    assert "no question has the id 'Q99'" in capsys.readouterr().err
    assert run(["report", "--results", str(tmp_path / "file" / "below")]) == 2
    assert "cannot be made" in capsys.readouterr().err
