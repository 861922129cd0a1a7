"""A heap of host leaves under the checker: a right one raises no alarm, and each push that is left out is found, as is a wrong count."""

from collections import Counter
from functools import partial
from itertools import product

import pytest
from heaped_host import FAULTS, heaped
from host_draw import Run

from radixcheck.spec.policies import POLICIES
from radixcheck.verification.core.catalogue import OF_HOST_HEAP
from radixcheck.verification.core.found import Config
from radixcheck.verification.protocol import MODES
from radixcheck.verification.subjects.reference_host_subject import reference_host_subject

CONFIGS = [Config(policy, size, 3 * size, host_pool=6 * size, mode=mode) for policy, mode, size in product(POLICIES, MODES, (1, 2))]


def test_a_right_heap_of_host_leaves_raises_no_alarm_and_is_looked_at() -> None:
    checked, exercised = Counter[str](), Counter[str]()
    for seed, config in enumerate(CONFIGS):
        run = Run(heaped, config, seed).steps(120)
        assert run.found == [], (config, run.found, [str(op) for op in run.trace])
        checked += run.checker.tally.checked
        exercised += run.checker.tally.exercised
    assert all(checked[id_] == checked["REACHABLE"] for id_ in OF_HOST_HEAP)
    assert all(exercised[id_] > 500 for id_ in ("HOST_HEAP_FULL", "LEAFSET", "HEAP_BOUND", "HEAP_ORDER"))
    assert exercised["HOST_HEAP_STALE"] > 0
    assert not checked["HEAP_FULL"]  # it shows no heap of device leaves


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_heap_of_host_leaves_is_found(fault: str) -> None:
    configs = [config for config in CONFIGS if config.policy == "mru"] if fault == "touch" else CONFIGS
    for seed, config in enumerate(configs * 4):
        run = Run(partial(heaped, fault=fault), config, seed).steps(150)
        if run.found:
            assert {violation.property for violation in run.found} == {FAULTS[fault]}, (config, run.found)
            return
    raise AssertionError("nothing was found")


def test_a_cache_that_shows_no_heap_is_not_judged_by_it() -> None:
    run = Run(reference_host_subject, CONFIGS[0], 0).steps(60)
    assert run.checker.tally.checked["REACHABLE"] > 50
    assert not any(run.checker.tally.checked[id_] for id_ in (*OF_HOST_HEAP, "HEAP_FULL", "HEAP_BOUND", "LEAFSET"))
