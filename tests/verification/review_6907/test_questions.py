"""The tables of questions and of reported faults: complete, linked and used; and the command that lists the questions."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import Command
from places import ROOT

from radixcheck.verification.core.catalogue import CATALOGUE
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.proofs.matrix import matrix
from radixcheck.verification.review_6907 import latency_claims
from radixcheck.verification.review_6907.answers import ANSWERS
from radixcheck.verification.review_6907.claims import claims
from radixcheck.verification.review_6907.cost_claims import CLAIMS
from radixcheck.verification.review_6907.facts import FACTS
from radixcheck.verification.review_6907.field_faults import FIELD_FAULTS, OUT_OF_SCOPE
from radixcheck.verification.review_6907.questions import QUESTIONS, THREAD
from radixcheck.verification.review_6907.short_answers import LACKS, SHORT_ANSWERS
from radixcheck.verification.runs.store import store

LAYERS = ("spec", "reference", "optimized", "verification")
URL = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+/(pull|issues)/\d+")
A_COLOUR = ROOT / "verification" / "bench" / "plot.py"  # Matplotlib names its colours C0 to C9


def cited(pattern: str) -> set[str]:
    """What the text of the project names, the two tables left out."""
    files = [file for layer in LAYERS for kind in ("*.py", "*.md", "*.toml") for file in (ROOT / layer).rglob(kind)]
    tables = [ROOT / "verification" / "review_6907" / name for name in ("questions.toml", "field_faults.toml")]
    texts = [file.read_text() for file in [*files, ROOT / "README.md"] if file not in (*tables, A_COLOUR)]
    return {id_ for text in texts for id_ in re.findall(pattern, text)}


def named_by_evidence() -> Iterator[str]:
    """The ids that properties, conditions, facts and costs name."""
    evidence: list[Any] = [*CATALOGUE.values(), *matrix(claims()), *FACTS.values(), *CLAIMS.values()]
    for each in evidence:
        yield from each.questions.split()
    yield latency_claims.QUESTION


def test_every_id_that_the_project_names_is_in_the_table() -> None:
    assert cited(r"\b[CQL]\d{1,2}\b") == QUESTIONS.keys()
    assert {*named_by_evidence()} <= QUESTIONS.keys()


def test_every_question_of_the_table_is_named_by_evidence_or_open() -> None:
    assert QUESTIONS.keys() - {*named_by_evidence()} == {answer.id for answer in ANSWERS if not answer.evidence} | {"Q11"}


def test_a_question_is_one_sentence_with_who_asked_and_where() -> None:
    asked_by = {"C": "author", "Q": "reviewer", "L": "later change"}

    for question in QUESTIONS.values():
        assert re.fullmatch(r"[^?!]*[.?]", question.sentence), question.id
        assert question.asked_by == asked_by[question.id[0]]
        assert URL.fullmatch(question.url)
        assert (question.url == THREAD) == (question.id[0] != "L")
    assert (QUESTIONS["L2"].place, QUESTIONS["Q1"].place) == ("sglang-omni#1724", "sglang#6907")


def test_every_answer_has_one_line_that_starts_with_yes_no_or_only() -> None:
    assert [*SHORT_ANSWERS] == [answer.id for answer in ANSWERS]
    for id_, answer in SHORT_ANSWERS.items():
        assert re.match(r"(Yes|No|Only|By)\b", answer.short), id_
        assert len(answer.short) <= 140, id_
        assert answer.short.endswith("."), id_
    assert {id_ for id_, answer in SHORT_ANSWERS.items() if answer.advice} >= {"Q3", "Q6", "Q9"}
    assert {id_ for _, ids in LACKS for id_ in ids} <= QUESTIONS.keys()


def test_every_reported_fault_has_a_sentence_and_one_source() -> None:
    assert [*FIELD_FAULTS] == [f"FB-{number:02d}" for number in range(1, 86)]
    assert [fault.id for fault in FIELD_FAULTS.values() if not re.fullmatch(r"[A-Z].{20,}\.", fault.sentence)] == []
    assert [fault.id for fault in FIELD_FAULTS.values() if not URL.fullmatch(fault.url)] == []


def test_every_fault_that_the_project_names_is_in_the_table() -> None:
    assert cited(r"\bFB-\d+\b") <= FIELD_FAULTS.keys()


def test_every_reported_fault_has_a_mutant_or_a_reason_why_not() -> None:
    covered = {source for mutant in MUTANTS.values() for source in mutant.source.split()}
    assert covered | OUT_OF_SCOPE.keys() == FIELD_FAULTS.keys()
    assert covered & OUT_OF_SCOPE.keys() == set()
    assert [id_ for id_, reason in OUT_OF_SCOPE.items() if len(reason) < 20] == []


def guard_sifts(folder: Path, verdict: str) -> None:
    """Store what Q9 and C11 rest on, as if it had been run."""
    store(folder / "facts.json", {"facts": [{"id": "GUARD-SIFTS", "verdict": verdict, "against": "9 pops", "detail": ""}]})
    store(folder / "prove.json", {"cells": [{"name": "Q2-NO-GUARD", "formula": "Q2-NO-GUARD", "verdict": "REFUTED", "decided": []}]})


def test_the_command_lists_every_question_without_running_anything(tmp_path: Path, command: Command) -> None:
    ran = command("questions", "--results", tmp_path / "none")

    assert ran.status == 0
    assert all(re.search(rf"^{id_} ", ran.out, re.MULTILINE) for id_ in QUESTIONS)
    assert ran.out.count(THREAD) == 1
    assert f"`radixcheck report --results {tmp_path / 'none'}` obtains it" in ran.words
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(("verdict", "shown"), [("REFUTED", "REFUTED"), ("TESTED", "NOT AS EXPECTED")])
def test_verdicts_are_those_of_stored_results(verdict: str, shown: str, tmp_path: Path, command: Command) -> None:
    guard_sifts(tmp_path, verdict)

    (c11, q1) = command("questions", "C11", "Q1", "--results", tmp_path, "--json").json

    assert (c11["id"], c11["verdict"], c11["url"], c11["asked_by"]) == ("C11", shown, THREAD, "author")
    assert (q1["id"], q1["verdict"]) == ("Q1", "NOT RUN")
    listed = command("questions", "C11", "--results", tmp_path).words
    assert "NOT RUN" not in listed
    assert (SHORT_ANSWERS["C11"].short in listed) == (shown == "REFUTED")


def test_results_of_other_sources_count_as_not_run(tmp_path: Path, command: Command) -> None:
    guard_sifts(tmp_path, "REFUTED")
    for file in tmp_path.iterdir():
        file.write_text(file.read_text().replace('"sources": "', '"sources": "0'))
    assert [each["verdict"] for each in command("questions", "C11", "--results", tmp_path, "--json").json] == ["NOT RUN"]


def test_properties_show_where_the_ids_of_their_questions_lead(command: Command) -> None:
    assert "`radixcheck questions` lists them" in command("invariants").out
    rows = {row["id"]: row for row in command("invariants", "--json").json}
    assert rows["NO_ORPHAN"]["question_urls"] == {"Q1": THREAD, "Q6": THREAD}
