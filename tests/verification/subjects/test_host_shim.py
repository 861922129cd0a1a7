"""The engine above a tree with a host tier: right over a right tree, and each of its rules is missed where it is broken."""

import pytest
from toy_host_tree import black, forgets, hopeful, locks_anything, never_loads, never_waits, white

from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.protocol import MODES
from radixcheck.verification.search.run import random_run

POLICIES = ("lru", "fifo", "mru")


def found(factory: Factory, runs: int) -> RunResult:
    """Some random runs over all modes."""
    result = RunResult()
    for k in range(runs):
        size = (1, 2)[k % 2]
        config = Config(POLICIES[k % 3], size, 8 * size, "cpu", (3, 8)[k // 3 % 2] * size, MODES[k // 2 % 3])
        result.merge(random_run(factory, config, k, misused=k % 4 == 0))
    return result


@pytest.mark.parametrize("toy", [white, black], ids=["white", "black"])
def test_a_right_tree_with_a_host_tier_behind_its_engine_is_right(toy: Factory) -> None:
    result = found(toy, 36)

    assert result.found == {}
    assert result.steps > 3_000
    assert {"start", "run", "load_back", "backup", "evict_host", "poll", "complete", "lock", "reset"} <= set(result.fired)


WRONG = {
    "ARRIVED_BEFORE_READ": never_waits,
    "REFINEMENT": hopeful,
    "MATCH_FRESH": locks_anything,
    "MISUSE": forgets,
    "LOAD_EXACT": never_loads,
}


@pytest.mark.parametrize("property_", sorted(WRONG))
def test_a_fault_of_an_engine_above_a_host_tier_is_seen(property_: str) -> None:
    assert property_ in found(WRONG[property_], 36).found
