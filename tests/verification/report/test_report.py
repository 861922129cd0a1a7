"""The answers to the reviewers' questions: each rests on results that exist, and says what they say."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands import Command

from radixcheck.verification.core.catalogue import CATALOGUE
from radixcheck.verification.core.sources import digest
from radixcheck.verification.proofs.matrix import matrix
from radixcheck.verification.review_6907.answers import (
    ANSWERS,
    BENCH,
    FACTS,
    LATENCY,
    PAIRS,
    PROVE,
    Answer,
    about,
    found,
    proved,
    refuted,
    sources,
)
from radixcheck.verification.review_6907.claims import claims
from radixcheck.verification.review_6907.cost_claims import CLAIMS
from radixcheck.verification.review_6907.facts import FACTS as DECIDED
from radixcheck.verification.review_6907.latency_claims import SENTENCES
from radixcheck.verification.review_6907.questions import QUESTIONS
from radixcheck.verification.runs.answer_results import answer_by
from radixcheck.verification.runs.store import stored
from radixcheck.verification.runs.stored_results import Results
from radixcheck.verification.subjects.registry import BUILT_IN

SERVED_MODEL = "C12"

EACH = [word for id_ in QUESTIONS for word in ("--question", id_)]
EVIDENCE = [(answer.id, evidence) for answer in ANSWERS for evidence in answer.evidence]


def test_every_claim_and_question_has_its_answer() -> None:
    assert [answer.id for answer in ANSWERS] == [*QUESTIONS]
    assert all(answer.evidence or answer.open for answer in ANSWERS)
    assert [answer.id for answer in ANSWERS if bool(answer.answer) != bool(answer.evidence)] == []


def test_what_an_answer_rests_on_exists_and_is_expected_there_too() -> None:
    cells = matrix(claims())
    for id_, evidence in EVIDENCE:
        if evidence.source == FACTS:
            assert DECIDED[evidence.name].expected == evidence.expected
        elif evidence.source == BENCH:
            assert id_ in CLAIMS[evidence.name].questions.split()
        elif evidence.source == LATENCY:
            assert (id_, evidence.name in SENTENCES) == (SERVED_MODEL, True)
        elif evidence.source == PROVE:
            expected = {cell.expected for cell in cells if evidence.name in (cell.name, cell.formula)}
            assert expected == {evidence.expected}, (id_, evidence.name)
        else:
            assert evidence.source in BUILT_IN
            assert evidence.name in CATALOGUE, (id_, evidence.name)


def cell(name: str, verdict: str) -> dict[str, Any]:
    return {"name": name, "formula": name.partition("/")[2] or name, "verdict": verdict, "decided": [{"seconds": 0.25}]}


def results(*cells: dict[str, Any], **properties: str) -> Results:
    verified = [{"id": id_, "verdict": verdict, "checked": 10, "non_vacuous": 4} for id_, verdict in properties.items()]
    return Results({"prove": {"cells": cells}, "base": {"properties": verified}})


ANSWER = Answer("Q1", "It is.", (*proved("COUNT"), *refuted("Q1-EQUAL"), *found("base", "REFUTED", "RECENCY")))
RIGHT = [cell("evict/COUNT", "PROVED"), cell("grow/COUNT", "PROVED"), cell("Q1-EQUAL", "REFUTED")]


@pytest.mark.parametrize(
    ("cells", "recency", "verdict", "status"),
    [
        (RIGHT, "REFUTED", "PROVED", 0),
        (RIGHT[:2], "REFUTED", "MISSING", 3),
        ([*RIGHT[1:], cell("evict/COUNT", "UNKNOWN")], "REFUTED", "UNDECIDED", 3),
        (RIGHT, "NOT EXERCISED", "UNDECIDED", 3),
        ([*RIGHT[1:], cell("evict/COUNT", "UNKNOWN")], "TESTED", "NOT AS EXPECTED", 1),
        (RIGHT, "TESTED", "NOT AS EXPECTED", 1),
    ],
)
def test_an_answer_says_what_its_first_result_says_if_all_are_as_expected(
    cells: list[dict[str, Any]], recency: str, verdict: str, status: int
) -> None:
    outcome = answer_by(results(*cells, RECENCY=recency), [ANSWER])

    assert [each.verdict for each in outcome.answered] == [verdict]
    assert outcome.status == status


def test_an_answer_is_given_only_where_its_evidence_is_as_expected() -> None:
    found = {
        words: answer_by(results(*cells, RECENCY=recency), [ANSWER]).answered[0]
        for words, cells, recency in (
            ("right", RIGHT, "REFUTED"),
            ("missing", RIGHT[:2], "REFUTED"),
            ("wrong", [*RIGHT[1:], cell("evict/COUNT", "UNKNOWN")], "TESTED"),
            ("idle", [*RIGHT[1:], cell("evict/COUNT", "UNKNOWN")], "NOT EXERCISED"),
        )
    }

    assert found["right"].short == ANSWER.in_short.short
    assert found["right"].advice == ANSWER.in_short.advice != ""
    assert found["missing"].short == "Not decided: Q1-EQUAL: no result."
    assert found["wrong"].short == "Contradicted: RECENCY."
    assert found["idle"].short == "Not decided: COUNT, RECENCY."
    assert found["missing"].advice == found["wrong"].advice == found["idle"].advice == ""
    assert found["right"].about == ("the specification",)


def test_a_piece_of_evidence_says_what_was_decided_and_about_which_cache() -> None:
    sentence = "No node is older than its parent."
    of_claim = cell("Q1-EQUAL", "REFUTED") | {"sentence": sentence, "run": {"cache": "base"}}
    kept = [cell(f"{step}/COUNT", "PROVED") | {"transition": step, "sentence": ""} for step in ("evict", "grow")]
    of = results(of_claim, *kept).of

    (wrong,), (right,) = map(of, refuted("Q1-EQUAL")), map(of, proved("COUNT"))
    assert wrong is not None
    assert right is not None
    assert (wrong.says, wrong.about) == (sentence, ("the specification", "base"))
    assert right.text == "kept by each of evict, grow (2 conditions, 0.5 s)"


def test_what_rests_on_nothing_is_open() -> None:
    outcome = answer_by(results(), [replace(ANSWER, evidence=(), answer="", open="not known")])

    assert outcome.answered[0].verdict == "OPEN"
    assert outcome.status == 0
    assert outcome.to_json()[0]["open"] == "not known"


def test_each_piece_of_evidence_comes_with_the_command_that_repeats_it() -> None:
    (answered,) = answer_by(results(*RIGHT, RECENCY="REFUTED"), [ANSWER]).to_json()

    assert [e["command"] for e in answered["evidence"]] == [
        "radixcheck prove --property COUNT",
        "radixcheck prove --property Q1-EQUAL",
        "radixcheck verify base --seconds 10",
    ]
    assert answered["evidence"][0]["detail"] == "2 conditions, 0.5 s"


def test_a_result_is_stored_once_for_the_same_sources(tmp_path: Path) -> None:
    file, obtained = tmp_path / "prove.json", [{"cells": [1]}, {"cells": [2]}, {"cells": [3]}]

    assert stored(file, lambda: obtained.pop(0))["cells"] == [1]
    assert stored(file, lambda: obtained.pop(0))["cells"] == [1]
    file.write_text(json.dumps({"sources": "others", "cells": [0]}))
    assert stored(file, lambda: obtained.pop(0))["cells"] == [2]
    file.write_text("{ unfinished")
    assert stored(file, lambda: obtained.pop(0))["cells"] == [3]
    assert json.loads(file.read_text())["sources"] == digest()


def all_as_expected(folder: Path) -> None:
    """Stored results in which every answer finds what it rests on."""
    kept: dict[str, dict[str, Any]] = {source: {"sources": digest(), "status": 0} for source in sources(ANSWERS)}
    for source, stored_ in kept.items():
        names = [(e.name, e.expected) for _, e in EVIDENCE if e.source == source]
        if source == PROVE:
            stored_["cells"] = [cell(*each) for each in names]
        elif source == FACTS:
            stored_["facts"] = [{"id": name, "verdict": word, "against": "", "detail": "9 cases"} for name, word in names]
        elif source in (BENCH, LATENCY):
            stored_["claims"] = [{"id": name, "verdict": word, "text": "9 against 3 us"} for name, word in names]
        else:
            stored_["properties"] = [{"id": name, "verdict": word, "checked": 9, "non_vacuous": 5, "note": ""} for name, word in names]
        (folder / f"{source.replace(':', '-')}.json").write_text(json.dumps(stored_))


def test_the_command_answers_from_what_is_stored(tmp_path: Path, command: Command) -> None:
    all_as_expected(tmp_path)

    every = command("report", "--results", tmp_path, *EACH)
    one = command("report", "--json", "--results", tmp_path, "--question", "Q1")

    assert every.status == one.status == 0
    assert all(f"{id_}  " in every.out for id_ in QUESTIONS)
    assert "30 claims and questions" in every.out
    assert [each["id"] for each in one.json] == ["Q1"]


def answered_from(folder: Path, command: Command) -> dict[str, dict[str, Any]]:
    ran = command("report", "--json", "--results", folder, *EACH)
    assert ran.status == 0
    return {each["id"]: each for each in ran.json}


def test_nothing_is_open_where_latencies_were_measured(tmp_path: Path, command: Command) -> None:
    all_as_expected(tmp_path)

    answered = answered_from(tmp_path, command)
    assert {id_ for id_, each in answered.items() if each["verdict"] == "OPEN"} == set()
    assert {id_ for id_, each in answered.items() if each["open"]} == {SERVED_MODEL}
    assert answered[SERVED_MODEL]["verdict"] == "MEASURED"
    assert [e["detail"] for e in answered[SERVED_MODEL]["evidence"]] == ["9 against 3 us"] * 3


def test_only_what_needs_a_served_model_is_open_where_they_were_not(tmp_path: Path, command: Command) -> None:
    all_as_expected(tmp_path)
    (tmp_path / "latency.json").unlink()

    answered = answered_from(tmp_path, command)
    assert {id_ for id_, each in answered.items() if each["verdict"] == "OPEN"} == {SERVED_MODEL}
    assert {e["found"] for e in answered[SERVED_MODEL]["evidence"]} == {"NOT MEASURED"}
    assert answered[SERVED_MODEL]["command"].startswith("radixcheck live --latency")
    assert answered[SERVED_MODEL]["command"] in answered[SERVED_MODEL]["answer"]
    assert not (tmp_path / "latency.json").exists()


@pytest.mark.parametrize(
    ("words", "verdict"),
    [
        (("MEASURED", "NOT MEASURED", "MEASURED"), "OPEN"),
        (("REFUTED", "MEASURED", "MEASURED"), "NOT AS EXPECTED"),
        (("NOT MEASURED", "REFUTED", "MEASURED"), "NOT AS EXPECTED"),
        (("MEASURED", "MEASURED", "MEASURED"), "MEASURED"),
    ],
)
def test_a_stored_latency_decides_its_question(words: tuple[str, ...], verdict: str) -> None:
    claims_ = [{"id": name, "verdict": word, "text": "figures"} for name, word in zip(SENTENCES, words, strict=True)]
    (c12,) = [answer for answer in ANSWERS if answer.id == SERVED_MODEL]

    assert [each.verdict for each in answer_by(Results({LATENCY: {"claims": claims_}}), [c12]).answered] == [verdict]


def test_a_report_on_one_cache_asks_only_what_a_search_of_it_decides() -> None:
    asked = about(ANSWERS, ("mine:a", "mine:b"))

    assert {e.source for answer in asked for e in answer.evidence} == {"mine:a", "mine:b"}
    assert {answer.id for answer in asked} == {"C1", "C2", "C3", "C4", "C5", "Q1", "Q7", "Q9", "Q10", "Q11", "L1", "L5"}
    kept = {
        name: {"subject": name, "properties": [{"id": "RECENCY", "verdict": word, "checked": 9, "non_vacuous": 5, "note": ""}]}
        for name, word in (("mine:a", "TESTED"), ("mine:b", "REFUTED"))
    }
    (answered,) = answer_by(Results(kept), [answer for answer in asked if answer.id == "L5"]).answered
    assert (answered.verdict, answered.about) == ("REFUTED", ("mine:a", "mine:b"))
    assert answered.short == "Not broken in any state or call: RECENCY of mine:a; Broken: RECENCY of mine:b."


def of_one_property(name: str, verdict: str) -> dict[str, Any]:
    return {"id": name, "verdict": verdict, "checked": 9, "non_vacuous": 5, "note": ""}


@pytest.mark.parametrize("word", ["REFUTED", "NOT EXERCISED", "NOT OBSERVABLE"])
def test_a_question_about_one_cache_has_the_worst_verdict_of_all_its_properties(word: str) -> None:
    (asked,) = about([answer for answer in ANSWERS if answer.id == "Q1"], ("mine:c",))
    names = [evidence.name for evidence in asked.evidence]
    words = dict.fromkeys(names, "TESTED") | {"NO_ORPHAN": word}
    stored_ = {"mine:c": {"status": 1, "properties": [of_one_property(*each) for each in words.items()]}}
    outcome = answer_by(Results(stored_), [asked], ("mine:c",))

    assert names[0] != "NO_ORPHAN"
    assert [each.verdict for each in outcome.answered] == [word]
    assert outcome.status == 1


def test_a_question_about_one_cache_is_answered_with_its_results_alone(tmp_path: Path, command: Command) -> None:
    properties = [of_one_property(p.id, "REFUTED" if p.id == "NO_ORPHAN" else "TESTED") for p in CATALOGUE.values()]
    (tmp_path / "optimized.json").write_text(json.dumps({"sources": digest(), "status": 1, "properties": properties}))

    asked = command("report", "--results", tmp_path, "--subject", "optimized", "--question", "Q1")
    other = command("report", "--results", tmp_path, "--subject", "optimized", "--question", "Q2")

    assert asked.status == 1
    assert "Broken: NO_ORPHAN" in asked.out
    assert "In general: " in asked.out
    assert "Recommendation" not in asked.out
    assert "as-submitted" not in asked.out
    assert other.status == 2
    assert "no search of a cache decides Q2" in other.err


@pytest.mark.parametrize(("first", "second", "verdict"), [("TESTED", "REFUTED", "REFUTED"), ("NOT OBSERVABLE", "TESTED", "NOT OBSERVABLE")])
def test_of_several_caches_the_worst_speaks(first: str, second: str, verdict: str) -> None:
    (answer,) = about([Answer("C3", "It depends.", found(PAIRS, "REFUTED", "HEAP_BOUND"))], ("a", "b"))
    kept = {
        name: {"properties": [{"id": "HEAP_BOUND", "verdict": word, "checked": 9, "non_vacuous": 5, "note": "why"}]}
        for name, word in (("a", first), ("b", second))
    }

    assert [each.verdict for each in answer_by(Results(kept), [answer]).answered] == [verdict]
