"""The rows of the benchmark in which KV moves: what is counted is exact, and a store that does not move it is not measured."""

from typing import Any

import pytest
from late_copies import Failing
from torch import Tensor

from radixcheck.optimized.kv_store import KVBuffers
from radixcheck.verification.bench import plan
from radixcheck.verification.bench.bench_data import SCENARIOS
from radixcheck.verification.bench.driver import CheckFailed
from radixcheck.verification.bench.drivers.optimized_driver import Optimized
from radixcheck.verification.bench.scenarios.kv_scenario import kv


def ran(**changed: Any) -> dict[str, float]:
    """The figures of a small run."""
    small = {"page_size": 2, "layers": 2, "prompts": 3, "tokens": 8, "fragmented": False, "steps": 1, "batch": 2, "context": 4}
    return kv(lambda page_size, capacity, _: Optimized(Optimized.stub(capacity, page_size)), **small | changed)


@pytest.mark.parametrize("page_size", [1, 4])
@pytest.mark.parametrize("fragmented", [False, True])
def test_kv_moves_and_every_column_has_a_figure(page_size: int, fragmented: bool) -> None:
    figures = ran(page_size=page_size, fragmented=fragmented)

    assert set(SCENARIOS["kv"].columns) == set(figures)
    assert all(figures[name] > 0 for name in figures if name != "cuda")
    assert figures["share %"] < 100


def test_three_prompts_take_four_launches_each_way_and_more_where_the_host_is_fragmented() -> None:
    """The join of their slots, the rows of all layers, the gather, the transfer."""
    whole, parts = ran(), ran(fragmented=True, tokens=80)

    assert (whole["backup launches"], whole["load launches"]) == (4, 4)
    assert 50 < parts["backup launches"] <= 3 + 120
    assert 50 < parts["load launches"] <= 3 + 120


class Idle(KVBuffers):
    """A store whose loads move nothing."""

    def load(self, host_slots: Tensor, device_slots: Tensor) -> None:
        """Do nothing."""


class Broken(Failing):
    """A store that cannot load."""

    error, numbers = RuntimeError("planted"), range(1, 99, 2)


@pytest.mark.parametrize(("store", "sentence"), [(Idle, "a slot holds other KV than before"), (Broken, "a copy has failed")])
def test_a_store_that_does_not_move_kv_is_not_measured(store: type[KVBuffers], sentence: str) -> None:
    with pytest.raises(CheckFailed, match=sentence):
        ran(store=store)


def test_each_size_is_run_on_a_contiguous_and_on_a_fragmented_host() -> None:
    for quick, sizes in ((True, plan.QUICK), (False, plan.FULL)):
        jobs = plan.planned(quick, ["kv"], None)
        assert [job.arguments["fragmented"] for job in jobs] == [False, True] * len(sizes.kv)
        assert len({job.name for job in jobs}) == len(jobs)
