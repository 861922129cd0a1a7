"""`radixcheck live`: over an engine that answers from a formula, each fault gets its verdict; marked live: over SGLang itself."""

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands import Command, Ran
from fake_engine import live_interpreter, model_folder

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.live.compare import checks, control_check, needs_imitation
from radixcheck.verification.live.live_results import Answer, Check, LiveRun
from radixcheck.verification.live.workload import Conversations, Load

SMALL = ("--requests", 12, "--batch", 3, "--pool", 3_072)


def served(command: Command, folder: Path, *arguments: object, faults: Mapping[str, str] | None = None) -> Ran:
    python, model = live_interpreter(folder, faults), model_folder(folder / "model")
    return command("live", "--python", python, "--model", model, *SMALL, "--json", *arguments)


def verdicts(ran: Ran, backend: str) -> dict[str, str]:
    return {check["check"]: check["verdict"] for check in ran.json["checks"] if check["backend"] == backend}


def run(backend: str, *, count: int = 4, **changes: Any) -> LiveRun:
    """A run whose last answer is changed."""
    answers = [Answer(20 + at, 0 if backend == "none" else 8, (5, 6), (-0.5, -0.25)) for at in range(count)]
    answers[-1] = replace(answers[-1], **changes)
    return LiveRun(backend, 1, tuple(answers))


def found(*runs: LiveRun) -> dict[str, Verdict]:
    """The verdicts on our cache."""
    return {check.check: check.verdict for check in checks({each.backend: each for each in runs}) if check.backend == "radixcheck"}


def test_caches_that_agree_hold_and_both_controls_are_caught(command: Command, tmp_path: Path) -> None:
    ran = served(command, tmp_path, "--page-size", 1)

    assert ran.status == ran.json["status"] == 0
    assert ran.json["engine"] == "SGLang 0.5.23"
    assert [(one["backend"], one["requests"]) for one in ran.json["runs"]] == [
        *((name, 12) for name in ("default", "classic", "radixcheck", "none")),
        ("control-miscounting", 3),
        ("control-wrong-slot", 12),
    ]
    ours = {"hits", "equal tokens", "near log-probabilities", "equal hits", "equal bits"}
    assert verdicts(ran, "radixcheck") == dict.fromkeys(ours, Verdict.TESTED)
    assert verdicts(ran, "none") == {"hits nothing": Verdict.TESTED}
    assert ran.json["verdicts"] == {"TESTED": 14, "KILLED": 2}


def test_the_table_shows_runs_and_checks(command: Command, tmp_path: Path) -> None:
    python, model = live_interpreter(tmp_path), model_folder(tmp_path / "model")

    ran = command("live", "--python", python, "--model", model, *SMALL, "--page-size", 16, "--backends", "radixcheck,none", "--no-controls")

    assert ran.status == 0
    assert "4 of 4 checks hold; the whole holds" in ran.words
    assert "12 of 12 requests get the tokens that they get without a cache" in ran.words


def test_an_engine_that_ends_by_its_own_check_refutes_its_cache(command: Command, tmp_path: Path) -> None:
    ran = served(command, tmp_path, "--page-size", 1, "--backends", "radixcheck,none", "--no-controls", faults={"radixcheck": "leak"})

    assert ran.status == 1
    (check,) = (check for check in ran.json["checks"] if check["backend"] == "radixcheck")
    assert (check["check"], check["verdict"]) == ("runs to its end", "REFUTED")
    assert "AssertionError: Full Pool Mem Leak Detected! 1 != 2" in check["text"]


@pytest.mark.parametrize("fault", ["end", "start"])
def test_an_engine_that_ends_for_another_reason_decides_nothing(command: Command, tmp_path: Path, fault: str) -> None:
    ran = served(command, tmp_path, "--page-size", 1, "--backends", "radixcheck,none", "--no-controls", faults={"radixcheck": fault})

    assert ran.status == 3
    assert verdicts(ran, "radixcheck") == {"runs to its end": "UNDECIDED"}


@pytest.mark.parametrize("control", ["control-miscounting", "control-wrong-slot"])
def test_a_control_that_is_not_caught_is_refuted(command: Command, tmp_path: Path, control: str) -> None:
    ran = served(command, tmp_path, "--page-size", 1, "--backends", "classic,none", faults={control: ""})

    assert ran.status == 1
    assert verdicts(ran, control) == {"must fail": "SURVIVED"}


def test_hits_that_the_imitation_explains_hold(command: Command, tmp_path: Path) -> None:
    ran = served(
        command, tmp_path, "--page-size", 1, "--backends", "classic,radixcheck,none", "--no-controls", faults={"radixcheck": "more hits"}
    )

    assert ran.status == 0
    assert verdicts(ran, "radixcheck")["equal hits"] == "TESTED"
    assert verdicts(ran, "radixcheck-l5") | {"equal hits": "TESTED", "equal bits": "TESTED"} == verdicts(ran, "radixcheck-l5")
    (text,) = (check["text"] for check in ran.json["checks"] if (check["backend"], check["check"]) == ("radixcheck", "equal hits"))
    assert "L5 explains each difference" in text


def test_the_result_is_stored(command: Command, tmp_path: Path) -> None:
    ran = served(command, tmp_path, "--page-size", 1, "--backends", "classic,none", "--no-controls", "--store", tmp_path / "live.json")

    assert json.loads((tmp_path / "live.json").read_text()) == ran.json


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"tokens": (5, 7)}, "equal tokens"),
        ({"log_probabilities": (-0.5, -0.2505)}, "near log-probabilities"),
        ({"log_probabilities": (-0.5, -0.25 + 1e-9)}, "equal bits"),
        ({"log_probabilities": (-0.5,)}, "near log-probabilities"),
        ({"cached": 9}, "equal hits"),
    ],
)
def test_a_difference_is_refuted_by_the_check_that_sees_it(change: Mapping[str, Any], broken: str) -> None:
    clean = found(run("classic"), run("radixcheck"), run("none"))
    actual = found(run("classic"), run("radixcheck", **change), run("none"))

    assert set(clean.values()) == {Verdict.TESTED}
    assert actual[broken] == Verdict.REFUTED


def test_hits_that_the_imitation_does_not_explain_are_refuted() -> None:
    ours = run("radixcheck", cached=9)

    assert needs_imitation({each.backend: each for each in (run("classic"), ours)})
    assert found(run("classic"), ours, run("radixcheck-l5"))["equal hits"] == Verdict.TESTED
    assert found(run("classic"), ours, run("radixcheck-l5", cached=10))["equal hits"] == Verdict.REFUTED


def test_runs_without_hits_show_nothing_and_hits_without_a_cache_are_refuted() -> None:
    idle = replace(run("radixcheck"), answers=tuple(replace(answer, cached=0) for answer in run("radixcheck").answers))

    assert found(idle)["hits"] == Verdict.NOT_EXERCISED
    assert [check.verdict for check in checks({"none": run("none", cached=1)})] == [Verdict.REFUTED]


@pytest.mark.parametrize(
    ("control", "verdict"),
    [
        (replace(run("control-miscounting"), lost="it ended", leak=True), Verdict.KILLED),
        (replace(run("control-miscounting"), lost="it ended"), Verdict.UNDECIDED),
        (run("control-miscounting"), Verdict.SURVIVED),
        (run("control-wrong-slot", tokens=(5, 7)), Verdict.KILLED),
        (run("control-wrong-slot", log_probabilities=(-0.5, -0.2)), Verdict.KILLED),
        (run("control-wrong-slot", count=2), Verdict.SURVIVED),
        (replace(run("control-wrong-slot"), lost="it ended"), Verdict.UNDECIDED),
    ],
)
def test_a_control_has_a_verdict(control: LiveRun, verdict: Verdict) -> None:
    assert control_check(control, {"none": run("none"), "classic": run("classic")}).verdict == verdict


def test_statuses_follow_from_verdicts() -> None:
    actual = {verdict: Check("radixcheck", 1, "a check", verdict, "").status for verdict in Verdict}

    assert {verdict for verdict, status in actual.items() if status == 0} == {Verdict.TESTED, Verdict.KILLED}
    assert {verdict for verdict, status in actual.items() if status == 1} == {Verdict.REFUTED, Verdict.SURVIVED}


def test_the_workload_is_the_same_for_the_same_answers_and_ends() -> None:
    drawn = []
    for _ in range(2):
        talks, prompts = Conversations(Load(30, 4, 100)), []
        while batch := talks.round():
            prompts += batch
            talks.answered([[5, 6]] * len(batch))
        drawn.append(prompts)

    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 30
    assert max(map(len, drawn[0])) < 400


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--python", "absent/python"), "there is no interpreter 'absent/python'"),
        (("--python", "python3", "--engine", "orca"), "--engine orca: no engine of this name"),
        (("--python", "python3", "--backends", "classic,redis"), "no backend is named 'redis'"),
        (("--python", "python3", "--backends", "classic"), "name two different ones at least"),
        (("--python", "python3", "--page-size", "7"), "is not made of whole pages of 7"),
        (("--python", "python3", "--pool", "64"), "--pool 64 is too small"),
        (("--python", "python3", "--model", "absent"), "--model absent: there is no config.json"),
        (("--python", "python3", "--calls", "--latency"), "give one of --calls and --latency"),
        (("--python", "python3", "--latency", "--store", f"{__file__}/below.json"), "below.json: cannot be written (File exists)"),
    ],
)
def test_wrong_use_of_live_gets_one_sentence(command: Command, arguments: tuple[str, ...], names: str) -> None:
    assert names in command("live", *arguments).complaint


@pytest.mark.live
@pytest.mark.slow
def test_caches_agree_inside_sglang_and_the_controls_are_caught(command: Command) -> None:
    """Six engines, one after another: some minutes."""
    ran = command(
        "live", "--python", os.environ["RADIXCHECK_LIVE"], "--requests", 60, "--batch", 4, "--pool", 2_560, "--page-size", 1, "--json"
    )

    assert ran.status == 0, ran.json["checks"]
    assert ran.json["verdicts"]["KILLED"] == 2
