"""Results fit where they are shown: narrow and dumb terminals, encodings without lines, pipes."""

import io
import os
import pty
import re
import sys
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from radixcheck.verification.core.tree_text import tree
from radixcheck.verification.protocol import Observation, SeenNode
from radixcheck.verification.report import console
from radixcheck.verification.report.layout import Printable, folded
from radixcheck.verification.report.style import side_by_side, styled, table

CHAIN = [SeenNode(i, i - 1 if i else None, (10 * i, 10 * i + 1), (i, i), (), (10 * i,), i % 2, time=i) for i in range(4)]
TREE = tree(Observation(9, [*CHAIN, SeenNode(9, None, (7,), (9,), (), (7,), 0, time=5)]))


def rendered(part: object, width: int, encoding: str = "utf-8") -> str:
    """What is printed at this width."""
    return console._text([part], width, encoding)


@given(st.text(st.sampled_from("ab  │└─├…\u4e00"), max_size=60), st.integers(10, 60))
@example("└─ " + "a" * 40, 10)
@example("            1  insert [0 1 2]", 10)
def test_a_folded_line_fits_and_keeps_all_its_letters(line: str, width: int) -> None:
    parts = [part.plain for part in folded(Text(line), width)]
    letters = [char for char in "".join(parts) if char in "ab\u4e00"]

    assert all(Text(part).cell_len <= width for part in parts)
    assert letters == [char for char in line if char in "ab\u4e00"]


def test_a_tree_keeps_its_shape_at_any_width() -> None:
    """The text of a node never stands left of its own branch."""
    for width in (24, 30, 40, 60, 140):
        lines = rendered(Text(TREE), width).splitlines()
        assert max(map(len, lines)) <= width
        column = 0
        for line in lines:
            text = len(line) - len(line.lstrip(" │├└─"))
            column = text if "─" in line else column
            assert text >= column or line.startswith("root")
    assert rendered(Text(TREE), 140) == TREE


def test_a_tree_of_an_encoding_without_lines_is_drawn_in_ascii() -> None:
    text = rendered(Text(TREE), 140, "ascii")

    assert text.isascii()
    assert "\n|- [0 1]" in text
    assert "\n|  `- [10 11]" in text
    assert "\n`- [7]" in text


def test_a_table_that_does_not_fit_becomes_records() -> None:
    made = table("property", "checked", "verdict", "note", numbers=("checked",))
    made.add_row("SLOT_PARTITION", "1,350", styled("TESTED"), "")
    made.add_row("ISOLATION", "0", styled("NOT OBSERVABLE"), "it has no namespaces")

    wide, narrow = rendered(made, 100), rendered(made, 30)

    assert wide.splitlines()[0].split() == ["property", "checked", "verdict", "note"]
    assert narrow.splitlines()[:2] == ["SLOT_PARTITION", "  checked 1,350"]
    assert max(map(len, narrow.splitlines())) <= 30
    assert {*wide.split()} - {*narrow.split()} == {"property"}  # the name of the first column goes without saying


def test_two_trees_stand_side_by_side_only_where_there_is_room() -> None:
    both = side_by_side("before\n" + TREE, "after\n" + TREE)

    assert "before" in rendered(both, 200).splitlines()[0]
    assert "after" in rendered(both, 200).splitlines()[0]
    assert rendered(both, 70) == "before\n" + TREE + "\nafter\n" + TREE


def test_an_indented_part_keeps_its_indent_and_the_empty_lines_below_it() -> None:
    assert rendered(Padding(Text("some words"), (0, 0, 2, 3)), 9) == "   some\n   words\n\n"


def test_a_command_to_be_copied_is_never_broken() -> None:
    line = "radixcheck show " + "a" * 200

    assert rendered(Text(line, no_wrap=True, overflow="ignore"), 40) == line
    assert console.plain([Text(line, no_wrap=True, overflow="ignore")]) == line


def test_what_is_piped_has_no_spaces_at_the_ends_of_lines(capsys: pytest.CaptureFixture[str]) -> None:
    console.show([side_by_side("a\nlonger", "b"), Padding(Text(TREE), (0, 0, 0, 2)), table("one", "two")])
    out = capsys.readouterr().out

    assert "\n  └─ [7]  slots 9  time 5\n" in out
    assert not [line for line in out.splitlines() if line != line.rstrip()]


@pytest.mark.parametrize(("value", "columns"), [("0", 140), ("-3", 140), ("", 140), ("wide", 140), ("7", 20), ("40", 40)])
def test_the_variable_columns_is_believed_if_it_is_a_width(value: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", value)

    assert console.width(io.StringIO()) == columns


def at_terminal(do: Callable[[], None], terminal: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a terminal of this kind and width gets from standard error."""
    monkeypatch.setenv("TERM", terminal)
    monkeypatch.setenv("COLUMNS", str(columns))
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        do()
    written = b""
    with suppress(OSError):  # at the end
        while part := os.read(ours, 1 << 16):
            written += part
    os.close(ours)
    return written.decode()


def progressing() -> None:
    with console.progress("verify a_rather_long_module:with_a_long_name") as tell:
        tell(0.5, "31,778 operations, 2 properties refuted")
    print("end", file=sys.stderr)


@pytest.mark.parametrize("columns", [20, 40, 80, 120, 240])
def test_progress_at_a_terminal_is_one_line(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    written = at_terminal(progressing, "xterm", columns, monkeypatch)
    lines = [re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", line) for line in re.split(r"[\r\n]+", written)]

    assert " 50% 0:00 verify"[: columns - 4] in "".join(lines)
    assert max(map(len, lines)) <= columns
    assert "\x1b[1A\x1b[2K\x1b[1A" not in written  # up two lines


def test_progress_at_a_dumb_terminal_writes_no_control_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert at_terminal(progressing, "dumb", 40, monkeypatch) == "end\r\n"


def test_a_coloured_text_keeps_its_colours_when_it_is_folded() -> None:
    made = Console(width=20, force_terminal=True, color_system="standard", file=io.StringIO())
    with made.capture() as seen:
        made.print(Printable([Text.assemble("some words and then ", ("REFUTED", "red"))]))

    assert "\x1b[31mREFUTED\x1b[0m" in seen.get()
