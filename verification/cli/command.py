"""What all commands share: a help that fits the terminal and says how the command ends, and a module that is imported when needed."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib import import_module
from shutil import get_terminal_size

import click

from radixcheck.verification.cli.command_table import COMMANDS, EVERYWHERE, SECTIONS, statuses

WIDEST = 110  # columns of a help


class HelpText(click.HelpFormatter):
    """Help as wide as the terminal, also where that is narrow."""

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        super().__init__(indent_increment, width or max(20, min(get_terminal_size().columns, max_width or WIDEST) - 2))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write terms with what they mean. A narrow terminal gets a narrow column of terms."""
        super().write_dl(list(rows), min(col_max, self.width // 3), col_spacing)


class HelpContext(click.Context):
    """A context whose help is a `HelpText`."""

    formatter_class = HelpText


class Command(click.Command):
    """A command whose help lists its exit statuses."""

    context_class = HelpContext

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the exit statuses below the options."""
        _write_statuses(formatter, statuses(self.name or ""))


class Commands(click.Group):
    """The group of all commands. The module of a command is imported when the command is used."""

    context_class = HelpContext

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None if there is none of this name."""
        entry = COMMANDS.get(cmd_name)
        found: click.Command | None = getattr(import_module(entry.module), cmd_name) if entry else None
        return found

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that was named. Raise UsageError, with the nearest name, if there is none."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            nearest = get_close_matches(name, COMMANDS, 1)
            raise click.UsageError(f"No such command {name!r}.{f' Did you mean {nearest[0]!r}?' if nearest else ''}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their summaries, and how each of them ends."""
        for title, entries in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, entry.summary) for name, entry in entries.items()])
        _write_statuses(formatter, EVERYWHERE)
        formatter.write_paragraph()
        formatter.write_text("`radixcheck COMMAND --help` says what that means there.")


def _write_statuses(formatter: click.HelpFormatter, meanings: Mapping[int, str]) -> None:
    with formatter.section("Exit status"):
        formatter.write_dl([(str(status), meaning) for status, meaning in meanings.items()])
