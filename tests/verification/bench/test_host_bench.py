"""The rows of caches with a host tier measure completed work, and a driver that saves itself some is found. No time is asserted."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest
from fast_tier import slow_unless
from places import ROOT
from slack_host_cache import Backward, Deaf, Deleting, HostLeaking, Promising, Shallow, Uncopied, Unloading

from radixcheck.verification.bench import plan
from radixcheck.verification.bench.bench_data import CACHES, SCENARIOS, Cache, Job
from radixcheck.verification.bench.driver import CheckFailed
from radixcheck.verification.bench.drivers.host_floor_driver import HostFloor
from radixcheck.verification.bench.drivers.optimized_host_driver import HostOptimized
from radixcheck.verification.bench.host_driver import HostDriver
from radixcheck.verification.bench.measure import measure
from radixcheck.verification.bench.scenarios.host_scenarios import growth, host
from radixcheck.verification.bench.scenarios.tiers_scenario import capacities_for, tiers
from radixcheck.verification.trace_replay import sample

SLACK = ROOT / "tests" / "subjects" / "slack_host_cache.py"
SMALL: dict[str, dict[str, Any]] = {
    "host": {"leaves": 12, "page_size": 16, "pool": "stub", "at_once": 3, "steps": 31, "seconds": 60},
    "growth": {"sizes": (20, 40), "device": 8, "page_size": 16, "steps": 31, "seconds": 60},
    "tiers": {"path": "", "block": 16, "page_size": 16, "requests": 150, "running": 2, "seconds": 60},
}
SCENARIO_RUNS: dict[str, Any] = {run.__name__: run for run in (growth, host, tiers)}
JOBS = [Job(name, name, arguments) for name, arguments in SMALL.items()]
OURS = [HostOptimized, HostFloor]
PEERS_PYTHON = os.environ.get("RADIXCHECK_PEERS", "")  # the interpreter of an environment that has them


def ran(scenario: str, driver: type[HostDriver], **changed: Any) -> dict[str, float]:
    """The figures of a scenario with small arguments, made and run as the worker does."""

    def make(page_size: int, device: int, host: int, pool: str) -> HostDriver:
        return driver.over(pool, page_size, device, host)

    figures: dict[str, float] = SCENARIO_RUNS[scenario](make, **SMALL[scenario] | changed)
    return figures


def quiet(share: float, what: str) -> None:
    """No progress."""


def started(driver: type[HostDriver]) -> HostDriver:
    """A cache with 4 pages of 2 on the device and 8 on the host, of which one prompt of 4 tokens takes two, on the host alone."""
    cache = driver.over("real", 2, 8, 16)
    cache.insert(cache.prep([1, 2, 3, 4]), cache.alloc(4), 0)
    cache.flush()
    cache.poll()
    cache.evict(4)
    return cache


@pytest.mark.parametrize("driver", OURS)
@pytest.mark.parametrize("scenario", SMALL)
def test_a_cache_that_does_the_work_passes_each_scenario_of_two_tiers(scenario: str, driver: type[HostDriver]) -> None:
    assert set(SCENARIOS[scenario].columns) <= set(ran(scenario, driver))


@pytest.mark.parametrize("page_size", [1, 64])
@pytest.mark.parametrize("driver", OURS)
def test_operations_between_tiers_also_run_on_real_pools(driver: type[HostDriver], page_size: int) -> None:
    assert ran("host", driver, pool="real", page_size=page_size)["steps"] == 31


def test_both_caches_find_the_same_on_each_tier() -> None:
    ours, floor = ran("tiers", HostOptimized), ran("tiers", HostFloor)
    for figure in ("device hit %", "host hit %", "loaded tokens", "backed up tokens", "requests"):
        assert ours[figure] == floor[figure] > 0, figure


def test_the_working_set_is_ten_times_the_device_and_twice_the_host() -> None:
    trace = sample.generate(150)
    prompts = len({i for one in trace for i in one.hash_ids}) * 16
    device, host = capacities_for(trace, 16, 16)
    assert 0 <= prompts - 10 * device < 10 * 16
    assert 0 <= prompts - 2 * host < 2 * 16


@pytest.mark.parametrize("driver", OURS)
def test_what_was_demoted_is_loaded_back_into_other_slots(driver: type[HostDriver]) -> None:
    cache = started(driver)
    other = cache.alloc(2)
    length, handle = cache.match(cache.prep([1, 2, 3, 4, 5, 6]))
    assert (length, cache.behind(handle), cache.available(), cache.host_available()) == (0, 4, 6, 12)

    loaded, handle = cache.load_back(handle)
    slots = cache.indices(handle, loaded)
    lock = cache.lock(handle)
    cache.flush()
    cache.poll()

    assert (loaded, cache.sizes(), cache.available()) == (4, (0, 4), 2)
    assert len({*slots.tolist(), *other.tolist()}) == 6
    assert (cache.copied.down, cache.copied.up) == (4, 4)
    cache.unlock(lock)
    assert cache.sizes() == (4, 0)


@pytest.mark.parametrize("driver", OURS)
def test_a_load_for_which_there_is_no_room_is_refused(driver: type[HostDriver]) -> None:
    cache = started(driver)
    cache.alloc(6)
    _, handle = cache.match(cache.prep([1, 2, 3, 4]))
    assert cache.load_back(handle)[0] == cache.copied.up == 0


@pytest.mark.parametrize("driver", OURS)
def test_a_prompt_that_was_computed_again_takes_the_slots_of_its_row(driver: type[HostDriver]) -> None:
    cache = started(driver)
    row = cache.alloc(6)
    assert cache.insert(cache.prep([1, 2, 3, 4, 5, 6]), row, 0) == 0

    length, handle = cache.match(cache.prep([1, 2, 3, 4, 5, 6]))

    assert (length, cache.behind(handle), cache.host_available()) == (6, 0, 10)
    assert cache.indices(handle, 6).tolist() == row.tolist()


@pytest.mark.parametrize(
    ("driver", "scenario", "words"),
    slow_unless(
        lambda driver, scenario, words: scenario != "tiers" or driver is Shallow,
        [
            (Deleting, "host", "were found on the device and behind it"),
            (Uncopied, "host", "were copied to the host and to the device"),
            (Unloading, "host", "tokens were loaded"),
            (Promising, "host", "0 tokens were freed on the device"),
            (Deaf, "host", "tokens were freed on the device"),
            (Backward, "host", "leaves at the ends of the orders are at"),
            (HostLeaking, "host", "tokens were freed on the host"),
            (Backward, "growth", "leaves at the ends of the orders are at"),
            (Deleting, "growth", "were found on the device and behind it"),
            (Uncopied, "tiers", "backed up tokens: 0"),
            (Deleting, "tiers", "and 0 were loaded"),
            (Unloading, "tiers", "and 0 were loaded"),
            (Promising, "tiers", "cached tokens there are other slots"),
            (Shallow, "tiers", "where the floor has"),
            (Backward, "tiers", "where the floor has"),
            (HostLeaking, "tiers", "after all was evicted"),
        ],
    ),
)
def test_a_cache_that_skips_work_between_tiers_is_not_measured(driver: type[HostDriver], scenario: str, words: str) -> None:
    with pytest.raises(CheckFailed, match=words):
        ran(scenario, driver)


def test_the_worker_measures_the_tiers_of_a_cache_that_has_them() -> None:
    mine = Cache("mine", f"{SLACK}:Uncopied", "")
    results = measure([CACHES["floor"], CACHES["base"], mine], JOBS, 1, sys.executable, quiet)

    assert results.unsupported == {"base": dict.fromkeys(SMALL, "no host tier")}
    assert [(one.cache, one.job) for one in results.troubles] == [("mine", name) for name in SMALL]
    assert [(one.cache, one.job) for one in results.measurements] == [("floor", name) for name in SMALL]


@pytest.mark.parametrize("quick", [True, False])
def test_each_job_of_the_tiers_has_its_own_name(quick: bool) -> None:
    names = [job.name for trace in (None, Path(sample.FILE)) for job in plan.planned(quick, SMALL, trace)]
    assert len({*names}) == len(names) - len(plan.planned(quick, ["host", "growth"], None))
    assert "tiers: sample, 600 requests, pages of 16" in names or not quick


@pytest.mark.peers
@pytest.mark.parametrize("name", ["sglang-rust", "sglang-python"])
def test_the_caches_of_sglang_do_the_work_on_two_tiers(name: str) -> None:
    real = {**SMALL["host"], "pool": "real", "page_size": 1, "at_once": 1}
    results = measure([CACHES[name]], [*JOBS, Job("host", "real", real)], 1, PEERS_PYTHON, quiet)

    assert [(one.job, one.sentence) for one in results.troubles] == []
    assert [one.job for one in results.measurements] == [*SMALL, "real"]
