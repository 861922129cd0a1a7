"""Caches with a host tier under the checker: no false positive on the two built-in ones; each planted fault breaks what it must break."""

from collections import Counter

import pytest
from fast_tier import slow_unless
from hiding import BLACK_BOX, Hiding
from host_draw import WEIGHTS, Run, configs
from host_faults import FAULTS, Fault

from radixcheck.verification.core.catalogue import HOST_FORMULAS
from radixcheck.verification.subjects.registry import resolve

RARE = ("issued again", "awaited, failed", "not arrived")


@pytest.mark.parametrize("name", slow_unless(lambda name: name == "optimized-host", ["model-host", "reference-host", "optimized-host"]))
def test_a_right_cache_raises_no_alarm(name: str) -> None:
    subject, fired, exercised = resolve(name), Counter[str](), Counter[str]()
    for seed, config in enumerate(configs()):
        run = Run(subject, config, seed).steps(100)
        assert run.found == [], (config, [str(op) for op in run.trace])
        fired += run.fired
        exercised += run.checker.tally.exercised
    assert fired.keys() >= {*WEIGHTS, *RARE}
    due = [id_ for id_, p in HOST_FORMULAS.items() if p.kind != "event" and (not p.heap or name == "optimized-host")]  # no events here
    assert {id_ for id_ in due if not exercised[id_]} == set()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
@pytest.mark.parametrize("box", slow_unless(lambda box: box == "white", ["white", "black"]))
def test_a_fault_of_the_tier_is_found(fault: Fault, box: str) -> None:
    hidden = () if box == "white" else BLACK_BOX
    due = fault.white if box == "white" else fault.black
    for seed, config in enumerate(list(configs((1, 2))) * 4):
        run = Run(lambda setup: Hiding(fault.make(setup), hidden), config, seed, stride=50).steps(150)
        if run.found:
            found = {violation.property for violation in run.found}
            assert found & due, (config, run.found)
            return
    raise AssertionError("nothing was found")
