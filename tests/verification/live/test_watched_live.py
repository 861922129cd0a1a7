"""`radixcheck live --watch` and `--watch-cost`: what the watches of engines found and cost. Marked live: the real ones."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from commands import Command, Ran
from fake_engine import live_interpreter, model_folder
from fast_tier import slow_unless

from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.live.live_results import LiveRun
from radixcheck.verification.live.watch_checks import WATCH, caught, watch_check
from radixcheck.verification.live.watch_cost_results import WatchCostOutcome, Watching
from radixcheck.verification.report import watch_cost_view
from radixcheck.verification.runs.live_job import LiveRequest, live
from radixcheck.verification.runs.watch_cost_job import CACHES, WatchCostRequest, measure_watch

SMALL = ("--requests", 24, "--batch", 3, "--pool", 3_072, "--page-size", 16, "--backends", "classic,radixcheck")
PLAIN = Watching("classic", 16, None, 100.0, 0, 0.0, 0, 0, 0, {})
SEEN = Watching("classic", 16, 50.0, 340.0, 1_000, 40.0, 500, 2_000, 80, {})


def served(command: Command, folder: Path, *arguments: object, fault: str = "") -> Ran:
    python, model = live_interpreter(folder, {"radixcheck": fault} if fault else None), model_folder(folder / "model")
    return command("live", "--python", python, "--model", model, *SMALL, "--watch", folder / "watch", *arguments, "--json")


def watches(ran: Ran) -> dict[str, str]:
    return {check["backend"]: check["verdict"] for check in ran.json["checks"] if check["check"] == WATCH}


def test_each_cache_is_watched_and_the_watch_catches_the_controls(command: Command, tmp_path: Path) -> None:
    ran = served(command, tmp_path)

    expected = {"classic": "TESTED", "radixcheck": "TESTED", "control-miscounting": "KILLED", "control-wrong-slot": "KILLED"}
    assert watches(ran) == expected
    assert ran.status == 0
    (text,) = (check["text"] for check in ran.json["checks"] if (check["backend"], check["check"]) == ("classic", WATCH))
    assert text.startswith("25 calls, 0 findings beside 1 TIME_MONO accepted departures; 40.0 us a call (budget 50)")


@pytest.mark.parametrize(
    ("fault", "verdict", "status"),
    slow_unless(lambda fault, verdict, status: fault == "unwatched", [("order", "REFUTED", 1), ("unwatched", "UNDECIDED", 3)]),
)
def test_what_a_watch_finds_refutes_and_a_watch_that_is_missing_decides_nothing(
    command: Command, tmp_path: Path, fault: str, verdict: str, status: int
) -> None:
    ran = served(command, tmp_path, "--no-controls", fault=fault)

    assert watches(ran) == {"classic": "TESTED", "radixcheck": verdict}
    assert ran.status == status


def test_a_control_in_which_a_watch_finds_nothing_has_survived(tmp_path: Path) -> None:
    check = watch_check(LiveRun("classic", 16, ()), tmp_path / "missing")

    assert check.verdict == Verdict.UNDECIDED
    assert caught(replace(check, verdict=Verdict.TESTED)).verdict == Verdict.SURVIVED
    assert caught(check).verdict == Verdict.UNDECIDED


def test_a_folder_that_exists_is_refused(command: Command, tmp_path: Path) -> None:
    (tmp_path / "watch").mkdir()

    assert "exists already" in served(command, tmp_path).complaint


def outcome(*costs: Watching, growth: tuple[Watching, ...] = ()) -> WatchCostOutcome:
    return WatchCostOutcome("SGLang 0", "python", {"requests": 10}, costs, growth)


def test_costs_are_medians_beside_those_without_a_watch() -> None:
    again = [replace(SEEN, us_per_call=us, us_per_request=100 + us) for us in (30.0, 50.0, 40.0)]
    grown = tuple(replace(SEEN, aimed=nodes, us_per_call=us) for nodes, us in ((1_000, 40.0), (100_000, 44.0)))
    found = outcome(PLAIN, *again, growth=grown)

    row = found.rows()[1]
    assert (row["us_per_request"], row["added"], row["us_per_call"], row["least"], row["greatest"]) == (140.0, 40.0, 40.0, 30.0, 50.0)
    assert (row["skipped_per_call"], row["window_per_call"]) == (0.5, 2.0)
    assert [(each["nodes"], each["of_smallest"]) for each in found.grown()] == [(1_000, 1.0), (100_000, 1.1)]
    assert found.status == Status.HOLDS
    assert watch_cost_view.watch_cost(found)


def test_a_finding_refutes_and_a_watch_without_calls_decides_nothing() -> None:
    assert outcome(PLAIN, replace(SEEN, found={"ORDER": 1})).status == Status.REFUTED
    assert outcome(PLAIN, replace(SEEN, calls=0)).status == Status.UNDECIDED
    assert outcome(PLAIN).status == Status.UNDECIDED


def test_costs_of_a_python_without_sglang_get_one_sentence(command: Command) -> None:
    assert "cannot run the caches" in command("live", "--watch-cost", "--python", "python3").err


@pytest.mark.live
def test_the_cost_of_a_watch_is_measured() -> None:
    wanted = WatchCostRequest(os.environ["RADIXCHECK_LIVE"], (16,), requests=60, pool=6_400, budgets=(50.0,), nodes=(100, 400), repeat=1)
    found = measure_watch(wanted)

    assert found.holds, found.to_json()
    assert {(row["cache"], row["budget"]) for row in found.rows()} == {(name, budget) for name in CACHES for budget in (None, 50.0)}
    assert [each.nodes >= each.aimed for each in found.growth] == [True] * 6


@pytest.mark.live
def test_the_watch_of_a_live_engine_finds_nothing_in_its_caches_and_catches_the_controls(tmp_path: Path) -> None:
    request = LiveRequest(
        os.environ["RADIXCHECK_LIVE"], page_sizes=(16,), requests=64, backends=("classic", "python", "radixcheck"), watch=tmp_path / "watch"
    )
    found = live(request)

    assert found.holds, found.to_json()["checks"]
    assert {check.backend: check.verdict for check in found.checks if check.check == WATCH} == {
        **dict.fromkeys(("classic", "python", "radixcheck"), Verdict.TESTED),
        **dict.fromkeys(("control-miscounting", "control-wrong-slot"), Verdict.KILLED),
    }
