"""The help of the program and of its commands: whole summaries, exit statuses, any width, and nothing imported that it does without."""

import subprocess
import sys

import click
import pytest
from commands import Command

from radixcheck.verification.cli import command_table
from radixcheck.verification.cli.app import cli
from radixcheck.verification.cli.command_table import COMMANDS
from radixcheck.verification.core.status import Status

HEAVY = ("torch", "z3", "sglang", "hypothesis", "rich", "radixcheck.spec", "radixcheck.verification.search.verify")


def imported_by(*arguments: str, names: tuple[str, ...] = HEAVY) -> set[str]:
    """Which of these modules a command has imported when it ends."""
    script = (
        f"import sys\nfrom radixcheck.verification.cli.app import run\nrun({list(arguments)!r})\n"
        f"print(*sorted({{*{names!r}}} & {{*sys.modules}}), file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {*ran.stderr.splitlines()[-1].split()}


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_the_help_lists_each_command_with_its_whole_summary(columns: int, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    ran = command("--help")

    assert ran.status == 0
    assert "..." not in ran.out.replace("[ARGS]...", "")
    for name, entry in COMMANDS.items():
        assert f" {name} {entry.summary} " in f"{ran.words} "
    assert max(map(len, ran.out.splitlines())) <= columns
    if columns >= 80:
        assert all(f"{entry.summary}\n" in ran.out for entry in COMMANDS.values())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_help_says_how_the_command_ends(name: str, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    ran = command(name, "--help")
    statuses = command_table.statuses(name)

    assert ran.status == 0
    assert {Status.HOLDS, Status.WRONG_USE, Status.UNDECIDED} <= set(statuses) <= set(Status)
    assert "Exit status: " + " ".join(f"{status} {meaning}" for status, meaning in statuses.items()) in ran.words
    assert max(map(len, ran.out.splitlines())) <= 40


def test_every_command_is_in_the_table_under_its_name() -> None:
    context = click.Context(cli)

    assert cli.list_commands(context) == list(COMMANDS)
    for name in COMMANDS:
        found = cli.get_command(context, name)
        assert found is not None
        assert found.name == name


def test_an_unknown_command_gets_the_nearest_name(command: Command) -> None:
    assert "No such command 'verfy'. Did you mean 'verify'?" in command("verfy").err
    assert command("--help", "verfy").status == 0
    assert command("zzzz").status == 2


def test_the_help_imports_no_library_but_that_of_the_command_line() -> None:
    assert imported_by("--help") == set()
    assert imported_by("verify", "--help") <= {"radixcheck.spec"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "nobody"),
        ("verify", "nowhere.at_all:factory"),
        ("verify", "--policy", "random"),
        ("verify", "--page-size", "0"),
        ("verify", "--mode", "none"),
        ("verify", "--seconds", "nan"),
        ("verify", "--junit", "absent/of/it.xml"),
        ("verify", "--traces", __file__),
        ("verify", "--device", "abacus"),
        ("diff", "reference", "nobody"),
        ("explore", "nobody"),
        ("replay",),
        ("show", "absent.jsonl"),
        ("init", "nowhere.at_all:Cache"),
    ],
)
def test_a_wrong_input_is_rejected_before_a_library_is_imported(arguments: tuple[str, ...]) -> None:
    assert imported_by(*arguments) <= {"radixcheck.spec"}
