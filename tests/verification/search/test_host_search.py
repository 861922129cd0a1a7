"""The search of a cache with a host tier: what it plans and takes, that it finds planted faults, and that their traces are short."""

from collections import Counter
from dataclasses import replace
from typing import Any, Self

import pytest

from radixcheck.spec.run.positions import Positions
from radixcheck.spec.values import Key
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.edges import HOST_EDGES, edges_of, never_taken
from radixcheck.verification.core.found import Config, Found
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.operations import HOST_OPERATIONS, Op
from radixcheck.verification.protocol import MODES, Setup, Supports
from radixcheck.verification.runs.checked_bounds import bounds_for, shared_bounds
from radixcheck.verification.search import search_plan
from radixcheck.verification.search.diff import compare
from radixcheck.verification.search.machine import hypothesis_batches, never_fired
from radixcheck.verification.search.run import random_run, replay
from radixcheck.verification.search.search_results import Bounds
from radixcheck.verification.search.shrink import shrink
from radixcheck.verification.search.sides import side
from radixcheck.verification.subjects.reference_host_subject import ReferenceHostSubject
from radixcheck.verification.subjects.registry import resolve

SMALL = tuple(Config("lru", 1, pages, "cpu", host, mode) for mode in MODES for pages, host in ((2, 2), (4, 3), (10, 8)))


class CountsNothing(ReferenceHostSubject):
    """Answers that an eviction on the host has freed nothing."""

    def evict_host(self, tokens: int) -> int:
        super().evict_host(tokens)
        return 0


class PeeksTooFar(ReferenceHostSubject):
    """A peek answers one page too many; the host tier has nothing to do with it."""

    def peek(self, key: Key) -> int:
        found = super().peek(key)
        return found + self.page_size if found else 0


class LoadsTwice(ReferenceHostSubject):
    """Says that it has loaded twice as much as it has."""

    def load_back(self, node: object) -> int:
        return 2 * super().load_back(node)


class WantsMore(ReferenceHostSubject):
    """Refuses a host that is not larger than its device."""

    supports = replace(ReferenceHostSubject.supports, larger_host=True)

    @classmethod
    def of(cls, setup: Setup) -> Self:
        if setup.host_pool is not None and setup.host_pool.capacity <= setup.pool.capacity:
            raise UsageError("its host must be larger than its device")
        return super().of(setup)


def found_by_random(factory: Any, id_: str) -> Found:
    runs = (random_run(factory, config, seed, 120, 8) for seed in range(20) for config in SMALL)
    return next(found for run in runs if (found := run.broken(id_)))


def configs_of(bounds: Bounds, slices: int) -> list[Config]:
    """The configurations of the random runs of a plan."""
    seen: list[Config] = []

    def note(subject: Any, config: Config, *others: Any, **more: Any) -> RunResult:
        seen.append(config)
        return RunResult()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search_plan, "random_run", note)
        for number in range(slices):
            search_plan.run_slice(resolve("reference-host"), bounds, number, long_steps=0)
    return seen


def test_runs_take_every_edge_of_the_tier_and_find_nothing() -> None:
    result = RunResult.of(
        random_run(resolve("reference-host"), config, seed, 120, 40, replicated=0) for seed in range(12) for config in SMALL
    )

    assert (result.found, [id_ for id_ in HOST_EDGES if not result.edges[id_]]) == ({}, [])
    assert all(result.fired[name] for name in HOST_OPERATIONS)


def test_edges_of_the_tier_concern_only_caches_that_have_it() -> None:
    flat, through = Supports(), Supports(modes=("write_through",))

    assert not HOST_EDGES.keys() & {edge.id for edge in edges_of(flat)}
    assert HOST_EDGES.keys() - set(never_taken({}, through, (1,))) == {"write-back fails"}


def test_a_cache_without_the_tier_is_searched_as_before() -> None:
    bounds = bounds_for(resolve("reference"))

    assert (bounds.modes, {config.mode for config in bounds.configs()}) == ((), {""})


def test_a_cache_with_the_tier_is_searched_with_and_without_it_in_every_mode_and_pool() -> None:
    seen = configs_of(bounds_for(resolve("reference-host")), slices=40)

    modes = Counter(config.mode for config in seen)
    tiered = [config for config in seen if config.mode]
    assert min(modes[mode] for mode in ("", *MODES)) > len(seen) / 6
    assert {config.pool // config.page_size for config in tiered} == {2, 4, 6, 10, 16}
    assert {config.host_pool // config.page_size for config in tiered} == {2, 3, 6, 12}
    assert {config.policy for config in tiered} == set(Supports().policies)


def test_bounds_name_modes_that_the_subject_has() -> None:
    subject, flat = resolve("reference-host"), resolve("reference")

    assert bounds_for(subject, modes=("write_back",), host_pool=64).modes == ("write_back",)
    assert shared_bounds(subject, resolve("model-host")).modes == MODES
    assert shared_bounds(subject, flat).modes == ()
    for wrong in ({"modes": ("write_back",)}, {"host_pool": 8}):
        with pytest.raises(UsageError, match="declares no host tier"):
            bounds_for(flat, **wrong)
    with pytest.raises(UsageError, match="unknown mode"):
        bounds_for(subject, modes=("write_around",))


def test_a_fault_of_the_tier_is_shrunk_to_few_operations_in_small_pools() -> None:
    small = shrink(CountsNothing.of, found_by_random(CountsNothing.of, "HOST_EXACT"))

    assert small.violation.property == "HOST_EXACT"
    assert [op.name for op in small.trace][-1] == "evict_host"
    assert len(small.trace) <= 7
    assert small.config.host_pool == 1


def test_a_fault_that_does_not_need_the_tier_is_shown_without_it() -> None:
    small = shrink(PeeksTooFar.of, found_by_random(PeeksTooFar.of, "MATCH_SOUND"))

    assert (small.config.mode, small.config.host_pool, len(small.trace)) == ("", 0, 2)


def test_the_completion_of_a_later_copy_is_shrunk_to_that_of_the_first() -> None:
    config = Config("lru", 1, 4, "cpu", 4, "write_through")
    trace = (Op("insert", Key((1,))), Op("insert", Key((2,))), Op("complete", holder=1), Op("complete"), Op("poll"), Op("evict", amount=4))
    found = replay(LoadsTwice.of, config, (*trace, Op("load_back", Key((1,))))).broken("LOAD_EXACT")

    assert found is not None
    small = shrink(LoadsTwice.of, found)
    assert [str(op) for op in small.trace] == ["insert [1]", "complete copy 0", "poll", "evict 1", "load_back [1]"]


def test_the_state_machine_has_rules_for_the_tier_and_finds_a_fault() -> None:
    clean = RunResult.of(hypothesis_batches(resolve("reference-host"), ("lru",), (1, 2), 0, 40, modes=MODES))
    wrong = RunResult.of(hypothesis_batches(CountsNothing.of, ("lru",), (1,), 0, 40, wanted="HOST_EXACT", modes=MODES))

    assert (clean.found, never_fired(clean)) == ({}, ())
    assert set(HOST_OPERATIONS) <= set(clean.fired)
    assert wrong.broken("HOST_EXACT")


def test_a_cache_that_asks_for_a_larger_host_gets_one_in_every_part_of_a_search() -> None:
    subject = resolve(WantsMore.of)
    bounds = bounds_for(subject, ("lru",), (1, 2), operations=960)
    tasks = next(search_plan.rounds(subject, bounds))
    probed = [config for task in tasks for config in task.arguments if isinstance(config, Config) and config.mode]
    machine = RunResult.of(hypothesis_batches(subject, ("lru",), (1,), 0, 20, modes=MODES))

    assert next(task() for task in tasks if task.function is search_plan.run_slice).found == machine.found == {}
    assert {config.mode for config in probed} == {*MODES}
    assert all(config.host_pool > config.pool for config in probed)
    assert shared_bounds(resolve("reference-host"), subject).larger_host
    with pytest.raises(UsageError, match="larger than its device"):
        random_run(subject, SMALL[0], 0)


def test_two_caches_with_the_tier_are_compared_on_both_tiers() -> None:
    reference, config = resolve("reference-host"), SMALL[2]
    right = compare(reference, resolve("model-host"), config, 0)
    wrong = [compare(reference, LoadsTwice.of, replace(config, mode=mode), seed) for seed in range(4) for mode in MODES]

    assert (right.steps > 300, right.diverged, right.kinds) == (True, 0, {})
    assert {kind.what for one in wrong for kind in one.kinds} == {"moved of load_back"}
    assert {kind.departs for one in wrong for kind in one.kinds} == {("right",)}


@pytest.mark.parametrize("name", ["reference-host", "optimized-host", "model-host"])
def test_what_leaves_the_host_is_named_by_what_it_held_then(name: str) -> None:
    """Under write-back one eviction fills a page of the host and takes it away again, for the next victim."""
    config, positions = Config("lru", 1, 2, host_pool=1, mode="write_back"), Positions(1)
    cache, first, second = side(resolve(name), config, positions), Key((1,)), Key((2,))
    for key in (first, second):
        cache.perform(Op("insert", key), positions.path(positions.of(key)))
    answered = cache.perform(Op("evict", amount=2), ())

    assert answered.host_victims == (positions.of(first),)
    assert answered.victims == (positions.of(first), positions.of(second))
