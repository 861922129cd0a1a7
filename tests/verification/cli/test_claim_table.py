"""The table of claims: its files are there, its commands can be given, no command is without a claim; and the command that lists it."""

import shlex
from itertools import pairwise

import click
import pytest
from commands import Command
from places import ROOT

from radixcheck.verification.cli.app import cli
from radixcheck.verification.core.claim_table import claims, matching

CONTEXT = click.Context(cli)
PROGRAMS = {"radixcheck", ".venv/bin/pytest", "pytest", "python", "bench.py"}
BY_HAND = ("bench.py", "pytest")  # of another project, and an option of our plugin


def parsed(command: str) -> str:
    """The name of the command that is given, once its options and arguments were read. Raises ClickException."""
    _, name, *words = shlex.split(command)
    found = cli.get_command(CONTEXT, name)
    if found is None:
        raise click.UsageError(f"no command {name}")
    found.make_context(name, words)
    return name


def test_the_files_of_every_claim_are_there() -> None:
    assert [file for each in claims() for file in each.files if not (ROOT / file).exists()] == []
    assert [each.claim for each in claims() if not each.files] == []


def test_every_command_of_a_claim_can_be_given_and_every_command_has_a_claim() -> None:
    ours = [each.command for each in claims() if each.command.startswith("radixcheck ")]

    assert {parsed(command) for command in ours} == {*cli.list_commands(CONTEXT)}
    assert {each.command.split()[0] for each in claims()} == PROGRAMS


@pytest.mark.parametrize(
    "command", ["radixcheck gone", "radixcheck verify --gone", "radixcheck verify --seconds soon", "radixcheck replay a b"]
)
def test_a_command_that_cannot_be_given_is_seen(command: str) -> None:
    with pytest.raises(click.ClickException):
        parsed(command)


def test_the_files_that_other_programs_are_given_are_there() -> None:
    others = [shlex.split(each.command)[1:] for each in claims() if each.command.split()[0] not in ("radixcheck", *BY_HAND)]

    named = [word for words in others for word in words if "/" in word]
    assert len(named) == len(others)
    assert [word for word in named if not (ROOT / word).is_file()] == []


def test_a_claim_is_one_sentence_and_stands_in_one_group() -> None:
    groups = [each.group for each in claims()]

    assert [each.claim for each in claims() if not (each.claim[0].isupper() and each.claim.endswith("."))] == []
    assert len({each.claim for each in claims()}) == len(claims())
    assert sum(a != b for a, b in pairwise(groups)) + 1 == len({*groups})


def test_the_readme_has_eight_of_the_claims_with_their_commands() -> None:
    text = (ROOT / "README.md").read_text()
    rows = [f"| {each.claim} | `{each.command}` |" for each in claims() if each.readme]

    assert len(rows) == 8
    assert "\n".join(rows) in text


def test_the_command_lists_all_claims_or_those_with_all_words(command: Command) -> None:
    everything, some, none = command("claims"), command("claims", "PROVE", "lock", "--json"), command("claims", "zebra")

    assert (everything.status, some.status, none.status) == (0, 0, 0)
    assert [each.claim for each in claims() if each.claim not in everything.words] == []
    assert f"{len(claims())} claims" in everything.words
    assert [each["command"] for each in some.json] == [each.command for each in matching(("prove", "lock"))]
    assert 0 < len(some.json) < len(claims())
    assert none.words == "no claim has all of these words"
