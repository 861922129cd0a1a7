"""Habits of the text: what lies in the checkout, lengths, docstrings and their examples."""

import ast
import doctest
import importlib
import re
from collections import Counter
from pathlib import Path

import pytest
from places import LAYERS, ROOT
from sources import modules, python_files, syntax, tracked

TOP_LEVEL = {".ci", ".dev", ".github", ".gitignore", "LICENSE", "README.md", "pyproject.toml", "tests", *LAYERS}

FILE_LINES_MAX, FUNCTION_LINES_MAX = 400, 60
SINGLE_FILES = {"verification/remote/serve.py": 541}  # a program in one file, which is started in other environments
SPEC_FILE_LINES_MAX, SPEC_FUNCTION_LINES_MAX = 300, 25


def missing_files(text: str, folder: Path) -> list[str]:
    """Paths in backticks, in a page that lies in this folder, that lead nowhere: from the top of the checkout or from the folder."""
    files = [ROOT / path for path in tracked()]
    names, folders = {file.name for file in files}, {above for file in files for above in file.parents}
    missing = []
    for code in re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)):
        for word in code.split():
            here = [base / re.split(r"[:\"']", word)[0] for base in (ROOT, folder) if "/" in word and base / word.split("/")[0] in folders]
            is_lost = bool(here) and not any(path.exists() for path in here)
            if is_lost or (re.fullmatch(r"\w+\.(py|toml|txt|mjs)", code) and word not in names):
                missing.append(word)
    return missing


def in_spec(path: str) -> bool:
    """Whether a path, relative to the root, is of the specification, which must be read whole."""
    return path.startswith("spec/")


def long_functions(source: ast.Module, most: int = FUNCTION_LINES_MAX) -> list[str]:
    """Names of the functions longer than a screen, their docstring included."""
    functions = [node for node in ast.walk(source) if isinstance(node, ast.FunctionDef)]
    return [node.name for node in functions if (node.end_lineno or 0) - node.lineno + 1 > most]


def test_the_top_level_holds_exactly_what_it_should() -> None:
    assert {path.split("/")[0] for path in tracked()} == TOP_LEVEL


def test_files_stay_short_enough_to_be_read() -> None:
    lengths = {path: len(text.splitlines()) for path, text in python_files().items()}

    limits = {path: SPEC_FILE_LINES_MAX if in_spec(path) else SINGLE_FILES.get(path, FILE_LINES_MAX) for path in lengths}
    assert {path: lines for path, lines in lengths.items() if lines > limits[path]} == {}


def test_functions_fit_a_screen() -> None:
    for path in python_files():
        assert long_functions(syntax(path), SPEC_FUNCTION_LINES_MAX if in_spec(path) else FUNCTION_LINES_MAX) == [], path


def test_a_function_one_line_too_long_is_seen() -> None:
    body = "\n    pass"

    assert long_functions(ast.parse("def fits():" + body * (FUNCTION_LINES_MAX - 1))) == []
    assert long_functions(ast.parse("def long():" + body * FUNCTION_LINES_MAX)) == ["long"]


def test_every_file_says_what_it_is_for() -> None:
    actual = [path for path in python_files() if not ast.get_docstring(syntax(path))]

    assert actual == []


def test_every_file_that_a_page_names_is_there() -> None:
    pages = [ROOT / path for path in tracked() if path.endswith(".md")]

    assert {str(page): lost for page in pages if (lost := missing_files(page.read_text(), page.parent))} == {}


@pytest.mark.parametrize("page", ["`spec/gone.py`", "`serv.py`", "`pytest tests/gone/test_it.py`", "`remote/GONE.md`", "`tests/gone/`"])
def test_a_file_that_is_not_there_is_seen(page: str) -> None:
    assert len(missing_files(f"See {page}.", ROOT / "verification")) == 1


@pytest.mark.parametrize(
    "page", ["`spec/logic.py`", "`serve.py`", "`pytest tests/spec`", "`remote/README.md`", "`new.md`", "`a/b`", "`x.py y`"]
)
def test_a_file_that_is_there_or_to_be_written_passes(page: str) -> None:
    assert missing_files(f"See {page}.", ROOT / "verification") == []


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
