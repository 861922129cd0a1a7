"""The command beside each answer gives the verdict that the report prints."""

import json
import shlex
from functools import cache
from typing import Any

import pytest

from radixcheck.verification.cli.app import run
from radixcheck.verification.review_6907.answers import ANSWERS, BENCH, FACTS, PROVE, Evidence
from radixcheck.verification.runs.results import Results

FIRST = {answer.id: answer.evidence[0] for answer in ANSWERS if answer.evidence}
QUICK = [id_ for id_, evidence in FIRST.items() if evidence.source in (PROVE, FACTS)]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    """What a command prints for machines; each is run once."""

    @cache
    def run_once(command: str) -> Any:
        program, *arguments = shlex.split(command)
        assert program == "radixcheck"
        run([*arguments, "--json"])
        return json.loads(capsys.readouterr().out)

    return run_once


def verdict(said: Any, evidence: Evidence) -> str:
    """By the reader that the report uses, of what the command itself has printed."""
    result = Results({evidence.source: said(evidence.command)}).of(evidence)
    assert result is not None, evidence.command
    return result.verdict


def test_every_answer_has_its_command() -> None:
    assert {answer.id for answer in ANSWERS} - set(FIRST) == {"C10", "C12", "Q8"}
    assert {FIRST[id_].source for id_ in FIRST} - {PROVE, FACTS, BENCH} == {"as-submitted:pairs", "base", "optimized"}


@pytest.mark.slow
@pytest.mark.parametrize("id_", FIRST)
def test_the_command_beside_an_answer_gives_its_verdict(id_: str, said: Any) -> None:
    assert verdict(said, FIRST[id_]) == FIRST[id_].expected


@pytest.mark.parametrize("id_", QUICK[::6])
def test_some_commands_that_are_quick_do_so_each_time(id_: str, said: Any) -> None:
    assert verdict(said, FIRST[id_]) == FIRST[id_].expected
