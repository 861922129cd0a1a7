"""Threshold faults are refuted by the dimension that reaches them; correct caches pass all dimensions."""

from collections.abc import Iterable

import pytest
from fast_tier import slow_unless
from places import TESTS
from threshold_faults import FAULTS, Fault

from radixcheck.spec.values import Key
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.protocol import Supports
from radixcheck.verification.report.wording import numbered
from radixcheck.verification.search.run import LONG_TRACE, replay
from radixcheck.verification.search.search_results import Bounds
from radixcheck.verification.stretch.dimensions import DIMENSIONS, planned, unplanned
from radixcheck.verification.stretch.stretch import stretched
from radixcheck.verification.subjects.reference_subject import ReferenceSubject
from radixcheck.verification.subjects.registry import resolve

CHEAP = ("tokens_as_floats", "priority_as_float", "eight_locks_over_a_split", "locks_8_bits", "refused_1000", "clock_8_bits")
SEEDS = 10


def bounds(supports: Supports) -> Bounds:
    return Bounds(supports.policies, tuple(supports.page_sizes))


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


@pytest.mark.parametrize("name", slow_unless(lambda name: name == "optimized", ["reference", "optimized", "model"]))
def test_a_correct_cache_passes_the_cheap_dimensions(name: str) -> None:
    result = all_of(resolve(name), planned(2.0))

    assert result.found == {}
    assert {reach.sentence for reach in result.reaches.values()} == {f"{reach.target:,} {reach.unit}" for reach in result.reaches.values()}
    assert result.envelope.holders >= 1_100
    assert result.envelope.token == 2**63 - 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("name", ["reference", "optimized", "model"])
def test_a_correct_cache_passes_every_dimension(name: str, seed: int) -> None:
    result = all_of(resolve(name), planned(60.0), seed)

    assert result.found == {}
    assert set(result.reaches) == set(planned(60.0))


@pytest.mark.slow
def test_a_cache_in_another_process_passes_the_cheap_dimensions(node: str) -> None:
    subject = resolve(f"exec:{node} {TESTS / 'subjects' / 'radix.mjs'}")

    result = all_of(subject, planned(2.0))

    assert result.found == {}
    assert result.reaches["priorities"].sentence == "it needs the policy priority"
    assert result.reaches["requests over splits"].sentence == "it needs abort, finish, start"
    assert result.envelope.token == 2**53 - 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_cache_in_another_process_passes_every_dimension(node: str, seed: int) -> None:
    result = all_of(resolve(f"exec:{node} {TESTS / 'subjects' / 'radix.mjs'}"), planned(60.0), seed)

    assert result.found == {}


@pytest.mark.parametrize(
    "supports",
    [
        pytest.param(Supports(tree=False, policies=("lru",), page_sizes=(16,)), marks=pytest.mark.slow),
        pytest.param(Supports(requests=False, policies=("lru",), page_sizes=(2,), namespaces=False), marks=pytest.mark.slow),
        Supports(policies=("mru",), page_sizes=(1,), without=frozenset({"peek", "decode", "reset"})),
    ],
)
@pytest.mark.slow
def test_a_cache_that_lacks_verbs_policies_or_page_sizes_passes_what_applies_to_it(supports: Supports) -> None:
    kind: type[ReferenceSubject] = type("Lacking", (ReferenceSubject,), {"supports": supports})
    subject = Subject("lacking", kind.of, supports, white_box=True, portable=False)

    result = all_of(subject, [name for name in DIMENSIONS if DIMENSIONS[name].seconds < 0.6])

    assert result.found == {}
    assert result.steps > 3_000


def test_a_fault_is_found_again_by_its_trace_which_begins_where_the_scenario_last_began_anew() -> None:
    fault = FAULTS["pages_by_crc"]

    (found,) = refuted(fault).found.values()

    assert len(found.trace) <= 5
    assert replay(fault.factory, found.config, found.trace).found.keys() == {found.violation.property}


def test_a_long_trace_is_found_again_without_the_checks_before_the_last_one() -> None:
    fault = FAULTS["hits_10_bits_optimized"]

    (found,) = refuted(fault).found.values()

    assert len(found.trace) > LONG_TRACE
    assert len(numbered(found.trace)) < 20
    assert replay(fault.factory, found.config, found.trace).found.keys() == {found.violation.property}


def test_a_cache_that_is_too_slow_says_how_far_it_came() -> None:
    class Slow(ReferenceSubject):
        def peek(self, key: Key) -> int:
            sum(range(500_000))
            return super().peek(key)

    result = stretched(Subject("slow", Slow.of, Supports(), white_box=True, portable=False), "resets", bounds(Supports()))

    assert result.found == {}
    assert result.reaches["resets"].sentence.startswith("not reached: ")
    assert result.reaches["resets"].sentence.endswith(" of 1,100 resets (the cache is too slow)")
    assert 0 < result.reaches["resets"].reached < 1_100


def test_the_plan_grows_with_the_seconds_and_says_what_it_leaves_out() -> None:
    names = list(DIMENSIONS)
    whole = [name for name in names if f"{name}, many" not in names]

    assert list(planned(60.0)) == whole
    assert unplanned(60.0) == {}
    assert sum(DIMENSIONS[name].seconds for name in planned(2.0)) <= 3.0
    assert set(planned(2.0)) < set(planned(20.0)) | {name for name in names if f"{name}, many" in names}
    assert unplanned(2.0)["depth"].sentence == "not planned: give more --seconds"
    assert sum(DIMENSIONS[name].seconds for name in whole) <= 45.0


CHEAPEST = [name for name, dimension in DIMENSIONS.items() if dimension.seconds <= 0.3]


@pytest.mark.parametrize("name", slow_unless(lambda name: name in CHEAPEST[:1], CHEAPEST))
def test_the_same_seed_gives_the_same_operations(name: str) -> None:
    one, other, third = (stretched(resolve("reference"), name, bounds(Supports()), seed) for seed in (1, 1, 2))

    assert (one.fired, one.envelope, one.reaches) == (other.fired, other.envelope, other.reaches)
    assert third.reaches == one.reaches
