"""The command line as a person meets it: what it refuses, in one sentence, and what it says of right and wrong caches."""

import json
import shlex
import subprocess
import sys
from errno import ENOSPC
from pathlib import Path
from typing import NoReturn

import pytest
from commands import Command
from faulty import FAULTS
from places import TESTS

from radixcheck.verification.findings.finding import comparisons
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.mutants.kill_matrix import mutant
from radixcheck.verification.trace_replay import sample


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("verify", "nobody"), "or module:factory or file.py:factory of a cache of your own"),
        (("verify", "optimised"), "unknown subject 'optimised': give one of optimized, reference"),
        (("verify", "optimised"), "of a cache of your own; did you mean optimized?"),
        (("verify", "nowhere.at_all:factory"), "cannot import 'nowhere.at_all'"),
        (("verify", "faulty:absent"), "no factory 'absent'"),
        (("verify", "json:loads"), "the factory of 'json:loads' raised TypeError"),
        (("verify", ""), "the name of the subject is empty"),
        (("explore", ""), "the name of the subject is empty"),
        (("replay", "--sample", "--subject", ""), "the name of the subject is empty"),
        (("verify", "--seconds", "nan"), "nan is not a number of seconds"),
        (("mutants", "--seconds", "inf"), "inf is not a number of seconds"),
        (("replay", "--sample", "--pool", "99999999999984"), "--pool 99999999999984: is too large"),
        (("verify", "--page-size", "0"), "page size 0"),
        (("verify", "--page-size", "5000"), "does not support page size 5000: it declares 1 to 4096"),
        (("verify", "--policy", "random"), "unknown policy 'random'"),
        (("verify", "base", "--policy", "mru"), "base does not support policy 'mru'"),
        (("verify", "--pool", "4"), "--pool 4 is smaller than one request"),
        (("verify", "--device", "abacus"), "unknown device 'abacus'"),
        (("verify", "--device", "cuda:77"), "--device cuda:77"),
        (("verify", "--junit", "absent/of/it.xml"), "--junit absent/of/it.xml: cannot be written"),
        (("verify", "--junit", "."), "--junit .: cannot be written"),
        (("verify", "--summary", "absent/of/it.md"), "--summary absent/of/it.md: cannot be written"),
        (("diff", "reference", "nobody"), "unknown subject 'nobody'"),
        (("replay",), "give one trace"),
        (("replay", "--events", "absent.jsonl"), "absent.jsonl: cannot be read"),
        (("replay", "--events", __file__), "give a recording"),
        (("replay", "--events", "events.jsonl", "--sample"), "give one trace"),
        (("replay", "--events", "events.jsonl", "--pool", "64", "--shrink", "a.py"), "--shrink, --pool make no sense for --events"),
        (("replay", "--events", "events.jsonl", "--seconds", "2"), "--seconds makes no sense for events.jsonl: it is a file"),
        (("replay", "--events", "smoke://signal"), "smoke://signal: is not an address that can be used"),
        (("replay", "--events", "ipc://absent", "--against", "a.jsonl"), "--against makes no sense for ipc://absent: it is no recording"),
        (("replay", "--sample", "--topic", "kv"), "--topic makes no sense for --sample"),
        (("record", "events.jsonl", "more.jsonl"), "events.jsonl: is not the address of a socket"),
        (("record", "ipc://absent", __file__), "exists already, and is not overwritten"),
        (("record", "ipc://absent", "absent/of/it.jsonl"), "cannot be written"),
        (("replay", "absent.jsonl"), "absent.jsonl: cannot be read"),
        (("replay", "--sample", "--page-size", "0"), "page size 0"),
        (("replay", "--sample", "--pool", "64"), "the pool has 64"),
        (("replay", "--sample", "--seconds", "5"), "--seconds makes no sense for --sample: nothing is shrunk; give --shrink"),
        (("diff", "base", "model", "--limit", "5"), "--limit makes no sense for a search"),
        (("diff", "base", "model", "--sample", "--operations", "9", "--seed", "1"), "--operations, --seed make no sense for --sample"),
        (("diff", "base", "model", "--sample", "--policy", "lru", "--policy", "lfu"), "compared under one of lru, lfu: give one"),
        (("prove", "--mutate", "--jobs", "8"), "--jobs makes no sense for --mutate"),
        (("mutants", "--seeds", "2", "--seed", "7", "--seconds", "5"), "--seed, --seconds make no sense for --seeds"),
        (("mutants", "--clean", "--seed", "7"), "--seed makes no sense for --clean"),
        (("live", "--python", sys.executable, "--repeat", "9"), "--repeat makes no sense for live: it repeats --latency"),
        (("live", "--python", sys.executable, "--watch-budget", "9"), "--watch-budget makes no sense for live"),
        (("live", "--python", sys.executable, "--calls", "--pool", "9"), "--pool makes no sense for --calls"),
        (("live", "--python", sys.executable, "--latency", "--requests", "9"), "--requests makes no sense for --latency"),
        (("report", "--question", "Q1", "--out", "d"), "--out makes no sense for --question"),
        (("invariants", "--policy", "x"), "unknown policy 'x'"),
        (("prove", "--property", "TRUTH"), "no condition has the formula 'TRUTH'"),
        (("prove", "--property", "Q1-EQUAL", "--transition", "grow"), "no condition matches all options"),
        (("prove", "--store", f"{__file__}/below/proofs.json"), "proofs.json: cannot be written (Not a directory)"),
        (("explore", "nobody"), "unknown subject 'nobody'"),
        (("explore", "reference", "--scope", "forest"), "unknown scope 'forest': choose from tree, requests, scarce"),
        (("explore", "reference", "--policy", "random"), "unknown policy 'random'"),
        (("explore", "reference", "--page-size", "5000"), "does not support page size 5000"),
        (("explore", "faulty:TreeOnly", "--scope", "requests"), "does not declare the operations of scope 'requests'"),
        (("campaign", "nobody"), "unknown subject 'nobody'"),
        (("campaign", "reference", "--kind", "guess"), "unknown kind 'guess': choose from search, stretch, explore"),
        (("campaign", "--show", str(TESTS)), "plan.json: cannot be read (No such file or directory); give the folder of a campaign"),
        (("campaign", "model", "--hours", "nan"), "--hours nan: give a number of hours"),
        (("campaign", "model", "--export", "tests"), "--export writes the traces of a corpus: give --corpus too"),
        (("campaign", "model", "--corpus", f"{__file__}/below"), "cannot be used"),
        (("campaign", "--check", "absent"), "give the folder of a campaign"),
        (("campaign", "--show", "a", "--check", "b"), "give --show or --check, not both"),
        (("campaign", "model", "--policy", "random"), "unknown policy 'random'"),
        (("campaign", "model", "--store", f"{__file__}/below"), "cannot be written"),
        (("mutants", "double_dec"), "no mutant is called 'double_dec': the nearest are"),
        (("mutants", "evict_internl"), "evict_internal"),
        (("mutants", "faulty:double_free"), "'faulty:double_free' is no mutant"),
        (("mutants", "nowhere.at_all:mutant"), "cannot import 'nowhere.at_all'"),
        (("mutants", "unlock_twice", "--store", f"{__file__}/below/kills.json"), "cannot be written"),
        (("mutants", "--clean", "base"), "base does not support"),
        (("facts", "BATCH"), "no fact is named 'BATCH': choose from BATCH-EQUAL"),
        (("bench", "--scenario", "decade"), "unknown scenario 'decade'"),
        (("bench", "--cache", "redis"), "unknown cache 'redis'"),
        (("bench", "--cache", "absent.py:Cache"), "there is no file absent.py"),
        (("bench", "--python", "absent/python"), "no interpreter 'absent/python'"),
        (("bench", "--trace", "absent.jsonl"), "absent.jsonl: cannot be read"),
        (("bench", "--scenario", "batch", "--cache", "floor"), "add --cache optimized"),
        (("bench", "--scenario", "deep", "--plot", "pictures"), "add --scenario decode"),
        (("findings", "--subject", "nobody"), "there is no finding of 'nobody'"),
        (("findings", "--python", "/no/such/python"), "there is no interpreter '/no/such/python'"),
        (("verify", "--exec", "nowhere-to-be-found"), "nowhere-to-be-found cannot be started"),
        (("verify", "--exec", str(TESTS)), "cannot be started: Permission denied"),
        (("verify", "--exec", ""), "the command of the subject is empty"),
        (("verify", "--exec", "a 'b"), "No closing quotation"),
        (("verify", "--exec", "true"), "true ended with status 0 instead of answering make"),
        (("verify", "--exec", "cat"), "'supports' is not an object with keys"),
        (("verify", "reference", "--exec", "true"), "two subjects are given"),
        (("verify", "--exec", "true", "--python", sys.executable), "write the interpreter into the command"),
        (("verify", "reference", "--python", "nowhere/python"), "no interpreter 'nowhere/python'"),
        (("verify", "nobody", "--python", sys.executable), "unknown subject 'nobody'"),
        (("verify", "nowhere.at_all:x", "--python", sys.executable), "cannot find 'nowhere.at_all'"),
        (("verify", "json:absent", "--python", sys.executable), "has no factory 'absent'"),
        (("replay", "--sample", "--exec", "true"), "true ended with status 0"),
        (("diff", "reference", "exec:true"), "true ended with status 0"),
        (("explore", "reference", "--python", sys.executable), "cannot go back to an earlier state"),
        (("questions", "Q1", "Q99"), "no question has the id 'Q99': choose from C1, C2"),
        (("report", "--question", "Q99"), "no question has the id 'Q99'"),
        (("report", "--out", str(TESTS), "--results", f"{__file__}/below"), "cannot be written"),
        (("report", "--out", f"{__file__}/below"), "--out"),
        (("report", "--subject", "nobody"), "unknown subject 'nobody'"),
        (("report", "--python", "no-such-python"), "no interpreter 'no-such-python'"),
        (("watch",), "give the command of a server behind --"),
        (("watch", "--", "absent-command"), "there is no command 'absent-command'"),
        (("watch", "--to", str(TESTS), "--", "true"), "is not empty; give another folder"),
        (("watch", "--to", __file__, "--", "true"), "cannot be written"),
        (("watch", "--budget", "-3", "--", "true"), "the budget is -3"),
        (("watch", "--abort-on", "TRUTH", "--", "true"), "there is no property 'TRUTH'"),
        (("watch", "--show", "absent"), "--show absent: cannot be read"),
        (("watch", "--show", str(TESTS), "--budget", "5", "true"), "--budget, COMMAND: --show runs nothing"),
    ],
)
def test_a_wrong_input_gets_one_sentence_and_status_2(arguments: tuple[str, ...], names: str, command: Command) -> None:
    assert names in command(*arguments).complaint


def test_a_number_out_of_its_range_is_wrong_use(command: Command) -> None:
    ran = command("mutants", "unlock_twice", "--seeds", 0)

    assert (ran.status, ran.out) == (2, "")
    assert "0 is not in the range" in ran.err


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{not json}", "line 3"),
        ('{"timestamp": 0, "input_length": 5, "output_length": 1, "hash_ids": [-1]}', "line 3"),
        ('{"timestamp": 0, "output_length": 1, "hash_ids": [1]}', "line 3"),
    ],
)
def test_what_was_read_before_a_malformed_line_is_replayed(line: str, reason: str, tmp_path: Path, command: Command) -> None:
    trace = tmp_path / "broken.jsonl"
    trace.write_text(sample.text(sample.generate(2)) + line + "\n")

    ran = command("replay", trace, "--subject", "reference")

    assert ran.status == 2
    assert reason in ran.out
    assert "the 2 requests before it were replayed" in ran.words


def test_the_sample_is_replayed_through_a_right_cache_and_its_figures_are_printed(command: Command) -> None:
    ran = command("replay", "--sample", "--subject", "reference", "--json")

    assert (ran.status, ran.json["requests"], ran.json["leaked"]) == (0, sample.REQUESTS, 0)
    assert ran.json["victims"] > 100


@pytest.mark.slow
def test_a_right_cache_holds_under_every_property(command: Command) -> None:
    ran = command("verify", "reference", "--seconds", "200", "--operations", "12000", "--misuse", "--no-stretch", "--json")
    verdicts = {p["id"]: p["verdict"] for p in ran.json["properties"]}

    assert ran.status == 0, {id_: v for id_, v in verdicts.items() if v not in ("TESTED", "NOT OBSERVABLE")}
    assert verdicts["EVICT_LEAF"] == verdicts["MISUSE"] == "TESTED"
    assert verdicts["HEAP_BOUND"] == "NOT OBSERVABLE"
    assert all(p["non_vacuous"] > 0 for p in ran.json["properties"] if p["verdict"] == "TESTED")


def test_the_change_as_submitted_is_refuted_with_pictures_and_the_fate_of_the_orphans(command: Command) -> None:
    ran = command("verify", "as-submitted:pairs", "--seconds", "200", "--operations", "8000", "--json")
    refuted = {r["property"]: r for r in ran.json["refuted"]}

    assert ran.status == 1
    assert len(refuted["EVICT_LEAF"]["trace"]) <= 4
    assert "return later" in refuted["EVICT_LEAF"]["orphans"]
    assert "└─" in refuted["EVICT_LEAF"]["before"]
    assert {"ORDER", "RECENCY", "NO_ORPHAN"} <= refuted.keys()


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "property_"), FAULTS.items())
def test_a_planted_fault_is_refuted_by_the_property_that_names_it(fault: str, property_: str, command: Command) -> None:
    ran = command("verify", f"faulty:{fault}", "--seconds", "200", "--operations", "8000", "--json")

    assert ran.status == 1
    assert property_ in {r["property"] for r in ran.json["refuted"]}


def test_two_caches_that_agree_are_said_to_agree_and_others_differ_at_a_short_trace(command: Command) -> None:
    agree = command("diff", "reference", "model", "--seconds", "2", "--json")
    differ = command("diff", "base", "as-submitted:pairs", "--seconds", "2", "--json")

    assert (agree.status, differ.status) == (0, 1)
    assert agree.json["operations"] > 500
    assert min(len(each["trace"]) for each in differ.json["differences"]) <= 6


def test_subjects_and_invariants_are_listed(command: Command) -> None:
    assert "as-submitted:nodes" in command("subjects").out
    assert "for all q: cached(q) implies owner(page(q)) = 1 and content(page(q)) = q" in command("invariants").out


def shell(line: str, folder: Path) -> tuple[int, str]:
    """The exit status of a line of shell in which `radixcheck` is this package's command, and its standard error."""
    words = ["bash", "-c", line.replace("radixcheck", f"{shlex.quote(sys.executable)} -m radixcheck")]
    ran = subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True, timeout=120)
    return ran.returncode, ran.stderr


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("radixcheck invariants > /dev/full", "radixcheck: the result cannot be written: No space left on device\n"),
        ("radixcheck prove --property Q3-TAIL > /dev/full", "the result cannot be written: No space"),  # less than a buffer holds
        ("set -o pipefail; radixcheck subjects | true", "nothing was decided"),
    ],
)
def test_a_command_that_cannot_finish_gives_no_verdict(line: str, sentence: str, tmp_path: Path) -> None:
    status, err = shell(line, tmp_path)

    assert status == 3
    assert sentence in err


def test_a_terminal_without_lines_gets_the_words(tmp_path: Path) -> None:
    status, err = shell("PYTHONIOENCODING=ascii LC_ALL=C radixcheck prove --property Q3-TAIL", tmp_path)

    assert (status, [line for line in err.splitlines() if not line.startswith("prove: ")]) == (0, [])


def test_the_command_line_starts_without_torch() -> None:
    """It takes seconds to import, and most commands do without."""
    script = "import radixcheck.verification.cli.app, sys; print({'torch', 'z3', 'sglang'} & {*sys.modules})"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


def test_the_folder_of_stored_results_is_made_and_nothing_is_left_of_wrong_use(tmp_path: Path, command: Command) -> None:
    store = tmp_path / "new" / "folder" / "proofs.json"
    assert "no condition has" in command("prove", "--store", store, "--property", "TRUTH").complaint
    assert not store.exists()

    ran = command("prove", "--store", store, "--property", "Q3-TAIL", "--json")
    assert (ran.status, json.loads(store.read_text())) == (0, ran.json)


@pytest.mark.parametrize("arguments", [("prove", "--property", "Q3-TAIL", "--store"), ("show", "TRACE", "--svg")])
def test_a_verdict_is_printed_also_where_its_file_cannot_be_written(
    arguments: tuple[str, ...], tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace = tmp_path / "trace.jsonl"
    header = '{"radixcheck": "trace", "version": 1, "policy": "lru", "page_size": 1, "pool": 4, "subject": "reference"}'
    trace.write_text(header + '\n{"op": "insert", "tokens": [1]}\n')
    file = tmp_path / "result.svg"
    file.write_text("earlier") if arguments[0] == "prove" else None

    def full(self: Path, *_: object, **__: object) -> NoReturn:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr("radixcheck.verification.core.atomic_write.Path.write_text", full)
    monkeypatch.setattr("radixcheck.verification.report.show_view.stacked", full)
    ran = command(*(str(trace) if word == "TRACE" else word for word in arguments), file)

    assert ran.status == 2
    assert ran.out
    assert "result.svg: cannot be written (No space left on device); give another file" in ran.err
    assert not file.exists() or file.read_text() == "earlier"


LOUD = """
print("imported")
from radixcheck.verification.protocol import Supports
from radixcheck.verification.subjects.reference_subject import ReferenceSubject
class Loud(ReferenceSubject):
    supports = Supports(policies=("lru",), page_sizes=(1,))
def cache(setup):
    print("made")
    return Loud(setup.page_size, setup.policy, setup.pool)
"""


@pytest.mark.parametrize("arguments", [("report", "--question", "C3", "--out", "d", "--subject"), ("mutants", "--clean"), ("mutants",)])
def test_what_a_module_prints_is_no_part_of_the_answer(
    arguments: tuple[str, ...], tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "loud.py").write_text(LOUD)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setitem(sys.modules, "loud", None)
    monkeypatch.delitem(sys.modules, "loud")

    ran = command(*arguments, "loud:cache", "--json")  # each is refused after the import
    assert (ran.status, ran.out, "imported\n" in ran.err) == (2, "", True)


def test_a_cache_of_an_engine_is_named_with_the_interpreter_that_has_it(tmp_path: Path, command: Command) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 7\n")
    python.chmod(0o755)

    assert f"{python} " in command("report", "--subject", "sglang-python", "--python", python, "--question", "Q1").complaint
    assert [c.command.split()[2] for c in comparisons()] == ["sglang-python@PATH", "sglang-hiradix-0.4.6@PATH"]


def test_a_mutant_in_a_file_is_named_as_a_cache_in_a_file_is(tmp_path: Path) -> None:
    file = tmp_path / "mutants_of_mine.py"
    file.write_text("from radixcheck.verification.mutants.all_mutants import MUTANTS\nmine = MUTANTS['unlock_twice']\n")

    assert mutant(f"{file}:mine") is MUTANTS["unlock_twice"]
