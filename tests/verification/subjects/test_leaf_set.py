"""The set of leaves of sglang#14339, and what evictions of the historical caches cost."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from fast_tier import slow_unless

from radixcheck.verification.bench.bench_data import CACHES, HISTORICAL, Job
from radixcheck.verification.bench.bench_results import Measurement, Results
from radixcheck.verification.bench.driver import Driver, Unsupported
from radixcheck.verification.bench.drivers.historical_driver import Base, LeafSet, Nodes, Pairs
from radixcheck.verification.bench.scenarios.cache_scenarios import decode
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config
from radixcheck.verification.protocol import Setup
from radixcheck.verification.report.bench_view import claim
from radixcheck.verification.review_6907.cost_claims import CLAIMS, decided
from radixcheck.verification.search.run import random_run
from radixcheck.verification.subjects.historical import leaf_set_subject
from radixcheck.verification.subjects.historical.base import Node
from radixcheck.verification.subjects.historical.historical_subject import HistoricalCache, historical_cache
from radixcheck.verification.subjects.historical.submitted import LeafSetTree

CONFIGS = tuple(Config("lru", size, size * pages) for size in (1, 2) for pages in (6, 16))
ARGUMENTS: dict[str, Any] = {"leaves": 40, "page_size": 1, "pool": "stub", "victims": 3, "steps": 31, "seconds": 60}


def runs(factory: Callable[[Setup], HistoricalCache]) -> RunResult:
    """A few hundred operations under each configuration."""
    result = RunResult()
    for config in CONFIGS:
        for seed in range(8):
            result.merge(random_run(factory, config, seed))
    return result


def test_the_set_is_exact_at_all_times() -> None:
    """L1. What `base` does wrong, it does wrong too (L5)."""
    result = runs(leaf_set_subject)
    assert set(result.found) == {"RECENCY"}
    assert result.tally.checked["LEAFSET"] > 1_000


def test_a_set_that_a_lock_leaves_alone_is_seen() -> None:
    class Forgetful(LeafSetTree):
        def inc_lock_ref(self, node: Node) -> None:
            leaves = set(self.leaves)
            super().inc_lock_ref(node)
            self.leaves = leaves

    assert "LEAFSET" in runs(partial(historical_cache, Forgetful)).found


@pytest.mark.parametrize("driver", [Base, Pairs, Nodes, LeafSet])
@pytest.mark.parametrize("page_size", slow_unless(lambda page_size: page_size == 16, [1, 16]))
def test_each_historical_cache_does_the_work_of_decoding(driver: type[Driver], page_size: int) -> None:
    def make(page_size: int, capacity: int, pool: str) -> Driver:
        return driver(driver.stub(capacity, page_size))

    assert decode(make, **(ARGUMENTS | {"page_size": page_size}))["steps"] == 31
    with pytest.raises(Unsupported):
        driver.real(64, 1)


def test_historical_caches_are_no_peers() -> None:
    assert not any(CACHES[name].is_peer for name in HISTORICAL)
    assert CACHES["sglang-rust"].is_peer


def measured(**evict: float) -> Results:
    """One job, with these times of an eviction."""
    names = {"base": "base", "submitted": "as-submitted:pairs", "leaf_set": "leaf-set", "ours": "optimized"}
    job = Job("decode", "decode: x", {"leaves": 1_000, "page_size": 16, "victims": 2})
    measurements = [Measurement(names[name], 0, job.name, {"evict p50": time}, 0.1) for name, time in evict.items()]
    return Results([CACHES[names[name]] for name in evict], [job], {}, measurements=measurements)


def test_a_claim_is_measured_where_both_costs_were() -> None:
    found = {one.claim.id: one for one in decided(measured(base=200.0, submitted=8.0, leaf_set=90.0))}
    assert {id_: one.verdict for id_, one in found.items()} == dict.fromkeys(("EVICT-GAIN", "HEAPIFY-LEFT", "SET-GAIN"), "MEASURED")
    assert found["EVICT-GAIN"].text == "2 of 1,000 leaves, pages of 16: 200 against 8.0 us (25.0x)"


def test_a_claim_that_is_measured_otherwise_is_refuted_and_costs_that_lie_close_decide_nothing() -> None:
    (found,), (close,) = decided(measured(base=7.0, submitted=9.0)), decided(measured(base=7.0, submitted=8.0))
    assert (found.claim.id, found.verdict, close.verdict) == ("EVICT-GAIN", "REFUTED", "NOT MEASURED")
    assert "REFUTED" in str(claim(found))
    assert found.to_json()["verdict"] == "REFUTED"


def test_a_claim_of_which_nothing_was_measured_is_not_decided() -> None:
    assert CLAIMS["FLATTEN-GAIN"].decide(measured(base=7.0)).verdict == "NOT MEASURED"
    assert decided(measured(base=7.0)) == ()
