"""The command beside each answer gives the verdict that the report prints."""

import shlex

import pytest
from commands import Command

from radixcheck.verification.review_6907.answers import ANSWERS, BENCH, FACTS, LATENCY, PROVE, Evidence
from radixcheck.verification.runs.stored_results import Results

FIRST = {answer.id: answer.evidence[0] for answer in ANSWERS if answer.evidence}
HERE = [id_ for id_, evidence in FIRST.items() if evidence.source != LATENCY]  # latencies need an engine, and most of an hour
QUICK = [id_ for id_, evidence in FIRST.items() if evidence.source in (PROVE, FACTS)]


def verdict(command: Command, evidence: Evidence) -> str:
    """By the reader that the report uses, of what the command itself has printed."""
    program, *arguments = shlex.split(evidence.command)
    assert program == "radixcheck"
    result = Results({evidence.source: command(*arguments, "--json").json}).of(evidence)
    assert result is not None, evidence.command
    return result.verdict


def test_every_answer_has_its_command() -> None:
    assert {answer.id for answer in ANSWERS} == set(FIRST)
    assert set(FIRST) - {*HERE} == {"C12"}
    assert {FIRST[id_].source for id_ in HERE} - {PROVE, FACTS, BENCH} == {"as-submitted:pairs", "base", "optimized"}


@pytest.mark.slow
@pytest.mark.parametrize("id_", HERE)
def test_the_command_beside_an_answer_gives_its_verdict(id_: str, command: Command) -> None:
    assert verdict(command, FIRST[id_]) == FIRST[id_].expected


@pytest.mark.parametrize("id_", QUICK[::6])
def test_some_commands_that_are_quick_do_so_each_time(id_: str, command: Command) -> None:
    assert verdict(command, FIRST[id_]) == FIRST[id_].expected
