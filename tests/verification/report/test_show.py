"""`show`, `replay` and `--shrink` on one trace file: they agree, and say the same step and property."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from commands import Command

from radixcheck.spec.values import Key
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.traces import Recorded, read, write
from radixcheck.verification.operations import Op

LEAF = (Op("insert", Key((1,))), Op("insert", Key((1, 1))), Op("evict", amount=1))
BEFORE = (Op("alloc", Key((5,)), 2), Op("free", holder=2))  # nothing to do with it


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """The smallest answer to Q1, after operations that have nothing to do with it."""
    path = tmp_path / "leaf.jsonl"
    write(path, Recorded(Config("lru", 1, 6), (*BEFORE, *LEAF), "as-submitted:pairs", "EVICT_LEAF"))
    return path


def test_replay_show_and_shrinking_agree_on_a_trace(trace: Path, tmp_path: Path, command: Command) -> None:
    short = tmp_path / "short.jsonl"
    replayed, shown = command("replay", trace, "--json", "--shrink", short), command("show", trace, "--json")
    broken = [step["broken"] for step in replayed.json["operations"]]

    assert replayed.status == shown.status == 1
    assert [step["broken"] for step in shown.json["steps"][1:]] == broken
    assert replayed.json["shrunk"]["property"] in {each["property"] for each in broken[-1]}
    assert command("show", short).status == command("replay", short).status == 1
    assert [op.name for op in read(short).trace] == ["insert", "insert", "evict"]
    assert read(short).property == replayed.json["shrunk"]["property"] == "EVICT_LEAF"
    assert read(short).subject == "as-submitted:pairs"


@pytest.mark.parametrize("name", ["EVICT_LEAF", "COUNT", "SLOT_PARTITION"])
def test_the_property_of_the_trace_is_named_at_its_step(name: str, trace: Path, command: Command) -> None:
    replayed = command("replay", trace)

    assert replayed.status == 1
    assert f"{name} REFUTED at operation 5 (evict 1)" in replayed.out
    assert f"{name} breaks at step 5." in command("show", trace).out


def test_a_right_cache_holds_on_it_and_the_recorded_property_is_said_not_to_break(trace: Path, command: Command) -> None:
    replayed, shown = command("replay", trace, "--subject", "reference"), command("show", trace, "--subject", "reference")

    assert replayed.status == shown.status == 0
    assert "EVICT_LEAF, for which it was recorded, is not broken here" in replayed.out
    assert "reference holds on leaf.jsonl" in replayed.out
    assert "no property breaks" in shown.out


def test_without_a_subject_anywhere_the_optimized_cache_is_meant(tmp_path: Path, command: Command) -> None:
    write(tmp_path / "a.jsonl", Recorded(Config("lru", 1, 6), LEAF))

    for name in ("replay", "show"):
        assert command(name, tmp_path / "a.jsonl", "--json").json["subject"] == "optimized"


def test_what_could_not_be_performed_leaves_a_replay_undecided(tmp_path: Path, command: Command) -> None:
    write(tmp_path / "a.jsonl", Recorded(Config("lru", 1, 6), (Op("unlock", holder=1), *LEAF), "reference"))
    write(tmp_path / "b.jsonl", Recorded(Config("lru", 1, 6), LEAF, "reference", "MEM_BOUND"))
    write(tmp_path / "c.jsonl", Recorded(Config("lru", 1, 6), (), "reference"))

    partly, by_probes, empty = (command("replay", tmp_path / name) for name in ("a.jsonl", "b.jsonl", "c.jsonl"))

    assert partly.status == by_probes.status == empty.status == 3
    assert "1 of 4 operations could not be performed" in partly.out
    assert "MEM_BOUND, for which it was recorded, shows by counting steps or memory: radixcheck verify reference" in by_probes.out
    assert "no operation of the trace could be performed" in empty.out


def test_what_only_a_second_replica_shows_is_found_by_replay_and_show_alike(tmp_path: Path, command: Command) -> None:
    evicting = (*(Op("insert", Key((i,))) for i in range(3)), Op("unlock", holder=9), Op("evict", amount=3), Op("evict", amount=1))
    write(tmp_path / "a.jsonl", Recorded(Config("lru", 1, 12), evicting, "faulty:by_replica", "DETERMINISM"))
    write(tmp_path / "b.jsonl", Recorded(Config("lru", 1, 12), evicting, "reference", "DETERMINISM"))

    replayed, shown = (command(name, tmp_path / "a.jsonl", "--json") for name in ("replay", "show"))
    right = [command(name, tmp_path / "b.jsonl").status for name in ("replay", "show")]

    broken = {each["step"]: [v["property"] for v in each["broken"]] for each in replayed.json["operations"]}
    assert replayed.status == shown.status == 1
    assert broken == {1: [], 2: [], 3: [], 4: [], 5: ["DETERMINISM"], 6: []}
    assert [v["property"] for v in shown.json["steps"][5]["broken"]] == ["DETERMINISM"]
    assert right == [3, 0], "an operation could not be performed"


def test_single_steps_are_shown_and_one_that_is_not_there_is_refused(trace: Path, command: Command) -> None:
    ran = command("show", trace, "--step", 0, "--step", 2, "--json")

    assert ran.status == 1, "the status is that of the whole trace"
    assert [step["step"] for step in ran.json["steps"]] == [0, 2]
    assert re.search("--step 6.* give 0, the start, to 5", command("show", trace, "--step", 6).complaint)


def test_the_pictures_are_written_as_a_page_and_as_one_drawing(trace: Path, tmp_path: Path, command: Command) -> None:
    for name in ("a.html", "a.svg"):
        ran = command("show", trace, "--svg", tmp_path / name)
        assert ran.status == 1
        assert "written:" in ran.out

    page, drawing = (tmp_path / "a.html").read_text(), (tmp_path / "a.svg").read_text()
    frames = len(command("show", trace, "--json").json["steps"])
    assert page.count("<svg ") == page.count("<figcaption>") == frames
    assert "prefers-color-scheme:dark" in page
    assert "@media print" in page
    assert not any(word in page + drawing for word in ("<script", "href=", "src=", "@import", "url("))
    assert ElementTree.fromstring(drawing).tag.endswith("svg")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "absent.jsonl"), "absent.jsonl: cannot be read"),
        (("show", "TRACE", "--svg", "a.png"), "--svg a.png: give a file that ends in .html (a page) or .svg (one drawing)"),
        (("show", "TRACE", "--svg", "absent/a.svg"), "--svg absent/a.svg: cannot be written"),
        (("show", "TRACE", "--subject", "nobody"), "unknown subject 'nobody'"),
        (("replay", "TRACE", "--running", "3"), "--running makes no sense for"),
        (("replay", "TRACE", "--limit", "3", "--tokens-per-id", "2"), "--tokens-per-id, --limit make no sense for"),
        (("replay", "TRACE", "--policy", "lru"), "--policy makes no sense for"),
        (("replay", "TRACE", "--device", "cpu"), "--device makes no sense for"),
        (("replay", "TRACE", "--sample"), "give one trace"),
        (("replay", "TRACE", "--shrink", "a.txt"), "--shrink a.txt: give a file that ends in .py (a test for pytest) or .jsonl (a trace)"),
        (("verify", "reference", "--traces", "TRACE"), "cannot be written"),
    ],
)
def test_a_wrong_use_of_a_trace_gets_one_sentence(arguments: tuple[str, ...], says: str, trace: Path, command: Command) -> None:
    before = trace.read_bytes()

    assert says in command(*(trace if each == "TRACE" else each for each in arguments)).complaint
    assert trace.read_bytes() == before


@pytest.mark.parametrize(
    ("config", "subject", "says"),
    [
        (Config("mru", 1, 6), "base", "base does not support policy 'mru': it declares lru"),
        (Config("lru", 5000, 10000), "base", "base does not support page size 5000"),
        (Config("lru", 1, 6, "cuda:77"), "optimized", "device cuda:77"),
        (Config("lru", 1, 6), "nobody", "unknown subject 'nobody'"),
    ],
)
def test_a_header_that_a_cache_cannot_follow_is_refused_by_both_commands(
    config: Config, subject: str, says: str, tmp_path: Path, command: Command
) -> None:
    write(tmp_path / "a.jsonl", Recorded(config, LEAF, subject))

    for name in ("replay", "show"):
        complaint = command(name, tmp_path / "a.jsonl").complaint
        assert says in complaint
        assert "a.jsonl" in complaint
        assert "--device" not in complaint


def test_pictures_that_are_there_are_not_overwritten(trace: Path, tmp_path: Path, command: Command) -> None:
    (tmp_path / "mine.html").write_text("mine")

    assert "exists already, and is not overwritten" in command("show", trace, "--svg", tmp_path / "mine.html").complaint
    assert (tmp_path / "mine.html").read_text() == "mine"


def test_a_shrunk_trace_is_written_as_a_test_too(trace: Path, tmp_path: Path, command: Command) -> None:
    out = tmp_path / "test_leaf.py"

    ran = command("replay", trace, "--shrink", out)

    assert ran.status == 1
    assert f"run them: pytest {out}" in ran.words
    assert 'SUBJECT = "as-submitted:pairs"' in out.read_text()
    assert "Found in leaf.jsonl under lru, pages of 1, pool of 6, at operation" in out.read_text()


def test_a_test_that_could_not_fail_is_not_written(tmp_path: Path, command: Command) -> None:
    evicting = (*(Op("insert", Key((i,))) for i in range(4)), Op("evict", amount=3), Op("evict", amount=1))
    write(tmp_path / "a.jsonl", Recorded(Config("lru", 1, 12), evicting, "faulty:by_replica", "DETERMINISM"))

    as_test = command("replay", tmp_path / "a.jsonl", "--shrink", tmp_path / "test_replicas.py")
    as_trace = command("replay", tmp_path / "a.jsonl", "--shrink", tmp_path / "replicas.jsonl")

    assert as_test.status == as_trace.status == 1
    assert "one run, as a test makes it, does not show DETERMINISM" in as_test.words
    assert not (tmp_path / "test_replicas.py").exists()
    assert read(tmp_path / "replicas.jsonl").property == "DETERMINISM"
    assert command("replay", tmp_path / "replicas.jsonl").status == command("show", tmp_path / "replicas.jsonl").status == 1


def test_a_request_trace_is_shrunk_to_a_trace_that_both_commands_refute(tmp_path: Path, command: Command) -> None:
    out = tmp_path / "free.jsonl"

    ran = command("replay", "--sample", "--subject", "faulty:double_free", "--shrink", out)

    assert ran.status == 1
    assert f"show them: radixcheck show {out}" in ran.words
    assert [op.name for op in read(out).trace] == ["start", "finish"]
    assert command("show", out).status == command("replay", out).status == 1


@pytest.mark.slow
def test_verify_writes_a_trace_of_each_refuted_property_and_replaces_old_ones(tmp_path: Path, command: Command) -> None:
    folder = tmp_path / "made" / "here"
    folder.mkdir(parents=True)
    (folder / "as-submitted-pairs-EVICT_LEAF.jsonl").write_text("old")

    ran = command("verify", "as-submitted:pairs", "--seconds", "200", "--operations", "4000", "--traces", folder)

    files = sorted(path.name for path in folder.iterdir())
    assert ran.status == 1
    assert "as-submitted-pairs-EVICT_LEAF.jsonl" in files
    for name in files:
        recorded = read(folder / name)
        assert name == f"as-submitted-pairs-{recorded.property}.jsonl"
        assert f"show it: radixcheck show {folder / name}" in ran.words
        steps = command("show", folder / name, "--json").json["steps"]
        assert recorded.property in {each["property"] for step in steps for each in step["broken"]}
