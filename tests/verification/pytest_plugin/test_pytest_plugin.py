"""The pytest plugin in projects made for it: what it adds to a run, what its fixtures and its marker do, and the messages for wrong use."""

import json
import subprocess
import sys
import tomllib
from importlib import import_module

import pytest
from places import ROOT

from radixcheck.spec.values import Key
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.installing import install_command
from radixcheck.verification.core.traces import Recorded, write
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.operations import Op
from radixcheck.verification.pytest_plugin import MARKER
from radixcheck.verification.pytest_plugin.items import RULES
from radixcheck.verification.pytest_plugin.kit import _operation
from radixcheck.verification.pytest_plugin.marked import NAMES
from radixcheck.verification.subjects.historical import pairs_subject

PLUGIN = "radixcheck.verification.pytest_plugin"
# By its module: an installation made before the plugin was does not know its entry point.
LOADED = ("-p", "no:radixcheck", "-p", PLUGIN, "-p", "no:cacheprovider")
SEED = 111  # with which the first runs of the search repeat some on a second replica, however slow the machine
SMALL = ("--radixcheck-policy=lru", "--radixcheck-page-size=1", "--radixcheck-seconds=0.1", f"--radixcheck-seed={SEED}")

CACHES = """
from radixcheck.verification.subjects.historical import pairs_subject
from radixcheck.verification.protocol import Supports
from radixcheck.verification.subjects.reference_subject import ReferenceSubject

class Tree(ReferenceSubject):
    supports = Supports(requests=False, namespaces=False)

class Boastful(Tree):
    def evict(self, tokens):
        return super().evict(tokens) + 1

def boastful(setup):
    return Boastful(setup.page_size, setup.policy, setup.pool)

def right(setup):
    return Tree(setup.page_size, setup.policy, setup.pool)

def wrong(setup):
    return pairs_subject(setup)
"""
TRACE = '[{"op": "insert", "tokens": [0]}, {"op": "insert", "tokens": [0, 0]}, {"op": "evict", "amount": 1}]'


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """An otherwise empty project with two caches."""
    pytester.makepyfile(caches=CACHES)
    return pytester


def ran(project: pytest.Pytester, *arguments: str) -> tuple[int, str]:
    """The exit status, and what was printed."""
    result = project.runpytest_inprocess(*LOADED, *arguments)
    return int(result.ret), f"{result.stdout.str()}\n{result.stderr.str()}"


def test_the_wrong_cache_of_these_tests_is_a_mutant() -> None:
    assert MUTANTS["heap_trusts_old_entries"].factory is pairs_subject


def test_the_entry_point_is_declared_and_loads() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]

    assert declared == {"radixcheck": PLUGIN}
    assert import_module(declared["radixcheck"]).MARKER == MARKER


def test_to_load_it_needs_nothing_but_pytest_and_leaves_other_suites_alone(pytester: pytest.Pytester) -> None:
    """In a process of its own, where pytest's other plugins are not loaded."""
    pytester.makepyfile("def test_nothing(): pass")
    program = (
        f"import sys, pytest; status = pytest.main(['-q', '--strict-markers', '--strict-config', '-p', {PLUGIN!r}])\n"
        "roots = {name.partition('.')[0] for name in sys.modules}\n"
        "ours = {name for name in sys.modules if name.startswith('radixcheck.')}\n"
        "print(status, *sorted(roots & {'torch', 'z3', 'hypothesis', 'crosshair', 'click', 'rich'}), len(ours))"
    )
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT / ".dev")}
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)

    *_, summary, last = ran.stdout.splitlines()
    assert "1 passed" in summary
    assert int(last.split()[0]) == 0
    assert len(last.split()) == 2, "only pytest and the plugin's own few files"
    assert int(last.split()[1]) <= 8


def test_a_mutant_fails_with_the_trace_and_the_trees_in_a_project_without_tests(project: pytest.Pytester) -> None:
    status, said = ran(project, *SMALL, "--radixcheck-subject=caches:wrong", "radixcheck::caches:wrong::EVICT_LEAF", "-rA")

    assert status == 1
    assert "= 1 failed " in said
    assert "FAILED radixcheck::caches:wrong::EVICT_LEAF" in said
    assert "EVICT_LEAF REFUTED  (Q1 C4 Q6)" in said
    assert "before the last one:" in said
    assert "└─ [" in said
    assert "Traceback" not in said


def test_the_reference_passes_and_what_it_does_not_show_is_left_out_with_the_reason(project: pytest.Pytester) -> None:
    status, said = ran(project, *SMALL, "--radixcheck-subject=caches:right", "-rs")

    assert status == 0, said
    assert "NOT OBSERVABLE: it has no namespaces" in said
    assert "NOT OBSERVABLE: it shows no heap" in said
    assert "radixcheck: caches:right; 0.1 s of search each, seed 111" in said


@pytest.mark.parametrize(
    ("arguments", "listed"),
    [
        (("-k", "EVICT_LEAF or RULES"), ["EVICT_LEAF", RULES]),
        (("radixcheck::caches:right::ORDER",), ["ORDER"]),
        (("radixcheck::caches:right", "-k", "PEEK"), ["PEEK_PURE"]),
    ],
)
def test_items_are_chosen_by_name(project: pytest.Pytester, arguments: tuple[str, ...], listed: list[str]) -> None:
    project.makeini("[pytest]\nradixcheck_subject = caches:right\n")
    status, said = ran(project, "--collect-only", "-q", *arguments)

    assert status == 0
    assert [line for line in said.splitlines() if "::" in line] == [f"radixcheck::caches:right::{name}" for name in listed]


def test_where_tests_are_spread_the_items_of_a_subject_are_kept_together(project: pytest.Pytester) -> None:
    status, said = ran(project, "--collect-only", "-q", "--radixcheck-subject=caches:right", "-m", f"xdist_group and not {RULES}")

    assert status == 0
    assert "radixcheck::caches:right::EVICT_LEAF" in said


FIXTURES = f"""
from pathlib import Path

import pytest
from caches import boastful, right, wrong

TRACE = {TRACE}
SMALL = {{"policies": ["lru"], "page_sizes": [1]}}

def test_the_machine_passes(radixcheck):
    radixcheck.state_machine(right, **SMALL, examples=40)

def test_the_machine_fails(radixcheck):
    radixcheck.state_machine(wrong, **SMALL, steps=15)

def test_too_few_examples_are_no_pass(radixcheck):
    radixcheck.state_machine(right, **SMALL, examples=1, steps=2)

def test_the_search_passes(radixcheck):
    report = radixcheck.verify(right, **SMALL)
    assert {{verdict.verdict for verdict in report.verdicts}} == {{"TESTED", "NOT OBSERVABLE"}}

def test_the_search_fails(radixcheck):
    radixcheck.verify(boastful, **SMALL)

def test_the_trace_passes(radixcheck):
    radixcheck.trace("caches:right", TRACE)

def test_the_trace_fails(radixcheck):
    radixcheck.trace(wrong, TRACE, pool=8)

def test_the_recorded_trace_passes(radixcheck):
    radixcheck.trace(right, Path("recorded.jsonl"))

def test_the_recorded_trace_fails(radixcheck):
    radixcheck.trace(wrong, "recorded.jsonl")

def test_what_cannot_be_called_is_no_pass(radixcheck):
    radixcheck.trace(right, [*TRACE, {{"op": "unlock", "holder": 7}}])

@pytest.mark.radixcheck(subject=[right, "caches:wrong"], policies="lru", page_sizes=[1, 2])
def test_each(radixcheck_subject):
    assert radixcheck_subject.new().sizes().available == 16 * radixcheck_subject.page_size
    radixcheck_subject.trace([{{**op, "tokens": op.get("tokens", []) * radixcheck_subject.page_size}} for op in TRACE])

@pytest.mark.radixcheck(seconds=3, seed=5, policies="lru", page_sizes=1)
def test_the_marker_sets_what_a_call_does_not_say(radixcheck):
    s = radixcheck.settings
    assert (s.seconds, s.seed, s.policies, s.page_sizes) == (3, 5, ("lru",), (1,))
"""


@pytest.mark.slow
def test_the_fixtures_and_the_marker_pass_on_the_reference_and_fail_on_a_mutant(project: pytest.Pytester) -> None:
    project.makepyfile(test_caches=FIXTURES)
    operations = tuple(map(Op.from_json, json.loads(TRACE)))
    write(project.path / "recorded.jsonl", Recorded(Config("lru", 1, 8), operations, "caches:wrong", "EVICT_LEAF"))
    status, said = ran(project, *SMALL, "-rA", "--tb=short")

    failed = {line.split()[1].partition("::")[2] for line in said.splitlines() if line.startswith("FAILED ")}
    passed = {line.split()[1].partition("::")[2] for line in said.splitlines() if line.startswith("PASSED ")}
    each = "test_each[caches:{}-lru-{}]"
    assert status == 1
    assert passed == {
        *("test_the_machine_passes", "test_the_search_passes", "test_the_trace_passes", "test_the_marker_sets_what_a_call_does_not_say"),
        *("test_the_recorded_trace_passes", *(each.format("right", size) for size in (1, 2))),
    }
    assert failed == {
        *("test_the_machine_fails", "test_too_few_examples_are_no_pass", "test_the_search_fails"),
        *("test_the_trace_fails", "test_the_recorded_trace_fails", "test_what_cannot_be_called_is_no_pass"),
        *(each.format("wrong", size) for size in (1, 2)),
    }
    assert "operation 3 (evict 1):" in said
    assert "undecided: operation 4 (unlock h7) cannot be called on caches:right" in said
    assert "caches:boastful is refuted:" in said
    assert "slots 2, which are unreachable" in said
    assert "kit.py" not in said, "the plugin's own frames are of no use"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--radixcheck-subject=absent"], "unknown subject 'absent': give one of"),
        (["--radixcheck-subject=caches:absent"], "module 'caches' has no factory 'absent'"),
        (["--radixcheck-subject=caches:right", "--radixcheck-policy=random"], "unknown policy 'random'"),
        (["--radixcheck-subject=caches:right", "--radixcheck-page-size=3"], "does not support page size 3"),
        (["--radixcheck-subject=caches:right", "--radixcheck-page-size=x"], "--radixcheck-page-size 'x' is not valid"),
        (["--radixcheck-subject=caches:right", "--radixcheck-seconds=0"], "--radixcheck-seconds '0' is not valid"),
        (["--radixcheck-subject=caches:right", "--radixcheck-seed=-1"], "give a whole number, 0 or greater"),
        (["--radixcheck-subject=caches:right", "radixcheck::caches:right::TRUTH"], "nothing is named 'radixcheck::caches:right::TRUTH'"),
        (["radixcheck::caches:right::ORDER"], "needs its subject: give --radixcheck-subject"),
    ],
)
def test_an_option_used_wrongly_ends_the_run_with_one_sentence(project: pytest.Pytester, arguments: list[str], sentence: str) -> None:
    status, said = ran(project, *arguments)

    lines = [line for line in said.splitlines() if line.startswith("ERROR")]
    assert status == pytest.ExitCode.USAGE_ERROR
    assert len(lines) == 1
    assert lines[0].startswith("ERROR: radixcheck: ")
    assert sentence in lines[0]
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("def test_it(radixcheck): radixcheck.verify('absent')", "unknown subject 'absent'"),
        ("def test_it(radixcheck): radixcheck.trace(right, [], page_size=3)", "caches:right does not support page size 3"),
        ("def test_it(radixcheck): radixcheck.trace(right, [{'op': 'insert', 'token': [1]}])", "operation 1: unknown field 'token'"),
        ("def test_it(radixcheck): radixcheck.trace(right, [{'tokens': (1,)}])", "operation 1: has no field op"),
        ("def test_it(radixcheck): radixcheck.trace(right, ['match'])", "operation 1 is 'match': give an object such as"),
        ("def test_it(radixcheck_subject): pass", "radixcheck_subject needs a subject"),
        ("@pytest.mark.radixcheck(subject=right)\ndef test_it(): pass", "does nothing for a test that has neither"),
        ("@pytest.mark.radixcheck(subject=right)\ndef test_it(radixcheck): pass", "add the argument radixcheck_subject"),
        ("@pytest.mark.radixcheck(subject=7)\ndef test_it(radixcheck_subject): pass", "7 is not a subject"),
        ("@pytest.mark.radixcheck('x')\ndef test_it(radixcheck_subject): pass", "takes its arguments by name"),
        ("@pytest.mark.radixcheck(mode=1)\ndef test_it(radixcheck): pass", f"has no argument 'mode': it has {', '.join(NAMES)}"),
        ("@pytest.mark.radixcheck(seconds='x')\ndef test_it(radixcheck): pass", "seconds 'x' is not valid"),
    ],
)
def test_a_fixture_or_the_marker_used_wrongly_gets_one_sentence(project: pytest.Pytester, written: str, sentence: str) -> None:
    project.makepyfile(test_wrong=f"import pytest\nfrom caches import right\n{written}\n")
    status, said = ran(project)

    assert status in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED)
    assert any(line.removeprefix("E   ").startswith("radixcheck: ") and sentence in line for line in said.splitlines())
    assert "Traceback" not in said
    assert "kit.py" not in said


def test_operations_are_read_as_those_of_a_trace_file() -> None:
    given = {"op": "insert", "tokens": range(2), "namespace": ("a", ["b", ["c"]])}  # a nested namespace as JSON has it
    assert _operation(1, given) == Op("insert", Key((0, 1), ("a", ("b", ("c",)))))


def test_an_unsupported_page_size_fails_its_test_and_no_other(project: pytest.Pytester) -> None:
    mark = "@pytest.mark.radixcheck(subject=['caches:right', 'reference'], policies='lru', page_sizes=48)"
    project.makepyfile(test_sizes=f"import pytest\n{mark}\ndef test_it(radixcheck_subject): pass\ndef test_another(): pass\n")
    status, said = ran(project, "-rA")

    results = {
        line.split()[1].partition("::")[2]: line.split()[0] for line in said.splitlines() if line.startswith(("PASSED", "ERROR test"))
    }
    assert status == pytest.ExitCode.TESTS_FAILED
    assert results == {"test_it[caches:right]": "ERROR", "test_it[reference-lru-48]": "PASSED", "test_another": "PASSED"}
    assert said.count("radixcheck: caches:right does not support page size 48: it declares 1, 2, 16, 64") >= 1
    assert "Traceback" not in said


SPARED = """
import pytest
pytestmark = pytest.mark.radixcheck(seconds=1, policies='lru', page_sizes=1)

def broken(setup):
    raise ValueError('not today')

@pytest.mark.radixcheck(subject=[broken, 'caches:absent', 'caches:right'], policies='lru', page_sizes=1)
def test_it(radixcheck_subject): pass

def test_plain(): pass
"""


def test_a_subject_that_cannot_be_made_and_a_marker_of_the_file_end_no_other_test(project: pytest.Pytester) -> None:
    project.makepyfile(test_spared=SPARED)
    status, said = ran(project, "-rA")

    results = {
        line.split()[1].partition("::")[2]: line.split()[0] for line in said.splitlines() if line.startswith(("PASSED", "ERROR test"))
    }
    assert status == pytest.ExitCode.TESTS_FAILED
    assert results == {
        **{"test_it[broken]": "ERROR", "test_it[caches:absent]": "ERROR"},
        **{"test_it[caches:right-lru-1]": "PASSED", "test_plain": "PASSED"},
    }
    assert "raised ValueError: not today" in said


def test_a_missing_extra_is_one_sentence(project: pytest.Pytester) -> None:
    program = f"import sys; sys.modules['rich'] = None; import pytest; pytest.main(['-p', {PLUGIN!r}, '--radixcheck-subject=caches:right'])"
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT / ".dev")}
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)

    assert f"ERROR: radixcheck: rich is not installed: {install_command('check')}" in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
