"""The command line as a person meets it: what it refuses, in one sentence, and what it says of right and wrong caches."""

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from radixcheck.verification.cli.commands import run
from radixcheck.verification.replay import sample


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    status = run(arguments)
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("verify", "nobody"), "unknown subject 'nobody'"),
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
        (("verify", "--page-size", "3"), "does not support page size 3"),
        (("verify", "--policy", "random"), "unknown policy 'random'"),
        (("verify", "base", "--policy", "mru"), "base does not support policy 'mru'"),
        (("verify", "--pool", "7"), "--pool 7 is smaller than one request"),
        (("verify", "--device", "abacus"), "unknown device 'abacus'"),
        (("verify", "--device", "cuda:77"), "--device cuda:77"),
        (("verify", "--junit", "absent/of/it.xml"), "--junit absent/of/it.xml: cannot be written"),
        (("verify", "--junit", "."), "--junit .: cannot be written"),
        (("verify", "--summary", "absent/of/it.md"), "--summary absent/of/it.md: cannot be written"),
        (("diff", "reference", "nobody"), "unknown subject 'nobody'"),
        (("replay",), "give one trace"),
        (("replay", "absent.jsonl"), "absent.jsonl: cannot be read"),
        (("replay", "--sample", "--page-size", "0"), "page size 0"),
        (("replay", "--sample", "--pool", "64"), "the pool has 64"),
        (("invariants", "--policy", "x"), "unknown policy 'x'"),
        (("prove", "--property", "TRUTH"), "no condition has the formula 'TRUTH'"),
        (("prove", "--property", "Q1-EQUAL", "--transition", "grow"), "no condition is all of that"),
        (("prove", "--store", "absent/proofs.json"), "--store absent/proofs.json: cannot be written"),
    ],
)
def test_a_wrong_input_gets_one_sentence_and_status_2(arguments: tuple[str, ...], names: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = said(capsys, *arguments)

    assert (status, out) == (2, "")
    assert names in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{not json}", "line 3"),
        ('{"timestamp": 0, "input_length": 5, "output_length": 1, "hash_ids": [-1]}', "line 3"),
        ('{"timestamp": 0, "output_length": 1, "hash_ids": [1]}', "line 3"),
    ],
)
def test_what_was_read_before_a_malformed_line_is_replayed(
    line: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "broken.jsonl"
    trace.write_text(sample.text(sample.generate(2)) + line + "\n")

    status, out, _ = said(capsys, "replay", str(trace), "--subject", "reference")

    assert status == 2
    assert reason in out
    assert "the 2 requests before it were replayed" in " ".join(out.split())


def test_the_sample_is_replayed_through_a_right_cache_and_its_figures_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "replay", "--sample", "--subject", "reference", "--json")
    answer = json.loads(out)

    assert status == 0
    assert answer["requests"] == sample.REQUESTS
    assert answer["leaked"] == 0
    assert answer["victims"] > 100


def test_a_right_cache_holds_under_every_property(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "verify", "reference", "--seconds", "12", "--misuse", "--json")
    answer = json.loads(out)
    verdicts = {p["id"]: p["verdict"] for p in answer["properties"]}

    assert status == 0, {id_: v for id_, v in verdicts.items() if v not in ("TESTED", "NOT OBSERVABLE")}
    assert verdicts["EVICT_LEAF"] == verdicts["MISUSE"] == "TESTED"
    assert verdicts["HEAP_BOUND"] == "NOT OBSERVABLE"
    assert all(p["non_vacuous"] > 0 for p in answer["properties"] if p["verdict"] == "TESTED")


def test_the_change_as_submitted_is_refuted_with_pictures_and_the_fate_of_the_orphans(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "verify", "as-submitted:pairs", "--seconds", "8", "--json")
    refuted = {r["property"]: r for r in json.loads(out)["refuted"]}

    assert status == 1
    assert len(refuted["EVICT_LEAF"]["trace"]) <= 4
    assert "return later" in refuted["EVICT_LEAF"]["orphans"]
    assert "└─" in refuted["EVICT_LEAF"]["before"]
    assert {"ORDER", "RECENCY", "NO_ORPHAN"} <= refuted.keys()


@pytest.mark.parametrize(
    ("fault", "property_"),
    [
        ("walk_past_divergence", "MATCH_SOUND"),
        ("aliased_slots", "NO_ALIAS"),
        ("hits_lost_in_split", "FREQ"),
        ("namespace_without_salt", "ISOLATION"),
        ("double_free", "SLOT_PARTITION"),
    ],
)
def test_a_planted_fault_is_refuted_by_the_property_that_names_it(fault: str, property_: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = said(capsys, "verify", f"faulty:{fault}", "--seconds", "8", "--json")

    assert status == 1
    assert property_ in {r["property"] for r in json.loads(out)["refuted"]}


def test_two_caches_that_agree_are_said_to_agree_and_others_differ_at_a_short_trace(capsys: pytest.CaptureFixture[str]) -> None:
    agree = said(capsys, "diff", "reference", "model", "--seconds", "2", "--json")
    differ = said(capsys, "diff", "base", "as-submitted:pairs", "--seconds", "2", "--json")

    assert agree[0] == 0
    assert json.loads(agree[1])["operations"] > 500
    assert differ[0] == 1
    assert min(len(each["trace"]) for each in json.loads(differ[1])["differences"]) <= 6


def test_subjects_and_invariants_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    _, subjects, _ = said(capsys, "subjects")
    _, invariants, _ = said(capsys, "invariants")

    assert "as-submitted:nodes" in subjects
    assert "for all q: cached(q) implies owner(page(q)) = 1 and content(page(q)) = q" in invariants


def shell(line: str) -> tuple[int, str]:
    """The exit status of a line of shell in which `radixcheck` is this package's command, and its standard error."""
    command = f"{shlex.quote(sys.executable)} -m radixcheck"
    ran = subprocess.run(["bash", "-c", line.replace("radixcheck", command)], check=False, capture_output=True, text=True, timeout=120)
    return ran.returncode, ran.stderr


@pytest.mark.parametrize("command", ["invariants", "prove --property Q3-TAIL"])  # more than a buffer holds, and less
def test_what_cannot_be_written_is_not_taken_for_written(command: str) -> None:
    status, err = shell(f"radixcheck {command} > /dev/full")

    assert status == 3
    assert "radixcheck: the result cannot be written: No space left on device\n" in err


def test_a_reader_that_goes_early_gets_no_verdict() -> None:
    status, err = shell("set -o pipefail; radixcheck subjects | true")

    assert status == 3
    assert "nothing was decided" in err


def test_a_subject_that_exits_gives_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "leaves.py").write_text("def factory(setup): raise SystemExit(0)\n")
    status, err = shell(f"cd {shlex.quote(str(tmp_path))}; radixcheck explore leaves:factory")

    assert status == 3
    assert "nothing was decided" in err


def test_a_terminal_without_lines_gets_the_words() -> None:
    assert shell("PYTHONIOENCODING=ascii LC_ALL=C radixcheck prove --property Q3-TAIL") == (0, "")
