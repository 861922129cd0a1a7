"""Short checked runs of the two caches in this process: what any change of their code has to get past, however small it is."""

import pytest
from fast_tier import slow_unless

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.core.found import Config
from radixcheck.verification.mutants.mutant import TIERS
from radixcheck.verification.probes.all_probes import POOL_PAGES, all_probed
from radixcheck.verification.protocol import MODES
from radixcheck.verification.search.run import random_run
from radixcheck.verification.subjects.registry import resolve

SEEDS = 3
STEPS = 60


@pytest.mark.parametrize("page_size", [1, 2])
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("subject", ["reference", "optimized"])
def test_no_run_finds_anything(subject: str, policy: str, page_size: int) -> None:
    steps, found = 0, dict[str, str]()
    for seed in range(SEEDS):
        config = Config(policy, page_size, page_size * (5, 8, 14)[seed % 3])
        result = random_run(resolve(subject), config, seed, STEPS, stride=1, misused=True, replicated=1)
        found |= {id_: f"{each.violation.text}: {each.trace}" for id_, each in result.found.items()}
        steps += result.steps

    assert found == {}
    assert steps > SEEDS * STEPS / 2


@pytest.mark.parametrize("page_size", [1, 2])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("subject", slow_unless(lambda subject: subject == "optimized-host", ["reference-host", "optimized-host"]))
def test_no_run_with_a_host_tier_finds_anything(subject: str, mode: str, page_size: int) -> None:
    steps, found = 0, dict[str, str]()
    for seed, policy in enumerate(POLICIES):
        pages, host_pages = TIERS[seed % len(TIERS)]
        config = Config(policy, page_size, page_size * pages, host_pool=page_size * host_pages, mode=mode)
        result = random_run(resolve(subject), config, seed, 2 * STEPS, stride=1, misused=True, replicated=1)
        found |= {id_: f"{each.violation.text}: {each.trace}" for id_, each in result.found.items()}
        steps += result.steps

    assert found == {}
    assert steps > len(POLICIES) * STEPS


@pytest.mark.parametrize("subject", ["reference", "optimized"])
def test_memory_depth_and_cost_are_bounded(subject: str) -> None:
    result = all_probed(resolve(subject), Config("lru", 2, 2 * POOL_PAGES))
    assert result.found == {}
    assert result.tally.checked["MEM_BOUND"] > 0
