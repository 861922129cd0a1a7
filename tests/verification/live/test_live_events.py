"""`radixcheck live --events`: over engines that publish what they store; each fault gets its verdict. Marked live: the real ones."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from commands import Command, Ran
from event_trials import BATCHES, Happening, marked
from fake_engine import live_interpreter, model_folder
from fake_vllm import vllm_interpreter
from fast_tier import slow_unless

from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.event_streams.recording import Frame, Item, header, line_of, read
from radixcheck.verification.event_streams.stream import folded
from radixcheck.verification.live.event_checks import EVENTS, HITS, control_check, event_checks
from radixcheck.verification.live.live_results import Check, LiveRun
from radixcheck.verification.live.workload import Load
from radixcheck.verification.runs.live_job import LiveRequest, _make_folder, live

SMALL = ("--requests", 24, "--batch", 3, "--pool", 3_072, "--page-size", 16, "--backends", "classic,radixcheck")
BOTH = (EVENTS, HITS)


def served(command: Command, folder: Path, *arguments: object, fault: str = "") -> Ran:
    python, model = live_interpreter(folder, {"radixcheck": fault} if fault else None), model_folder(folder / "model")
    return command("live", "--python", python, "--model", model, *SMALL, "--events", folder / "events", *arguments)


def verdicts(ran: Ran, backend: str) -> tuple[str, ...]:
    """On the events, and on the hits beside them."""
    found = {check["check"]: check["verdict"] for check in ran.json["checks"] if check["backend"] == backend}
    return tuple(found[name] for name in BOTH)


def test_the_events_of_each_cache_hold_and_the_control_is_caught(command: Command, tmp_path: Path) -> None:
    ran = served(command, tmp_path, "--json")

    assert ran.status == 0, ran.json["checks"]
    assert [verdicts(ran, backend) for backend in ("classic", "radixcheck")] == [("TESTED", "TESTED")] * 2
    assert ran.json["verdicts"]["KILLED"] == 3
    recordings = {run["backend"]: run["recording"] for run in ran.json["runs"]}
    assert recordings == {
        **{"classic": "classic-16.jsonl", "radixcheck": "radixcheck-16.jsonl", "control-silent-events": "control-silent-events-16.jsonl"},
        **{"control-miscounting": "", "control-wrong-slot": ""},
    }
    again = command("replay", "--events", tmp_path / "events" / "radixcheck-16.jsonl", "--json")
    assert (again.status, again.json["complete"], again.json["faults"]) == (0, True, [])


@pytest.mark.parametrize(
    ("fault", "expected", "status"),
    slow_unless(
        lambda fault, expected, status: fault in ("batch lost", "event lost", "silent"),
        [
            ("batch lost", ("UNDECIDED", "UNDECIDED"), 3),
            ("no batch", ("UNDECIDED", "UNDECIDED"), 3),
            ("no answer", ("UNDECIDED", "UNDECIDED"), 3),
            ("batch doubled", ("REFUTED", "TESTED"), 1),
            ("event lost", ("REFUTED", "REFUTED"), 1),
            ("other ids", ("REFUTED", "REFUTED"), 1),
            ("silent", ("TESTED", "REFUTED"), 1),
            ("more hits", ("TESTED", "REFUTED"), 1),
        ],
    ),
)
def test_a_fault_of_the_events_gets_its_verdict(
    command: Command, tmp_path: Path, fault: str, expected: tuple[str, str], status: int
) -> None:
    ran = served(command, tmp_path, "--no-controls", "--json", fault=fault)

    assert verdicts(ran, "radixcheck") == expected
    assert verdicts(ran, "classic") == ("TESTED", "TESTED")
    assert ran.status == status


def test_the_table_shows_both_checks_and_the_recordings(command: Command, tmp_path: Path) -> None:
    ran = served(command, tmp_path, "--no-controls")

    assert ran.status == 0
    assert "25 batches, 122 pages stored: 0 faults; the stream is complete" in ran.words
    assert "24 of 24 requests hit what the events say, 24 as when their round began" in ran.words
    files = ", ".join(str(tmp_path / "events" / name) for name in ("classic-16.jsonl", "radixcheck-16.jsonl"))
    assert f"recordings for radixcheck replay --events: {files}" in ran.words


def test_an_engine_that_does_not_run_to_its_end_has_no_verdict_on_events(command: Command, tmp_path: Path) -> None:
    ran = served(command, tmp_path, "--no-controls", "--json", fault="start")

    assert ran.status == 3
    assert [check["check"] for check in ran.json["checks"] if check["backend"] == "radixcheck"] == ["runs to its end"]


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "expected"), [("", ("TESTED", "TESTED")), ("silent", ("TESTED", "REFUTED"))])
def test_the_events_of_vllm_are_judged_too(command: Command, tmp_path: Path, fault: str, expected: tuple[str, str]) -> None:
    vllm = tmp_path / "vllm"
    vllm.mkdir()
    ran = served(command, tmp_path, "--no-controls", "--vllm-python", vllm_interpreter(vllm, {"vllm": fault}), "--json")

    assert verdicts(ran, "vllm") == expected
    assert (tmp_path / "events" / "vllm-32.jsonl").exists()


def test_a_control_that_hides_nothing_is_not_caught(command: Command, tmp_path: Path) -> None:
    python, model = live_interpreter(tmp_path, {"control-silent-events": ""}), model_folder(tmp_path / "model")
    ran = command("live", "--python", python, "--model", model, *SMALL, "--events", tmp_path / "events", "--json")

    found = [check["verdict"] for check in ran.json["checks"] if check["backend"] == "control-silent-events"]
    assert (ran.status, found) == (1, ["SURVIVED"])
    lost = LiveRun("control-silent-events", 16, (), lost="it ended")
    assert control_check(lost, []).verdict == Verdict.UNDECIDED


@pytest.mark.parametrize(
    ("folder", "names"), [(".", "exists already, and nothing in it is overwritten"), ("file/events", "cannot be made (Not a directory)")]
)
def test_a_folder_that_cannot_be_made_is_wrong_use(command: Command, tmp_path: Path, folder: str, names: str) -> None:
    python, model = live_interpreter(tmp_path), model_folder(tmp_path / "model")
    (tmp_path / "file").touch()

    assert names in command("live", "--python", python, "--model", model, *SMALL, "--events", tmp_path / folder).complaint


def test_the_folder_of_recordings_is_made_with_those_above_it(tmp_path: Path) -> None:
    _make_folder("--events", tmp_path / "new" / "events")

    assert (tmp_path / "new" / "events").is_dir()


def test_a_measurement_has_no_events(command: Command, tmp_path: Path) -> None:
    ran = command("live", "--python", "python3", "--calls", "--events", tmp_path / "events")

    assert "--events does not go with" in ran.complaint


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[LiveRun, Load, Path]:
    """A run of 40 requests, the workload, and its recording."""
    folder = tmp_path_factory.mktemp("recorded")
    python, model = live_interpreter(folder), model_folder(folder / "model")
    request = LiveRequest(python, model, ("classic", "radixcheck"), (16,), requests=40, batch=4, controls=False, events=folder / "events")
    run = next(run for run in live(request).runs if run.backend == "radixcheck")
    return run, Load(40, 4, 100), folder / "events" / run.recording


def judged(run: LiveRun, load: Load, items: Sequence[Item], file: Path) -> list[Check]:
    file.write_bytes(header("ipc://recorded") + b"".join(map(line_of, items)))
    return list(event_checks(run, load, file))


@pytest.mark.parametrize("trials", [20, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("happening", BATCHES.values(), ids=list(BATCHES))
def test_a_batch_of_a_recording_that_is_lost_doubled_moved_or_cut_never_passes(
    recorded: tuple[LiveRun, Load, Path], tmp_path: Path, happening: Happening, trials: int
) -> None:
    run, load, recording = recorded
    clean = list(read(recording))
    frames = [item for item in clean if isinstance(item, Frame)]
    assert [check.verdict for check in judged(run, load, clean, tmp_path / "clean")] == [Verdict.TESTED] * 2

    for trial in range(trials):
        checks = judged(run, load, marked(frames, happening, Random(trial)), tmp_path / "changed")
        assert checks[0].verdict in (Verdict.REFUTED, Verdict.UNDECIDED)


def test_a_recording_that_ended_early_decides_nothing(recorded: tuple[LiveRun, Load, Path]) -> None:
    run, load, recording = recorded
    checks = list(event_checks(replace(run, recording_stopped="the file cannot be written on"), load, recording))

    assert [check.verdict for check in checks] == [Verdict.UNDECIDED] * 2
    assert all("ended early: the file cannot be written on" in check.text for check in checks)


@pytest.mark.live
@pytest.mark.slow
def test_the_events_of_sglang_are_what_it_serves(command: Command, tmp_path: Path) -> None:
    """Six engines, one after another: some minutes."""
    arguments = ("--requests", 60, "--batch", 4, "--pool", 2_560, "--page-size", 16, "--backends", "default,classic,radixcheck")
    ran = command("live", "--python", os.environ["RADIXCHECK_LIVE"], *arguments, "--events", tmp_path / "events", "--json")

    assert ran.status == 0, ran.json["checks"]
    assert [verdicts(ran, backend) for backend in ("default", "classic", "radixcheck")] == [("TESTED", "TESTED")] * 3
    assert ran.json["verdicts"]["KILLED"] == 3
    for recording in tmp_path.glob("events/*-16.jsonl"):
        frames = [item for item in read(recording) if isinstance(item, Frame)]
        trials = [(happening, trial) for happening in BATCHES.values() for trial in range(50)]
        assert all(folded(marked(frames, happening, Random(trial))).status != Status.HOLDS for happening, trial in trials)


@pytest.mark.live
@pytest.mark.slow
def test_the_events_of_vllm_are_what_it_serves(command: Command, tmp_path: Path) -> None:
    """Four engines, one after another: some minutes."""
    arguments = ("--requests", 60, "--batch", 4, "--pool", 2_560, "--page-size", 16, "--backends", "radixcheck,none", "--no-controls")
    pythons = ("--python", os.environ["RADIXCHECK_LIVE"], "--vllm-python", os.environ["RADIXCHECK_VLLM"])
    ran = command("live", *pythons, *arguments, "--events", tmp_path / "events", "--json")

    assert ran.status == 0, ran.json["checks"]
    assert verdicts(ran, "vllm") == ("TESTED", "TESTED")
