"""`radixcheck init`: what it writes holds as it stands, or says in one sentence what is left to be written, and nothing is overwritten."""

import builtins
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dis import get_instructions
from errno import ENOSPC
from pathlib import Path
from typing import Any

import pytest
from commands import Command
from places import TESTS

from radixcheck.verification.core.found import Config
from radixcheck.verification.core.program import program
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.protocol import Setup
from radixcheck.verification.report import events_view
from radixcheck.verification.runs.events_results import RecordOutcome
from radixcheck.verification.search.run import random_run
from radixcheck.verification.subjects.registry import factory_of, resolve
from radixcheck.verification.subjects.starter import requests_adapter, sglang_adapter, tree_adapter
from radixcheck.verification.subjects.starter.written_files import EXAMPLES, STYLES, Own, adapter_text

ADAPTERS = {"tree": tree_adapter, "requests": requests_adapter, "sglang": sglang_adapter}
SUBJECT = "prefix_cache_adapter.py:cache"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A new folder, the current one. What is imported from it is forgotten."""
    known = {*sys.modules}
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    for name in {*sys.modules} - known:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.parametrize("style", STYLES)
def test_random_operations_find_nothing_in_the_example_of_a_style(style: str) -> None:
    cache = ADAPTERS[style].cache
    sizes = ADAPTERS[style].Adapter.supports.page_sizes

    for seed, size in enumerate(sizes[:2]):
        ran = random_run(cache, Config("lru", size, 10 * size), seed, 150, 1)
        assert (ran.found, ran.steps > 50) == ({}, True)


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_what_is_written_holds_as_it_stands(style: str, command: Command) -> None:
    command("init", "--like", style)
    ran = command("verify", "cache_adapter:cache", "--seconds", "200", "--operations", "6000", "--no-stretch", "--json")

    assert ran.status == 0, ran.json
    assert {p["verdict"] for p in ran.json["properties"]} <= {"TESTED", "NOT OBSERVABLE"}


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_the_written_trace_passes_as_a_test(style: str, command: Command, folder: Path, pytester: pytest.Pytester) -> None:
    command("init", "--like", style, "--to", folder)

    assert pytester.runpytest_subprocess("-k", "once", str(folder)).parseoutcomes() == {"passed": 1, "deselected": 1}


def test_the_written_trace_fills_pages_of_the_size_and_runs_under_the_policy_that_the_cache_has(
    command: Command, folder: Path, pytester: pytest.Pytester
) -> None:
    command("init", "--like", "sglang", "--to", folder)
    (folder / "cache_adapter.py").write_text(NARROW)

    loaded = ("-p", "no:radixcheck", "-p", "radixcheck.verification.pytest_plugin")
    ran = pytester.runpytest_inprocess(*loaded, "-k", "once", str(folder))
    assert ran.parseoutcomes() == {"failed": 1, "deselected": 1}
    assert "evict 16" in ran.stdout.str()


NARROW = """
from radixcheck.verification.protocol import Supports
from radixcheck.verification.subjects.reference_subject import ReferenceSubject
class Adapter(ReferenceSubject):
    supports = Supports(policies=("lfu",), page_sizes=(16,))
    def evict(self, tokens):
        return super().evict(tokens) + 1
def cache(setup):
    return Adapter(setup.page_size, setup.policy, setup.pool)
"""


@pytest.mark.parametrize("style", STYLES)
def test_a_fault_of_the_example_is_found(style: str, command: Command, folder: Path) -> None:
    """So the adapters are not blind: each fault is planted where a user would put his cache."""
    command("init", "--like", style)
    file = folder / "cache_adapter.py"
    right, wrong = {
        "tree": ("self._free(slots)\n        return len(slots)", "self._free(slots[1:])\n        return len(slots)"),
        "requests": ("self.cache.cancel(request)", "self.cache.complete(request)"),
        "sglang": (
            "live.lock, live.protected = slots, node, node, len(slots)",
            "live.lock, live.protected = slots, node, node, len(known)",
        ),
    }[style]
    wrong = wrong.replace("len(known)", "known")
    assert right in file.read_text()
    file.write_text(file.read_text().replace(right, wrong))
    found = {id_ for seed in range(6) for id_ in random_run(factory_of("cache_adapter.py:cache"), Config("lru", 1, 10), seed, 100, 1).found}

    assert found


def test_no_file_is_overwritten(command: Command, folder: Path) -> None:
    (folder / "test_cache_adapter.py").write_text("mine")

    assert "test_cache_adapter.py: exists already, and is not overwritten; give another folder with --to" in command("init").complaint
    assert [path.name for path in folder.iterdir()] == ["test_cache_adapter.py"]
    assert command("init", "--to", "new/folder", "--json").json == {
        "files": ["new/folder/cache_adapter.py", "new/folder/test_cache_adapter.py"],
        "next": "radixcheck verify new/folder/cache_adapter.py:cache --seconds 20",
    }
    assert "cannot be written" in command("init", "--to", "test_cache_adapter.py/below").complaint


def test_no_part_of_a_file_is_left_on_a_full_disk(command: Command, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name.startswith("test_"):  # the second file
            raise OSError(ENOSPC, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr("pathlib.Path.replace", full)

    assert "cannot be written (No space left on device)" in command("init").complaint
    assert [*folder.iterdir()] == []


def test_the_adapter_of_a_cache_says_which_method_is_to_be_written_next(command: Command, folder: Path) -> None:
    (folder / "mine.py").write_text((TESTS / "subjects" / "toy.py").read_text())
    out = command("init", "mine:PrefixCache").out
    file = folder / "prefix_cache_adapter.py"

    assert "wrote prefix_cache_adapter.py: the adapter of mine:PrefixCache, to be filled in\n" in out
    assert "#     find(tokens: Sequence[int]) -> tuple[list[int], Entry]: Slots of the longest known prefix" in file.read_text()
    assert "radixcheck: write Adapter.peek, then take away its line @to_write (7 are left)." in command("verify", SUBJECT).complaint
    left = []
    while "@to_write" in (sentence := refusal(folder)):
        left.append(sentence.partition("write Adapter.")[2].partition(",")[0])
        file.write_text(file.read_text().replace(f"    @to_write\n    def {left[-1]}(", f"    def {left[-1]}("))
    assert left == ["peek", "unlock", "sizes", "reset", "observe", "locate", "_seen"]


def refusal(folder: Path) -> str:
    """What the adapter says when it is imported anew; empty if it is a subject."""
    for name in [name for name, module in sys.modules.items() if str(folder) in str(getattr(module, "__file__", ""))]:
        del sys.modules[name]
    for compiled in folder.rglob("*.pyc"):
        compiled.unlink()  # of a file that was written in the same second
    try:
        resolve(SUBJECT)
    except UsageError as wrong:
        return str(wrong)
    return ""


def test_an_adapter_that_lacks_a_method_says_so(command: Command, folder: Path) -> None:
    command("init")
    file = folder / "cache_adapter.py"
    file.write_text(file.read_text().replace("def peek(", "def look("))

    with pytest.raises(UsageError, match="Adapter has no method 'peek': write it as `radixcheck init` does"):
        resolve("cache_adapter:cache")


@pytest.mark.parametrize("style", STYLES)
def test_a_cache_with_the_methods_of_the_example_needs_only_its_name(style: str) -> None:
    module = {"tree": "tiny_tree", "requests": "tiny_engine", "sglang": "tiny_radix_cache"}[style]
    kind = getattr(sys.modules[f"radixcheck.verification.subjects.starter.{module}"], EXAMPLES[style])
    text = adapter_text(style, "mine", Own(kind.__module__, kind, kind.__name__))

    assert f"from {kind.__module__} import {EXAMPLES[style]}\n" in text
    made: dict[str, Any] = {}
    exec(compile(text, "mine.py", "exec"), made)
    methods = [method for method in vars(made["Adapter"]).values() if hasattr(method, "__code__")]
    names = {i.argval for method in methods for i in get_instructions(method) if i.opname == "LOAD_GLOBAL"}
    assert names <= {*made, *dir(builtins)}  # also of the parts that no operation reaches here
    unwritten = [method.__name__ for method in methods if hasattr(method, "to_write")]
    of_requests = ["start", "decode", "sizes", "observe", "locate", "_seen", "_row"]  # two catch an error of the example
    assert unwritten == {"tree": ["locate", "_seen"], "requests": of_requests, "sglang": []}[style]


NAMESAKES = """
class Adapter:
    tree, requests = None, {}
    def __init__(self, pattern=r"\\d+", end="\\n", shown=type("S", (), {"__repr__": lambda _: "a\\nb"})()): ...
cache = Adapter
class _Hidden: ...
Shown = _Hidden
"""


@pytest.mark.parametrize(("name", "imported"), [("Adapter", "Adapter as Own"), ("cache", "cache as Own"), ("Shown", "Shown")])
def test_a_cache_may_have_any_name_and_any_default_values(name: str, imported: str, command: Command, folder: Path) -> None:
    (folder / "mine.py").write_text(NAMESAKES)
    wrote = command("init", f"mine:{name}", "--like", "requests").out
    text = (folder / wrote.partition("wrote ")[2].partition(":")[0]).read_text()
    made: dict[str, Any] = {}
    exec(compile(text, "adapter.py", "exec"), made)

    assert f"from mine import {imported}\n" in text
    with pytest.raises(UsageError, match=r"write Adapter\.start"):
        made["cache"](Setup(1, "lru", WatchedPool(4, 1)))


def test_a_module_that_cannot_be_imported_by_its_name_is_to_be_renamed(command: Command, folder: Path) -> None:
    (folder / "my-cache.py").write_text("class MyCache: ...")

    assert "'my-cache' is not a name that an adapter can import: rename the file" in command("init", "my-cache.py:MyCache").complaint


@pytest.mark.parametrize("given", ["mine:PrefixCache", "src/mine.py:PrefixCache", "pkg.mine:PrefixCache"])
def test_an_adapter_in_another_folder_finds_its_cache_and_is_found_by_its_test(given: str, command: Command, folder: Path) -> None:
    source = (TESTS / "subjects" / "toy.py").read_text()
    place = folder / {"m": ".", "s": "src", "p": "pkg"}[given[0]]
    place.mkdir(exist_ok=True)
    (place / "mine.py").write_text(source)
    command("init", given, "--to", "tests")
    outside = folder / "outside"  # neither pytest nor a program that is started elsewhere has the current folder on its path
    outside.mkdir()
    test = folder / "tests" / "test_prefix_cache_adapter.py"
    code = f"import runpy; assert runpy.run_path({str(test)!r})['cache'].__module__ == 'prefix_cache_adapter'"

    assert "write Adapter.peek" in command("verify", "tests/prefix_cache_adapter.py:cache").complaint
    subprocess.run([sys.executable, "-c", code], cwd=outside, check=True)


def test_a_file_imports_from_the_current_folder(folder: Path) -> None:
    (folder / "tests").mkdir()
    (folder / "near.py").write_text("from radixcheck.verification.subjects.reference_subject import reference_subject")
    (folder / "tests" / "far_adapter.py").write_text("from near import reference_subject as cache")

    assert resolve("tests/far_adapter.py:cache").white_box


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("optimised:", "unknown subject 'optimised:'"),
        ("nowhere.at_all:Cache", "cannot import 'nowhere.at_all'"),
        ("json:loads", "'json:loads' is not a class: give module:class, or file.py:class"),
        ("json:Absent", "there is no such thing in its module"),
        ("absent.py:Cache", "there is no file 'absent.py'"),
        ("Cache", "unknown subject 'Cache'"),
    ],
)
def test_anything_but_a_class_gets_one_sentence(given: str, sentence: str, command: Command) -> None:
    assert sentence in command("init", given).complaint


def test_a_file_names_a_subject_whatever_other_modules_are_called(command: Command, folder: Path) -> None:
    command("init", "--to", "sub")
    (folder / "sub" / "cache_adapter.py").rename(folder / "sub" / "json.py")

    assert resolve("./sub/json.py:cache").white_box
    assert resolve(f"{folder}/sub/json.py:cache").supports.policies == ("lru",)
    assert "name the factory in it, as sub/json.py:factory" in command("verify", "sub/json.py").complaint
    assert "has no factory 'absent'" in command("verify", "sub/json.py:absent").complaint
    assert "there is no file 'sub/absent.py'" in command("verify", "sub/absent.py:cache").complaint
    assert "no factory 'absent'" in command("verify", "sub/json.py:absent", "--python", sys.executable).complaint


def test_the_next_command_can_be_pasted_into_a_shell(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/a path/radixcheck"])
    following = command("init", "--to", "my dir", "--json").json["next"]

    assert shlex.split(following)[:3] == ["/a path/radixcheck", "verify", "my dir/cache_adapter.py:cache"]


def test_the_file_of_a_recording_is_named_with_its_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/venv/bin/radixcheck"])
    lines = events_view.recorded(RecordOutcome("tcp://h:5557", "e.jsonl", 1, 0, 0, 0, True, path="/my data/e.jsonl"))

    assert str(lines[-1]) == "replay it: /venv/bin/radixcheck replay --events '/my data/e.jsonl'"


@pytest.mark.parametrize(
    ("called", "printed"),
    [
        ("/a path/radixcheck", "'/a path/radixcheck'"),
        ("/x/__main__.py", f"{shlex.quote(sys.executable)} -m radixcheck"),
        ("pytest", "radixcheck"),
    ],
)
def test_a_command_that_is_printed_is_called_as_the_program_was(called: str, printed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [called])

    assert program() == printed
