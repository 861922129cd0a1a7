"""Habits of the text: what lies in the checkout, lengths, docstrings and their examples."""

import ast
import doctest
import importlib
from collections import Counter

from places import LAYERS
from sources import modules, python_files, syntax, tracked

TOP_LEVEL = {".ci", ".dev", ".gitignore", "LICENSE", "README.md", "pyproject.toml", "tests", *LAYERS}

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60


def long_functions(source: ast.Module) -> list[str]:
    """Names of the functions longer than a screen, their docstring included."""
    functions = [node for node in ast.walk(source) if isinstance(node, ast.FunctionDef)]
    return [node.name for node in functions if (node.end_lineno or 0) - node.lineno + 1 > FUNCTION_LINES_MAX]


def test_the_top_level_holds_exactly_what_it_should() -> None:
    assert {path.split("/")[0] for path in tracked()} == TOP_LEVEL


def test_files_stay_short_enough_to_be_read() -> None:
    lengths = {path: len(text.splitlines()) for path, text in python_files().items()}

    assert {path: lines for path, lines in lengths.items() if lines > FILE_LINES_MAX} == {}


def test_functions_fit_a_screen() -> None:
    actual = {path: names for path in python_files() if (names := long_functions(syntax(path)))}

    assert actual == {}


def test_a_function_one_line_too_long_is_seen() -> None:
    body = "\n    pass"

    assert long_functions(ast.parse("def fits():" + body * (FUNCTION_LINES_MAX - 1))) == []
    assert long_functions(ast.parse("def long():" + body * FUNCTION_LINES_MAX)) == ["long"]


def test_every_file_says_what_it_is_for() -> None:
    actual = [path for path in python_files() if not ast.get_docstring(syntax(path))]

    assert actual == []


def test_no_two_tests_have_the_same_name() -> None:
    """Within a file the second would replace the first without a word; across files `-k` could not tell them apart."""
    names = Counter(
        node.name
        for path in python_files()
        if path.startswith("tests/")
        for node in ast.walk(syntax(path))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )

    assert [name for name, count in names.items() if count > 1] == []


def test_the_examples_in_docstrings_are_true() -> None:
    names = [name for name in (*modules(), "sources") if not name.endswith("__main__")]

    results = {name: doctest.testmod(importlib.import_module(name)) for name in names}

    assert {name: result.failed for name, result in results.items() if result.failed} == {}
    assert sum(result.attempted for result in results.values()) > 0
