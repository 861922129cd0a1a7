"""The probes find the caches of `planted.py`, with the observer and without, and nothing in right ones."""

import pickle
from typing import Any

import pytest
from hiding import BLACK_BOX, Hiding
from planted import ALIASES, COSTS, LEAKS, FreesCopiesLater, KeepsBounded, KeepsCallersTensor, KeepsStaleHandles, LendsTensorOfRow

from radixcheck.optimized.tree import NodeTree
from radixcheck.verification.core.catalogue import PROBED
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.mutants.mutant import Rebuilt
from radixcheck.verification.probes.all_probes import MISUSING, POOL_PAGES, PROBES, all_probed, probed
from radixcheck.verification.probes.growth import depends, too_steep
from radixcheck.verification.protocol import Setup
from radixcheck.verification.search.verify import judged
from radixcheck.verification.subjects.reference_subject import ReferenceSubject
from radixcheck.verification.subjects.registry import resolve

COST = ("evict cost", "reset cost", "key cost", "surroundings")


def config(page_size: int = 1) -> Config:
    return Config("lru", page_size, POOL_PAGES * page_size)


def found(factory: Factory, *probes: str, page_size: int = 1) -> dict[str, str]:
    """What these probes find: property and text."""
    results = [probed(factory, config(page_size), name) for name in probes]
    return {id_: each.violation.text for result in results for id_, each in result.found.items()}


def black_box(kind: Any) -> Factory:
    return lambda setup: Hiding(kind(setup), BLACK_BOX)


@pytest.mark.parametrize(("kind", "cycle"), LEAKS.items())
def test_what_stays_behind_is_found_by_its_cycle(kind: type[ReferenceSubject], cycle: str) -> None:
    actual = found(kind.of, "cycles")

    assert list(actual) == ["MEM_BOUND"]
    assert f"cycles of {cycle}" in actual["MEM_BOUND"]
    assert "more bytes" in actual["MEM_BOUND"] or "more objects" in actual["MEM_BOUND"]


def test_the_trace_of_a_leak_is_one_cycle() -> None:
    (leak,) = probed(next(iter(LEAKS)).of, config(), "cycles").found.values()

    assert [op.name for op in leak.trace] == ["start", "chunk", "decode", "decode", "finish", "evict"]


def test_what_wrong_calls_leave_behind_is_found_only_where_they_are_made() -> None:
    assert found(KeepsStaleHandles.of, *PROBES) == {}
    assert "cycles of locking a stale handle" in found(KeepsStaleHandles.of, *MISUSING)["MEM_BOUND"]


def test_what_has_a_bound_is_no_leak() -> None:
    assert found(KeepsBounded.of, "cycles") == {}


@pytest.mark.parametrize(("kind", "call"), COSTS.items())
def test_a_cost_that_grows_is_found_by_its_call(kind: type[ReferenceSubject], call: str) -> None:
    actual = found(kind.of, *COST)

    assert list(actual) == ["VERB_COST"]
    assert actual["VERB_COST"].startswith(call)


def test_growth_is_judged_by_lines() -> None:
    assert too_steep("x", (10, 80), 5, "nodes") == depends("x", (100, 196), 64, "nodes") == depends("x", (800, 999), 64, "nodes") == ""
    assert too_steep("x", (10, 81), 5, "nodes") == "x: 81 lines for 20 nodes, 10 for 5: more than 8 times as many"
    assert depends("x", (100, 197), 64, "nodes") == "x: 197 lines among 256 nodes, 100 among 64"


@pytest.mark.parametrize("kind", ALIASES)
@pytest.mark.parametrize("page_size", [1, 2])
def test_shared_storage_is_found_also_in_a_black_box(kind: type[ReferenceSubject], page_size: int) -> None:
    assert list(found(kind.of, "alias", page_size=page_size)) == ["NO_ALIAS"]
    assert list(found(black_box(kind.of), "alias", page_size=page_size)) == ["NO_ALIAS"]


@pytest.mark.parametrize("name", ["match_lends_tensor", "insert_keeps_callers_array", "match_lends_trees_array"])
def test_the_mutants_of_shared_storage_are_found(name: str) -> None:
    assert list(found(MUTANTS[name].factory, "alias")) == ["NO_ALIAS"]


@pytest.mark.parametrize("kind", [KeepsCallersTensor, LendsTensorOfRow])
def test_a_tensor_that_is_shared_is_found(kind: type[Rebuilt]) -> None:
    assert list(found(kind, "alias")) == list(found(black_box(kind), "alias")) == ["NO_ALIAS"]


def test_slots_that_are_freed_later_from_a_copy_are_not_shared() -> None:
    assert found(FreesCopiesLater.of, "alias") == {}


class Undetermined(ReferenceSubject):
    """Two replicas evict differently."""

    made = 0

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        Undetermined.made += 1
        self._more = Undetermined.made % 2

    def evict(self, tokens: int) -> int:
        return super().evict(tokens + self._more)


def test_what_differs_without_overwriting_is_not_shared_storage() -> None:
    assert found(Undetermined.of, "alias") == {}


class SlowTree(NodeTree):
    """Counts its nodes at each access."""

    def touch(self, *arguments: Any) -> None:
        waiting = list(self.root.children.values())
        while waiting:
            waiting.extend(waiting.pop().children.values())
        super().touch(*arguments)


def test_the_optimized_cache_with_a_slow_part_is_found() -> None:
    def slow(setup: Setup) -> Any:
        return Rebuilt(setup, SlowTree)

    assert list(found(slow, "surroundings")) == ["VERB_COST"]


def test_a_probe_is_a_task_for_another_process() -> None:
    subject, result = resolve("reference"), probed(resolve("reference"), config(), PROBES[0])

    assert pickle.loads(pickle.dumps((subject, config(), PROBES)))
    assert pickle.loads(pickle.dumps(result)).steps == result.steps


def test_a_crash_is_recorded() -> None:
    def broken(setup: Setup) -> Any:
        made = ReferenceSubject.of(setup)
        made.match = None  # type: ignore[assignment, method-assign]
        return made

    assert list(found(broken, "depth")) == ["REFINEMENT"]


def test_what_a_cache_remembers_is_not_observable() -> None:
    supports = resolve("model").supports
    verdicts = {v.property.id: (v.verdict, v.note) for v in judged(all_probed(resolve("model"), config()), supports, white_box=True)}

    assert verdicts["MEM_BOUND"] == ("NOT OBSERVABLE", "its table of prefixes keeps every key")


@pytest.mark.slow
@pytest.mark.parametrize("subject", ["optimized", "reference", "model", "base", "leaf-set", "as-submitted:pairs", "as-submitted:nodes"])
@pytest.mark.parametrize("page_size", [1, 2, 16])
def test_the_caches_of_the_project_pass_every_probe(subject: str, page_size: int) -> None:
    result = all_probed(resolve(subject), config(page_size), (*PROBES, *MISUSING))

    assert {id_: each.violation.text for id_, each in result.found.items()} == {}
    assert set(PROBED) <= set(result.tally.exercised)
