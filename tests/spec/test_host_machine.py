"""The host machine, run: every step can be taken, and every formula holds after each."""

from collections import Counter

import pytest
from host_walk import Walk

from radixcheck.spec.host.host_signature import device_leaf
from radixcheck.spec.host.loads import TIERED
from radixcheck.spec.run.reader import holds


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("page_size", [1, 2])
def test_every_formula_holds_after_every_step_of_the_host_machine(page_size: int, gaps: bool) -> None:
    took = Counter[str]()
    for seed in range(12):
        walk = Walk(seed, page_size, gaps=gaps)
        for _ in range(200):
            step = walk.step()
            assert step is not None
            assert walk.broken() == [], (step.name, seed)
        took += walk.took

    without = {"fill"} if page_size == 1 else set()  # no position ends inside a page
    assert {step.name for step in TIERED} - set(took) == without


def test_the_index_of_device_leaves_agrees_with_its_definition() -> None:
    walk = Walk(1)
    assert device_leaf.body is not None
    by_definition = holds(device_leaf.body, device_leaf.parameters)
    compared = set[bool]()
    for _ in range(300):
        walk.step()
        for node in walk.state.node:
            leaf = walk.state.is_device_leaf(node)
            assert leaf == by_definition(walk.state, None, node)
            compared.add(leaf)

    assert compared == {True, False}
