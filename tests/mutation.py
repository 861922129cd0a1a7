"""Mutation testing of the two caches: `python tests/mutation.py [FILE ...]` makes every small change of their code that mutmut
knows, one at a time, and runs the tests on each.

A mutant that no test detects must be listed in `survivors.toml` with a reason. A mutant that changes only the text of an error, or the
type in a `cast`, is counted separately and not run: no caller may depend on that text, and a cast does nothing when it runs. Comparing
syntax trees shows which these are.

All files take about fifteen minutes of processor time; a killed mutant costs a fraction of a second, a survivor ten.
"""

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import ndiff
from importlib import import_module
from json import loads
from pathlib import Path
from tempfile import TemporaryDirectory

from places import PACKAGE, ROOT, TESTS

MUTATED = ("reference/[!_]*.py", "optimized/[!_]*.py", "optimized/integrations/sglang_cache.py", "optimized/integrations/sglang_limits.py")
SELECTION = (
    *("tests/reference", "tests/optimized", "tests/verification/mutants/test_checked_runs.py"),
    "tests/verification/checker/test_wrong_values.py",
)
KILLED, TIMED_OUT, SURVIVED, TEXT = "killed", "timed out", "survived", "text only"
UNEXPLAINED = "unexplained"
EXIT_CODES: dict[int | None, str] = {
    **dict.fromkeys((0, 5, 33), SURVIVED),  # 33: no test reaches it
    **dict.fromkeys((1, 3, -6, -11), KILLED),  # the negative ones: by a signal, because it crashed
    **dict.fromkeys((36, 152, -24, -9), TIMED_OUT),
}
EQUIVALENT = "EQUIVALENT"
CLASSES = (EQUIVALENT, "COST", "CUDA")  # only the first are left out of the score
LEAST_SCORE = 92.0  # percent
CAST_ARGUMENTS = 2  # the type and the value

CONFIGURATION = """
[tool.mutmut]
source_paths = ["src"]
only_mutate = ["src/radixcheck/reference/*", "src/radixcheck/optimized/*"]
track_dependencies = false
use_git_change_detection = false
pytest_add_cli_args = ["-p", "no:xdist", "-p", "no:cacheprovider", "-p", "cpu_limit"]
"""


@dataclass(frozen=True, order=True)
class Change:
    """A change that identifies a mutant as long as its function stays the same."""

    file: str  # from the top of the checkout
    function: str
    old: str  # the lines that it replaces, as `ast.unparse` writes them
    new: str
    place: int = 1  # the number of the place, if the function has these lines several times


@dataclass(frozen=True)
class Mutant:
    """A change with the name that mutmut gives it."""

    name: str
    change: Change
    text_only: bool


@dataclass(frozen=True)
class Outcome:
    """The result of a mutant."""

    change: Change
    result: str


def mutants_of(file: str, generated: str) -> list[Mutant]:
    """Return the mutants in a file that mutmut has generated: functions that are named after the original, and numbered."""
    found = {node.name: node for node in ast.walk(ast.parse(generated)) if isinstance(node, ast.FunctionDef)}
    module = "radixcheck." + file.removesuffix(".py").replace("/", ".")
    mutants, places = [], Counter[Change]()
    for name, mutant in found.items():
        mangled, mark, number = name.partition("__mutmut_")
        if not mark or number == "orig":
            continue
        original = found[f"{mangled}__mutmut_orig"]
        function = mangled.removeprefix("x").strip("ǁ").replace("ǁ", ".") if "ǁ" in mangled else mangled.removeprefix("x_")
        change = Change(file, function, *difference(original, mutant))
        places[change] += 1
        change = replace(change, place=places[change])
        mutants.append(Mutant(f"{module}.{name}", change, only_text(original, mutant)))
    return mutants


def difference(original: ast.FunctionDef, mutant: ast.FunctionDef) -> tuple[str, str]:
    """Return the lines that only the original has, and those that only the mutant has, below the line of the name."""
    before, after = (ast.unparse(function).splitlines() for function in (original, mutant))
    lines = list(ndiff(before[1:], after[1:]))
    # A default value is in the line of the name.
    lines += ["- " + before[0].partition("(")[2], "+ " + after[0].partition("(")[2]] * (not any(line[0] in "+-" for line in lines))
    old, new = (" / ".join(line[2:].strip() for line in lines if line[0] == sign) for sign in "-+")
    return old, new


class WithoutCasts(ast.NodeTransformer):
    """Replaces each `cast(type, value)` by the value. `ast` calls its methods by the names of its classes."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Replace this one, and those inside."""
        self.generic_visit(node)
        is_cast = isinstance(node.func, ast.Name) and node.func.id == "cast" and len(node.args) == CAST_ARGUMENTS
        return node.args[1] if is_cast else node


def only_text(original: ast.FunctionDef, mutant: ast.FunctionDef) -> bool:
    """Return whether the two differ only in the text of an error, or in the type of a cast."""
    (rest, texts), (other_rest, other_texts) = without_text(original), without_text(mutant)
    return rest == other_rest and all(now in (then, "[]", "['Constant()']") for then, now in zip(texts, other_texts, strict=True))


def without_text(function: ast.FunctionDef) -> tuple[str, list[str]]:
    """Return a function without casts and the messages of its errors and assertions, and these messages without their words."""
    body = WithoutCasts().visit(ast.parse(ast.unparse(function).replace(f"def {function.name}(", "def f(", 1)))
    texts = []
    for node in ast.walk(body):
        message: list[ast.expr] = []
        if isinstance(node, ast.Assert):
            message, node.msg = [node.msg] if node.msg else [], None
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            message, node.exc.args = node.exc.args, []
        texts.append(str([wordless(part) for part in message]))
    return ast.dump(body), texts


def wordless(message: ast.expr) -> str:
    """Return a message without its constant strings."""
    for node in ast.walk(message):
        if isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, str)):
            del node.value
    return ast.dump(message)


def reasons(file: Path) -> dict[Change, str]:
    """Return the class of each listed survivor. Raises ValueError for an entry without a class or a reason."""
    known: dict[Change, str] = {}
    for entry in tomllib.loads(file.read_text())["survivor"]:
        change = Change(entry["file"], entry["function"], entry["old"], entry["new"], entry.get("place", 1))
        if entry["class"] not in CLASSES or not entry["why"].strip():
            raise ValueError(f"{file.name}: {named(change)} needs a class, one of {', '.join(CLASSES)}, and a reason")
        if change in known:
            raise ValueError(f"{file.name}: {named(change)} is listed twice")
        known[change] = entry["class"]
    return known


def named(change: Change) -> str:
    """Return a change in one line."""
    place = f" (place {change.place})" if change.place > 1 else ""
    return f"{change.file}, {change.function}{place}: {change.old}  ->  {change.new}"


def score(outcomes: Iterable[Outcome], known: dict[Change, str]) -> float:
    """Return the percentage of killed mutants, without those that change only text or are equivalent."""
    results = Counter(each.result if known.get(each.change) != EQUIVALENT else EQUIVALENT for each in outcomes)
    died = results[KILLED] + results[TIMED_OUT]
    return 100 * died / max(1, died + results[SURVIVED])


def complaints(outcomes: Sequence[Outcome], known: dict[Change, str]) -> list[str]:
    """Return the differences from the list of survivors, and a score that is too low."""
    survived = {each.change for each in outcomes if each.result == SURVIVED}
    files = {each.change.file for each in outcomes}
    lines = [f"survived, and is not listed: {named(change)}" for change in sorted(survived - known.keys())]
    gone = sorted(change for change in known.keys() - survived if change.file in files)
    lines += [f"listed, and does not survive: {named(change)}" for change in gone]
    if (reached := score(outcomes, known)) < LEAST_SCORE:
        lines.append(f"the score is {reached:.1f} %, less than {LEAST_SCORE:.0f} %")
    return lines


def table(outcomes: Sequence[Outcome], known: dict[Change, str]) -> list[str]:
    """Return one line for each file, and one for all."""
    columns = (TEXT, KILLED, TIMED_OUT, *CLASSES, UNEXPLAINED)
    lines = [f"{'file':<24}{'mutants':>10}" + "".join(f"{column.lower():>13}" for column in columns) + f"{'score':>8}"]
    for file in (*sorted({each.change.file for each in outcomes}), ""):
        part = [each for each in outcomes if each.change.file.startswith(file)]
        counts = Counter(known.get(each.change, UNEXPLAINED) if each.result == SURVIVED else each.result for each in part)
        numbers = "".join(f"{counts[column]:>13}" for column in columns)
        lines.append(f"{file or 'all':<24}{len(part):>10}{numbers}{score(part, known):>8.1f}")
    return lines


def prepare(folder: Path) -> None:
    """Copy what is needed: mutmut wants sources below `src`, and does not follow links."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, folder / "src" / "radixcheck", ignore=ignored)
    shutil.copytree(TESTS, folder / "tests", ignore=ignored)
    settings = (ROOT / "pyproject.toml").read_text()
    of_pytest = settings[settings.index("[tool.pytest.ini_options]") :]
    (folder / "pyproject.toml").write_text(f"{of_pytest}{CONFIGURATION}pytest_add_cli_args_test_selection = {list(SELECTION)}\n")


def generate(folder: Path, files: Iterable[str]) -> list[Mutant]:
    """Return the mutants of these files. Changes the working directory, where mutmut reads its settings."""
    os.chdir(folder)
    make = import_module("mutmut.mutation.file_mutation").mutate_file_contents
    mutants = []
    for file in files:
        source = Path("src/radixcheck", file)
        mutants += mutants_of(file, make(str(source), source.read_text()).code)
    return mutants


def run(folder: Path, mutants: Sequence[Mutant], processes: int) -> list[Outcome]:
    """Let mutmut run the tests on each mutant. Raises RuntimeError if it fails."""
    names = [mutant.name for mutant in mutants if not mutant.text_only]
    settings = {"PYTHONPATH": "tests", "OMP_NUM_THREADS": "1"}  # where the plugin is; threads do not survive a fork
    command = [sys.executable, "-c", "from mutmut.__main__ import cli; cli()", "run", "--max-children", str(processes), *names]
    with subprocess.Popen(command, cwd=folder, env=os.environ | settings, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        show(running.stdout)
    if running.returncode:
        raise RuntimeError(f"mutmut ended with {running.returncode}")
    exit_codes: dict[str, int | None] = {}
    for file in {mutant.change.file for mutant in mutants}:
        exit_codes |= loads((folder / "mutants/src/radixcheck" / f"{file}.meta").read_text())["exit_code_by_key"]
    unclear = [name for name in names if exit_codes[name] not in EXIT_CODES]
    if unclear:
        raise RuntimeError(f"mutmut has no result for {unclear[0]} and {len(unclear) - 1} others: {exit_codes[unclear[0]]}")
    return [Outcome(each.change, TEXT if each.text_only else EXIT_CODES[exit_codes[each.name]]) for each in mutants]


def show(lines: Iterable[str]) -> None:
    """Show how far mutmut is, each line in the place of the one before; its own list of results is left out."""
    listed = False
    for line in lines:
        listed = listed or line.startswith("Mutant results")
        if not listed:
            print(f"{line.rstrip():<100}", end="\r", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def main() -> int:
    """Run, print the table and the differences."""
    every = [str(path.relative_to(ROOT)) for pattern in MUTATED for path in sorted(ROOT.glob(pattern))]
    parser = argparse.ArgumentParser(description="Mutation testing of the two caches")
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"all by default; some of {', '.join(every)}")
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    if unknown := set(arguments.files) - set(every):
        parser.error(f"{min(unknown)} is not mutated: name some of {', '.join(every)}")
    known = reasons(TESTS / "survivors.toml")
    with TemporaryDirectory() as name:
        prepare(Path(name))
        outcomes = run(Path(name), generate(Path(name), arguments.files or every), arguments.processes)
    wrong = complaints(outcomes, known)
    print(*table(outcomes, known), *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
