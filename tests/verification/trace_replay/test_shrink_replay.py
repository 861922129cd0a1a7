"""A replay that stops late is shrunk to the few operations that matter, in a file that fails until the cache is right."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import Command
from places import TESTS

from radixcheck.spec.values import Key
from radixcheck.verification.core import traces
from radixcheck.verification.core.catalogue import CATALOGUE
from radixcheck.verification.core.found import Config
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.operations import Op
from radixcheck.verification.search.shrink import Effort
from radixcheck.verification.subjects.reference_subject import reference_subject
from radixcheck.verification.subjects.registry import resolve
from radixcheck.verification.trace_replay.judge import judge
from radixcheck.verification.trace_replay.regression_test import text
from radixcheck.verification.trace_replay.replay import replay
from radixcheck.verification.trace_replay.replay_results import Settings, Shrunk
from radixcheck.verification.trace_replay.sample import generate
from radixcheck.verification.trace_replay.shrink_replay import in_short_pages, shrink

SAMPLE = generate()
LONG = 10**9  # operations: until nothing is shorter


def silent(share: float, what: str) -> None:
    """Report nothing."""


def recorded(factory: Callable[..., Any], settings: Settings) -> tuple[str, list[Op]]:
    """The property that stops the replay of the sample, and all operations up to there."""
    operations: list[Op] = []
    fault = replay(SAMPLE, factory, settings, second=None, record=operations.append).fault
    assert fault is not None
    assert fault.step == len(operations)
    return fault.violation.property, operations


def shrunk(factory: Callable[..., Any], settings: Settings, effort: int = LONG) -> Shrunk:
    """What becomes of the replay of the sample."""
    property_, operations = recorded(factory, settings)
    config = Config(settings.policy, settings.page_size, settings.pool)
    found = shrink(factory, property_, config, operations, Effort(effort), silent)
    assert found is not None
    assert found.recorded == len(operations)
    assert found.found.violation.property == property_
    return found


@pytest.fixture(scope="module")
def late() -> Shrunk:
    """Of the subject faulty:swaps_late."""
    return shrunk(resolve("faulty:swaps_late"), Settings(pool=8_000))


@pytest.fixture(scope="module")
def early() -> Shrunk:
    """Of a mutant whose fault shows at its first eviction."""
    return shrunk(MUTANTS["evict_ignores_lock"].factory, Settings(pool=2_000, running=8))


def test_thousands_of_operations_become_two(late: Shrunk) -> None:
    assert late.recorded > 2_000
    assert late.complete
    assert [str(op) for op in late.found.trace] == ["start r200 [0 0]", "chunk r200"]
    assert late.found.config == Config("lru", 1, 3)


def test_the_file_fails_for_the_same_property_and_passes_for_a_right_cache(late: Shrunk, tmp_path: Path) -> None:
    wrong, right = tmp_path / "test_wrong.py", tmp_path / "test_right.py"
    wrong.write_text(text("faulty:swaps_late", "Found somewhere.", late))
    right.write_text(text("reference", "Found somewhere.", late))

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(wrong), str(right)]
    done = subprocess.run(command, cwd=TESTS, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "AssertionError: SLOT_PARTITION: " in done.stdout
    assert "1 failed, 1 passed" in done.stdout
    assert f"{wrong.name}::test_the_operations_break_nothing" in done.stdout


def test_the_file_says_what_is_broken_and_lists_one_operation_a_line(late: Shrunk) -> None:
    lines = text("faulty:swaps_late", "Found somewhere.", late).splitlines()

    comment = " ".join(line.removeprefix("# ") for line in lines[:4])
    assert comment.startswith(f"SLOT_PARTITION: {CATALOGUE['SLOT_PARTITION'].sentence} ")
    assert any(f"{late.recorded:,} operations were recorded" in line and "2 operations show the same" in line for line in lines)
    assert '    Op("start", Key((0, 0)), holder=200),' in lines
    assert '    Op("chunk", holder=200),' in lines
    assert 'CONFIG = Config("lru", page_size=1, pool=3, device="cpu")' in lines


@pytest.mark.parametrize("name", ["evict_ignores_touch", "split_forgets_lock"])
def test_at_most_six_operations_show_a_mutant(name: str) -> None:
    mutant = MUTANTS[name]
    found = shrunk(mutant.factory, Settings(pool=2_000, running=8))

    assert found.complete
    assert 0 < len(found.found.trace) <= 6
    assert judge(mutant.factory, found.found.config, found.found.trace).violations[0] == found.found.violation
    assert judge(reference_subject, found.found.config, found.found.trace).violations == ()


def test_the_same_replay_gives_the_same_file(early: Shrunk) -> None:
    again = shrunk(MUTANTS["evict_ignores_lock"].factory, Settings(pool=2_000, running=8))

    assert text("a:b", "Found somewhere.", again) == text("a:b", "Found somewhere.", early)


def test_where_the_effort_is_spent_the_operations_still_show_it_and_the_file_says_so(early: Shrunk) -> None:
    found = shrunk(MUTANTS["evict_ignores_lock"].factory, Settings(pool=2_000, running=8), effort=0)

    assert not found.complete
    assert found.attempts == 1
    assert len(found.found.trace) == found.recorded == early.recorded
    assert found.found.violation.property == early.found.violation.property
    assert "# The effort of shrinking was spent: fewer operations might do.\n" in text("a:b", "Found somewhere.", found)


def test_what_a_cache_says_stays_in_the_comment(late: Shrunk, tmp_path: Path) -> None:
    code = text('a"\n:b', 'one """\ntwo\x00 \N{SNOWMAN}\x1b', late)

    namespace: dict[str, Any] = {}
    exec(compile(code, "written", "exec"), namespace)
    assert namespace["SUBJECT"] == 'a"\n:b'
    assert namespace["OPERATIONS"] == late.found.trace


def test_pages_become_tokens_with_the_decodes_that_take_or_complete_one() -> None:
    decodes = tuple(Op("decode", holder=1, amount=50 + i) for i in range(5))
    trace = (Op("start", Key((1, 2, 3, 4, 5, 6)), holder=1), *decodes, Op("finish", holder=1))

    filled, complete = in_short_pages(Config("lru", 4, 16), trace)
    assert filled[0] == complete[0] == Config("lru", 1, 4)
    assert list(map(str, filled[1])) == ["start r1 [0 1]", "decode r1 52", "finish r1"]
    assert list(map(str, complete[1])) == ["start r1 [0]", "decode r1 51", "finish r1"]
    assert list(in_short_pages(Config("lru", 1, 16), trace)) == []


# The command.


def test_the_command_writes_the_file_and_says_how_to_run_it(tmp_path: Path, command: Command) -> None:
    out = tmp_path / "test_double_free.py"

    ran = command("replay", "--sample", "--subject", "faulty:double_free", "--shrink", out, "--json")

    answer = ran.json["shrunk"]
    assert ran.status == 1
    assert (answer["file"], answer["property"], answer["complete"]) == (str(out), "SLOT_PARTITION", True)
    assert answer["recorded"] > 300
    assert [op["op"] for op in answer["operations"]] == ["start", "finish"]
    assert "Found in a replay of sample under lru, pages of 16, pool of 6000, 32 running, at operation" in out.read_text()


@pytest.mark.parametrize(
    ("subject", "status", "sentence"),
    [("faulty:wrong_once", 1, "recorded operations do not break COUNT again"), ("reference", 0, "there is nothing to shrink")],
)
def test_where_nothing_can_be_shrunk_nothing_is_written(subject: str, status: int, sentence: str, tmp_path: Path, command: Command) -> None:
    ran = command("replay", "--sample", "--limit", 60, "--subject", subject, "--shrink", tmp_path / "test_it.py")

    assert ran.status == status
    assert sentence in ran.words
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("test_there.py", "exists already, and is not overwritten; give another file"),
        ("absent/test_new.py", "cannot be written"),
        ("test_new.txt", "give a file that ends in .py"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_replay(name: str, reason: str, tmp_path: Path, command: Command) -> None:
    there = tmp_path / "test_there.py"
    there.write_text("mine")

    assert reason in command("replay", "absent.jsonl", "--shrink", tmp_path / name).complaint
    assert there.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [there]


def test_trace_file_and_test_name_the_property_of_the_verdict_in_the_same_words(tmp_path: Path, command: Command) -> None:
    recorded, out = tmp_path / "leaf.jsonl", tmp_path / "test_leaf.py"
    trace = (Op("insert", Key((1,))), Op("insert", Key((1, 1))), Op("insert", Key((2,))), Op("evict", amount=1))
    traces.write(recorded, traces.Recorded(Config("lru", 1, 6), trace, "as-submitted:pairs", "COUNT"))  # which follows from EVICT_LEAF

    ran = command("replay", recorded, "--shrink", out)
    told = "evictable says 2, the unlocked nodes hold 1"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(out)], capture_output=True, text=True, check=False
    )

    assert f"COUNT REFUTED at operation 4 (evict 1): {told}" in ran.words
    told = "evictable says 1, the unlocked nodes hold 0"  # without the third operation
    assert out.read_text().startswith("# COUNT: ")
    assert f"# {told}\n" in out.read_text()
    assert f"AssertionError: COUNT: {told}" in done.stdout
