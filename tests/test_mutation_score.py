"""What the script `mutation.py` makes of the results of mutmut, which is not run here."""

import ast
import re
from pathlib import Path

import mutation
import pytest
from mutation import EQUIVALENT, KILLED, SURVIVED, TEXT, TIMED_OUT, Change, Outcome, complaints, mutants_of, reasons, score, table
from places import ROOT

TAKE = """    def {}(self, n: int, least: int = 0) -> int:
        if n < least:
            raise ValueError("too few")
        assert n, "none"
        return n
"""
BOTH = "    def {}(self) -> None:\n        self.n = 1\n        self.n = 1\n"
CAST = "def {}(n: object) -> int:\n    return cast('int', n)\n"
JOIN = "def {}(names: str) -> None:\n    raise ValueError(f\"no {{','.join(names)}}\")\n"


def mutated(name: str, source: str, *mutants: tuple[str, str]) -> str:
    """What mutmut makes of a function: the original under one name, and each mutant, with a part replaced, under another."""
    made = [source.format(f"{name}__mutmut_{number}").replace(*change) for number, change in enumerate(mutants, 1)]
    return "".join([source.format(f"{name}__mutmut_orig"), *made])


GENERATED = (
    "class Cache:\n"
    + mutated(
        "xǁCacheǁtake",
        TAKE,
        *(("n < least", "n <= least"), ('"too few"', '"TOO FEW"'), ('"too few"', "None"), ("int = 0", "int = 1"), ('"none"', '"NONE"')),
    )
    + mutated(
        "xǁCacheǁboth",
        BOTH,
        ("None:\n        self.n = 1", "None:\n        self.n = None"),
        ("1\n        self.n = 1", "1\n        self.n = None"),
    )
    + mutated("x_known", CAST, ("'int'", "None"), ("'int'", "'INT'"), (", n)", ", None)"))
    + mutated("x_join", JOIN, ("(names)", "(None)"), ("','", "'XX,XX'"))
)


def change(old: str) -> Change:
    return Change("optimized/tree.py", "Tree.walk", old, "pass")


def outcomes(killed: int = 96, survived: int = 4) -> list[Outcome]:
    results = [KILLED] * (killed - 1) + [TIMED_OUT] + [SURVIVED] * survived
    return [Outcome(change(str(number)), result) for number, result in enumerate(results)]


KNOWN = {change(str(number)): "COST" for number in range(96, 100)}


def test_survivors_that_are_listed_are_no_reason_to_complain() -> None:
    assert score(outcomes(), KNOWN) == 96.0
    assert complaints(outcomes(), KNOWN) == []


def test_a_survivor_that_is_not_listed_is_named() -> None:
    (line,) = complaints([*outcomes(), Outcome(change("found += 1"), SURVIVED)], KNOWN)

    assert line == "survived, and is not listed: optimized/tree.py, Tree.walk: found += 1  ->  pass"


@pytest.mark.parametrize("listed", ["0", "nowhere"])
def test_a_listed_change_that_does_not_survive_is_named(listed: str) -> None:
    (line,) = complaints(outcomes(), KNOWN | {change(listed): EQUIVALENT})

    assert line == f"listed, and does not survive: optimized/tree.py, Tree.walk: {listed}  ->  pass"


def test_what_is_listed_of_a_file_that_was_not_asked_for_is_left_alone() -> None:
    elsewhere = Change("reference/tree.py", "top", "a", "b")

    assert complaints(outcomes(), KNOWN | {elsewhere: "COST"}) == []


def test_a_low_score_is_named_however_well_its_survivors_are_explained() -> None:
    known = {change(str(number)): "COST" for number in range(91, 100)}

    assert complaints(outcomes(91, 9), known) == ["the score is 91.0 %, less than 92 %"]


def test_only_what_could_die_counts() -> None:
    text = [Outcome(change("text"), TEXT)] * 50

    assert score(outcomes(90, 10) + text, {}) == 90.0
    assert score(outcomes(90, 10), {change(str(number)): EQUIVALENT for number in range(90, 100)}) == 100.0
    assert score([], {}) == 0.0


def test_the_table_counts_by_file_and_result() -> None:
    head, line, total = table([*outcomes(), Outcome(change("text"), TEXT), Outcome(change("new"), SURVIVED)], KNOWN)

    counted = dict(zip(re.split(r"  +", head), line.split(), strict=True))
    assert counted == {
        **{"file": "optimized/tree.py", "mutants": "102", "text only": "1", "killed": "95", "timed out": "1", "equivalent": "0"},
        **{"cost": "4", "cuda": "0", "unexplained": "1", "score": "95.0"},
    }
    assert total.split()[1:] == line.split()[1:]


def test_a_mutant_is_named_by_what_it_changes() -> None:
    mutants = {mutant.name: mutant for mutant in mutants_of("optimized/tree.py", GENERATED)}
    first, default = (mutants[f"radixcheck.optimized.tree.xǁCacheǁtake__mutmut_{number}"] for number in (1, 4))

    assert first.change == Change("optimized/tree.py", "Cache.take", "if n < least:", "if n <= least:")
    assert (default.change.old, default.change.new) == ("self, n: int, least: int=0) -> int:", "self, n: int, least: int=1) -> int:")


def test_the_same_change_in_two_places_makes_two_mutants() -> None:
    both = [mutant.change for mutant in mutants_of("optimized/tree.py", GENERATED) if mutant.change.function == "Cache.both"]

    assert both == [Change("optimized/tree.py", "Cache.both", "self.n = 1", "self.n = None", place) for place in (1, 2)]
    assert "both (place 2): self.n = 1" in complaints([Outcome(both[1], SURVIVED)], {})[0]


def test_text_and_types_of_casts_are_distinguished_from_what_changes_a_call() -> None:
    text = {mutant.name.rpartition("ǁ")[2].rpartition(".")[2] for mutant in mutants_of("optimized/tree.py", GENERATED) if mutant.text_only}

    assert text == {"take__mutmut_2", "take__mutmut_3", "take__mutmut_5", "x_known__mutmut_1", "x_known__mutmut_2", "x_join__mutmut_2"}


ENTRY = 'file = "a.py"\nfunction = "f"\nold = "1"\nnew = "2"\n'


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f'[[survivor]]\n{ENTRY}class = "LAZY"\nwhy = "No time."', "needs a class"),
        (f'[[survivor]]\n{ENTRY}class = "COST"\nwhy = " "', "and a reason"),
        (f'[[survivor]]\n{ENTRY}class = "COST"\nwhy = "Slower."\n' * 2, "is listed twice"),
    ],
)
def test_an_entry_without_a_class_or_a_reason_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    (file := tmp_path / "survivors.toml").write_text(text)

    with pytest.raises(ValueError, match=fault):
        reasons(file)


def test_the_selected_tests_are_there() -> None:
    assert all((ROOT / place).exists() for place in mutation.SELECTION)


def test_every_listed_survivor_changes_lines_that_are_there() -> None:
    known = reasons(ROOT / "tests" / "survivors.toml")

    assert [each for each in known if each.old not in written(each.file, each.function)] == []


def written(file: str, function: str) -> str:
    """A function as the list of survivors writes lines: without indentation, one after the other."""
    inside: ast.AST = ast.parse((ROOT / file).read_text())
    for name in function.split("."):
        inside = next(node for node in ast.walk(inside) if getattr(node, "name", "") == name)
    lines = ast.unparse(inside).splitlines()
    return " / ".join(line.strip() for line in lines)
