"""Threshold faults are refuted by the dimension that reaches them; correct caches pass all dimensions."""

from collections.abc import Iterable

import pytest
from threshold_faults import FAULTS, Fault

from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.protocol import Supports
from radixcheck.verification.search.search_results import Bounds
from radixcheck.verification.stretch.stretch import stretched

CHEAP = ("tokens_as_floats", "priority_as_float", "eight_locks_over_a_split", "locks_8_bits", "refused_1000", "clock_8_bits")
SEEDS = 10


def bounds(supports: Supports) -> Bounds:
    return Bounds(supports.policies, supports.page_sizes)


def refuted(fault: Fault, seed: int = 0) -> RunResult:
    """The result of the dimension that must refute a fault."""
    subject = Subject(fault.name, fault.factory, Supports(), white_box=False, portable=False)
    return stretched(subject, fault.dimension, bounds(subject.supports), seed)


def all_of(subject: Subject, names: Iterable[str], seed: int = 0) -> RunResult:
    return RunResult.of(stretched(subject, name, bounds(subject.supports), seed) for name in names)


@pytest.mark.parametrize("name", CHEAP)
def test_a_fault_behind_a_threshold_is_refuted_in_its_dimension(name: str) -> None:
    result = refuted(FAULTS[name])

    assert set(result.found) & set(FAULTS[name].properties)
    assert result.reaches[FAULTS[name].dimension].refuted


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FAULTS if name not in CHEAP])
def test_every_fault_behind_a_threshold_is_refuted_in_its_dimension(name: str) -> None:
    assert set(refuted(FAULTS[name], seed=1).found) & set(FAULTS[name].properties)
