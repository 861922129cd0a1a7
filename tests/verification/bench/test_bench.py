"""The benchmark measures completed work, reports what it could not measure, and computes the right figures. No time is asserted."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from commands import Command
from fast_tier import slow_unless
from places import ROOT
from slack_cache import Forgetful, Leaking, Miscounting, Stale, Substituting, Unwilling

from radixcheck.verification.bench import plan, plot
from radixcheck.verification.bench.bench_data import CACHES, SCENARIOS, Cache, Job
from radixcheck.verification.bench.bench_results import Figure, Measurement, Ratios, Results, ratios
from radixcheck.verification.bench.driver import CheckFailed, Driver
from radixcheck.verification.bench.drivers.floor_driver import Floor
from radixcheck.verification.bench.drivers.optimized_driver import Optimized
from radixcheck.verification.bench.measure import measure
from radixcheck.verification.bench.scenarios.cache_scenarios import admit, decode, deep, memory, queue
from radixcheck.verification.bench.scenarios.events_scenario import events
from radixcheck.verification.bench.scenarios.our_scenarios import batch, device
from radixcheck.verification.bench.scenarios.trace_scenario import trace
from radixcheck.verification.core.installing import install_command
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.report import bench_view, console
from radixcheck.verification.runs.evidence_results import BenchOutcome
from radixcheck.verification.trace_replay import sample

SLACK = ROOT / "tests" / "subjects" / "slack_cache.py"
WORKER = ROOT / "verification" / "bench" / "worker.py"
TRACE: dict[str, Any] = {"path": str(sample.FILE), "block": 16, "blocks": 400, "page_size": 16, "requests": 80, "running": 8, "seconds": 60}
SMALL: dict[str, dict[str, Any]] = {
    "decode": {"leaves": 40, "page_size": 16, "pool": "stub", "victims": 3, "steps": 31, "seconds": 60},
    "admit": {"groups": 2, "per_group": 3, "page_size": 16},
    "trace": TRACE,
    **{"deep": {"nodes": 5, "steps": 4}, "memory": {"leaves": 50}, "batch": {"requests": 5, "tokens": 7, "steps": 2}},
    "device": {"leaves": 4, "page_size": 16, "steps": 3},
    "queue": {"requests": 130, "rounds": 4, "page_size": 16},
    "events": {"pages": 3, "page_size": 16, "leaves": 4, "rounds": 1},
}
SCENARIO_RUNS: dict[str, Any] = {run.__name__: run for run in (admit, batch, decode, deep, device, events, memory, queue, trace)}
JOBS = [Job(name, name, SMALL[name]) for name in ("admit", "deep")]


def ran(scenario: str, driver: type[Driver], **changed: Any) -> dict[str, float]:
    """The figures of a scenario with small arguments, made and run as the worker does."""

    def make(page_size: int, capacity: int, pool: str) -> Driver:
        return driver((driver.stub if pool == "stub" else driver.real)(capacity, page_size))

    figures: dict[str, float] = SCENARIO_RUNS[scenario](make, **SMALL[scenario] | changed)
    return figures


def quiet(share: float, what: str) -> None:
    """No progress."""


def slack(name: str) -> Cache:
    """A driver that a check must reject."""
    return Cache(name, f"{SLACK}:{name}", "")


@pytest.mark.parametrize("before", [0, 2, 4, 8])
def test_our_driver_leaves_the_slots_of_the_tree_in_a_row_after_others_inserted_the_same_tokens(before: int) -> None:
    driver = Optimized(Optimized.real(64, 2))
    tokens = driver.prep(list(range(8)))
    nothing = driver.match(tokens)[1]
    row = driver.alloc(8)
    driver.insert(driver.prep(list(range(before))), driver.alloc(before), 0)

    driver.checkpoint(tokens, row, 0, driver.lock(nothing))

    assert row.tolist() == driver.indices(driver.match(tokens)[1], 8).tolist()
    assert (driver.sizes(), driver.available()) == ((0, 8), 56)


@pytest.mark.parametrize(
    ("scenario", "driver"),
    slow_unless(
        lambda scenario, driver: scenario == "admit" or (driver is Optimized and scenario in ("decode", "trace")),
        product(SMALL, (Optimized, Floor)),
    ),
)
def test_a_cache_that_does_the_work_passes_each_scenario(scenario: str, driver: type[Driver]) -> None:
    assert set(SCENARIOS[scenario].columns) <= set(ran(scenario, driver))


@pytest.mark.parametrize("page_size", [1, 64])
@pytest.mark.parametrize("driver", [Optimized, Floor])
def test_steps_also_run_on_a_real_pool(driver: type[Driver], page_size: int) -> None:
    assert ran("decode", driver, pool="real", page_size=page_size)["steps"] == 31


def test_both_caches_find_the_same_share_of_a_trace() -> None:
    ours, floor = ran("trace", Optimized), ran("trace", Floor)
    assert ours["hit %"] == floor["hit %"] > 50
    assert ours["evictions"] > 5
    assert ours["requests"] == 80


@pytest.mark.parametrize(
    ("driver", "scenario", "words"),
    [
        (Forgetful, "decode", "slots are free after the pool was filled"),
        (Unwilling, "decode", "evictable and protected tokens are"),
        (Forgetful, "admit", "tokens of request 2 were found"),
        (Substituting, "admit", "the slots of request"),
        (Miscounting, "deep", "while all of"),
        (Forgetful, "deep", "present"),
        (Forgetful, "memory", "evictable and protected tokens are"),
        (Forgetful, "trace", "prompts are not completely cached"),
        (Leaking, "trace", "tokens were lost"),
        (Stale, "queue", "are not those of a walk from the root"),
        (Forgetful, "queue", "slots are free after the pool was filled"),
    ],
)
def test_a_cache_that_skips_work_is_not_measured(driver: type[Driver], scenario: str, words: str) -> None:
    with pytest.raises(CheckFailed, match=words):
        ran(scenario, driver)


def test_a_failed_check_and_a_lost_process_are_reported_and_the_rest_is_measured() -> None:
    results = measure([slack("Dying"), slack("Miscounting")], JOBS, 1, sys.executable, quiet)

    assert [(one.cache, one.job) for one in results.troubles] == [("Dying", "admit"), ("Miscounting", "deep")]
    assert "ended with status 7" in results.troubles[0].sentence
    assert [(one.cache, one.job) for one in results.measurements] == [("Miscounting", "admit")]
    assert results.status == 3


def test_a_worker_that_hangs_is_reported() -> None:
    results = measure([slack("Hanging")], JOBS, 1, sys.executable, quiet, job_seconds=0.5)
    assert ([one.job for one in results.troubles], results.status) == (["admit"], 3)
    assert "no answer" in results.troubles[0].sentence


def test_the_command_ends_with_3_where_a_cache_skips_work(command: Command) -> None:
    ran = command("bench", "--quick", "--scenario", "deep", "--cache", f"{SLACK}:Forgetful")
    assert ran.status == 3
    assert "present" in ran.out
    assert "incomplete" in ran.out


def test_the_json_has_every_measurement_and_names_what_is_missing(command: Command) -> None:
    chosen = ("--cache", "floor", "--cache", "sglang-rust")
    ran = command("bench", "--quick", "--scenario", "deep", *chosen, "--repeat", 2, "--json")
    answer = ran.json

    assert ran.status == answer["status"] == 0
    assert "pip install sglang" in answer["missing"]["sglang-rust"]
    assert {"python", "torch", "machine", "cores", "date", "clock", "repetitions", "load before", "load after"} <= set(answer["about"])
    jobs = [job["job"] for job in answer["jobs"]]
    assert len(jobs) == len(plan.QUICK.chains)
    expected = [(r, "floor", job) for r in range(2) for job in jobs]
    assert [(one["repetition"], one["cache"], one["job"]) for one in answer["measurements"]] == expected
    for job in answer["jobs"]:
        for cache, figures in job["figures"].items():
            values = [one["figures"] for one in answer["measurements"] if (one["cache"], one["job"]) == (cache, job["job"])]
            assert figures["lock p50"]["median"] == pytest.approx(sum(one["lock p50"] for one in values) / 2)
        assert job["ratios"]["lock p50"]["floor"] == {"best_peer": None, "default": None, "floor": 1}


def test_medians_and_spread() -> None:
    assert [Figure.of(each) for each in ([3.0, 1.0, 2.0], [4.0, 2.0], [0, 0])] == [Figure(2.0, 3.0), Figure(3.0, 2.0), Figure(0, 1.0)]


def test_ratios_compare_with_the_best_peer_only() -> None:
    actual = ratios({"optimized": 4.0, "floor": 2.0, "sglang-rust": 10.0, "vllm": 8.0, "mine": 1.0}, ["sglang-rust", "vllm"])
    assert actual["optimized"] == Ratios(0.5, 0.4, 2.0)
    assert actual["vllm"] == Ratios(1.0, 0.8, 4.0)
    assert ratios({"optimized": 4.0}, ["vllm"]) == {"optimized": Ratios(None, None, None)}


def test_nothing_measured_is_not_success() -> None:
    assert Results([], [], {}).status == 3


def given() -> Results:
    """Two repetitions of two sizes, with known figures."""
    jobs = plan.planned(True, ["decode"], None)
    about = {"repetitions": 2, "machine": "", "cores": 1, "clock": "", "date": "", "load before": 0.0, "load after": 0.0, "seconds": 0.0}
    measurements = [
        Measurement(cache, repetition, job.name, dict.fromkeys(SCENARIOS["decode"].columns, cost * (repetition + 1)), 0.1)
        for repetition in (0, 1)
        for job in jobs
        for cache, cost in (("optimized", 2.0), ("sglang-rust", 8.0))
    ]
    return Results([CACHES["optimized"], CACHES["sglang-rust"]], jobs, about, measurements=measurements)


def test_the_plot_shows_the_measurements_with_pages_of_one_token() -> None:
    costs = {"optimized": 3.0, "sglang-rust": 12.0}
    assert plot.points(given()) == {cache: [(n, us) for n in (100, 1_000, 10_000)] for cache, us in costs.items()}


def test_a_plot_is_written_twice_or_names_what_it_needs(tmp_path: Path) -> None:
    if find_spec("matplotlib") is None:
        with pytest.raises(UsageError, match=re.escape(install_command("plot"))):
            plot.folder(tmp_path / "new")
    else:
        written = plot.draw(given(), plot.folder(tmp_path / "new"))

        assert [path.suffix for path in written] == [".png", ".svg"]
        assert written[0].read_bytes().startswith(b"\x89PNG")
        assert "optimized" in written[1].read_text()


def test_a_table_shows_medians_spread_and_ratios(capsys: pytest.CaptureFixture[str]) -> None:
    results = given()
    console.show(bench_view.bench(BenchOutcome(replace(results, about={**results.about, "quick": True}), ())))
    out = capsys.readouterr().out

    row = next(line for line in out.splitlines() if line.startswith("optimized"))
    assert row.split()[:7] == ["optimized", "3", "2.00", "0.25", "/", "0.25", "/"]
    assert "figures may be far off" in out


def test_what_was_not_measured_is_listed_once(capsys: pytest.CaptureFixture[str]) -> None:
    jobs = plan.planned(True, ["decode", "deep"], None)
    evictions_only = {job.name: "evictions only" for job in jobs if job.scenario == "deep"}
    unsupported = {"base": evictions_only, "leaf-set": {**evictions_only, jobs[-3].name: "no pool"}}

    console.show(bench_view.bench(BenchOutcome(replace(given(), jobs=jobs, unsupported=unsupported), ())))
    out = " ".join(capsys.readouterr().out.split())

    assert f"not measured: base, leaf-set: evictions only: deep not measured: leaf-set: no pool: {jobs[-3].name}" in out
    assert out.count("not measured") == 2


def test_a_table_has_the_columns_that_at_least_one_cache_has() -> None:
    scenario = SCENARIOS["admit"]
    ours, vllm = dict.fromkeys(scenario.columns, 1.0), {"total p50": 1.0, "total with hash p50": 2.0}

    assert scenario.shown([ours]) == list(scenario.columns)
    assert scenario.shown([ours, vllm]) == [*scenario.columns, "total with hash p50"]
    assert scenario.shown([vllm]) == ["total p50", "total with hash p50"]


def test_a_worker_needs_only_the_files_of_the_project(tmp_path: Path) -> None:
    """It imports the project from its own checkout, with no folder of it on the path. Without site-packages it reports missing torch."""
    program = (
        f"import runpy, sys; worker = runpy.run_path({str(WORKER)!r}); worker['place_package']()\n"
        "import radixcheck.verification.bench.plan, radixcheck.spec.values\n"
        f"print([path for path in sys.path if path.startswith({str(ROOT)!r}) and 'site-packages' not in path])\n"
        "print(radixcheck.spec.values.__file__)"
    )

    ran = subprocess.run([sys.executable, "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    bare = subprocess.run([sys.executable, "-I", "-S", str(WORKER)], input='{"do": "make"}\n', capture_output=True, text=True, check=False)

    assert ran.stdout.splitlines()[1:] == [str(ROOT / "spec" / "values.py")], ran.stderr
    assert "cannot import torch" in json.loads(bare.stdout)["missing"]
