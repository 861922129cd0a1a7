"""Each planted fault is found at the operation that commits it; both checkers, of little and of all, speak of the same caches."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from hiding import BLACK_BOX, Hiding

from radixcheck.optimized.node import Entry
from radixcheck.optimized.node import Node as LeafNode
from radixcheck.spec.run.state import COUNTERS, MAPS, REQUEST_MAPS, SETS
from radixcheck.spec.values import Row
from radixcheck.verification.checker.abstraction import Abstraction
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.incremental.incremental_checker import IncrementalChecker
from radixcheck.verification.mutants.all_mutants import MUTANTS
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Setup
from radixcheck.verification.search.generate import PROFILES, operations
from radixcheck.verification.subjects.optimized_subject import OptimizedSubject, optimized_subject
from radixcheck.verification.subjects.reference_subject import ReferenceSubject, reference_subject
from radixcheck.verification.trace_replay.replay import replay
from radixcheck.verification.trace_replay.replay_results import Replayed, Settings
from radixcheck.verification.trace_replay.sample import generate

Factory = Callable[[Setup], Any]

SAMPLE = generate()
NEVER = 10**9  # as a stride: the whole is compared at the end only

# One request is treated wrongly; its very call is named, although the whole is never compared.

PICKED = 5  # its leaf is evictable as soon as it has finished


class Planted(ReferenceSubject):
    """Right, but for one fault after one call for the picked request."""

    fault, after = "", "finish"

    def chunk(self, request: int) -> Row[list[int]]:
        row = super().chunk(request)
        self.plant("chunk", request, self.requests[request].node)
        return row

    def finish(self, request: int) -> None:
        live = self.requests[request]
        super().finish(request)
        self.plant("finish", request, live.node)

    def plant(self, operation: str, request: int, node: Any) -> None:
        size = self.page_size
        match self.fault if (operation, request) == (self.after, PICKED) else "":
            case "frees twice":
                slots = self.pool.alloc(size)
                self.pool.free(slots)
                self.pool.free(slots)
            case "frees what the tree owns":
                self.pool.free(node.slots[:size])
                self._evictable -= size
            case "swaps slots":
                node.slots[:size], node.slots[size : 2 * size] = node.slots[size : 2 * size], node.slots[:size]
            case "miscounts":
                self._evictable += size
            case "keeps a lock":
                node.lock += 1
            case "forgets a time":
                node.parent.time -= 1
            case "loses a parent":
                node.parent = node.parent.parent
            case "hits another":  # outside of every path that the operation touched
                self.requests[PICKED + 1].node.hits += 1


def planted(fault: str, after: str = "finish") -> Factory:
    def made(setup: Setup) -> Planted:
        cache = Planted.of(setup)
        cache.fault, cache.after = fault, after
        return cache

    return made


class EvictsBackwards(ReferenceSubject):
    def __init__(self, setup: Setup) -> None:
        super().__init__(setup.page_size, setup.policy, setup.pool)
        self._eviction_key = lambda node: (-node.time, node.time)


class Entryless(OptimizedSubject):
    """Right, but for the lost entry of the leaf that the picked request leaves."""

    def plant(self, leaf: LeafNode, entries: list[Entry], at: int) -> None:
        del entries[at]

    def finish(self, request: int) -> None:
        live = self.requests[request]
        super().finish(request)
        if request == PICKED:
            heap = self.tree.heap
            entries: Any = heap.queue if live.node.entry in heap.queue else heap.heap
            self.plant(live.node, entries, next(i for i, entry in enumerate(entries) if entry[3] is live.node))


class EntryTooLate(Entryless):
    def plant(self, leaf: LeafNode, entries: list[Entry], at: int) -> None:
        leaf.entry = entries[at] = (leaf.hits + 1, *entries[at][1:])


def run(factory: Factory, **changed: Any) -> Replayed:
    settings = Settings(**{"pool": 4_000, "running": 8, "stride": NEVER, "window": NEVER, **changed})
    return replay(SAMPLE[:80], factory, settings, second=None)


@pytest.mark.parametrize(
    ("factory", "property_", "operation"),
    [
        (planted("frees twice"), "SLOT_PARTITION", "finish"),
        (planted("frees what the tree owns"), "SLOT_PARTITION", "finish"),
        (planted("swaps slots", "chunk"), "SLOT_PARTITION", "chunk"),
        *((planted("miscounts"), "COUNT", "finish"), (planted("keeps a lock"), "LOCK_COUNT", "finish")),
        *((planted("forgets a time", "chunk"), "RECENCY", "chunk"), (planted("loses a parent"), "PARENT", "finish")),
        *((Entryless, "HEAP_FULL", "finish"), (EntryTooLate, "HEAP_STALE", "finish")),
    ],
)
def test_a_planted_fault_is_found_where_it_happens(factory: Factory, property_: str, operation: str) -> None:
    fault = run(factory, policy="lfu").fault
    assert fault is not None
    assert fault.operation == f"{operation} of request {PICKED}"
    assert fault.violation.property == property_


def test_a_victim_out_of_order_is_found_at_the_first_eviction() -> None:
    right, wrong = run(reference_subject, running=2), run(EvictsBackwards, running=2)

    assert right.clean
    assert wrong.fault is not None
    assert wrong.fault.violation.property in ("ORDER", "EVICT_EXACT")
    assert wrong.victims == 0


@pytest.mark.parametrize("how", [{"window": 1}, {"stride": 100}, {}])
def test_a_write_outside_the_touched_paths_is_found_later(how: dict[str, int]) -> None:
    result = run(planted("hits another"), **how)
    assert result.fault is not None
    assert result.fault.violation.property == "FREQ"


def test_a_second_cache_that_chooses_other_victims_is_found() -> None:
    result = replay(SAMPLE, reference_subject, Settings(pool=8_000), second=MUTANTS["evict_ignores_touch"].factory)
    assert result.fault is not None
    assert result.fault.violation.property == "DETERMINISM"
    assert "freed positions" in result.fault.violation.text


# Subjects that show less.


@pytest.mark.parametrize("policy", ["lru", "mru", "fifo", "lfu"])
def test_without_paths_only_the_whole_is_compared_and_the_result_says_so(policy: str) -> None:
    result = replay(SAMPLE[:100], lambda setup: Hiding(optimized_subject(setup), ("observe_path",)), Settings(policy, pool=2_000))

    assert result.clean, result.fault
    assert not result.local
    assert "touched paths" not in result.looked
    assert result.looked["whole states"] > 3


def test_without_paths_a_fault_is_found_by_the_next_comparison_of_the_whole() -> None:
    fault = run(lambda setup: Hiding(planted("swaps slots", "chunk")(setup), ("observe_path",)), stride=50).fault
    assert fault is not None
    assert fault.violation.property in ("MATCH_SOUND", "SLOT_PARTITION")


def test_of_a_cache_that_shows_nothing_answers_sizes_and_victims_are_checked() -> None:
    right = run(lambda setup: Hiding(optimized_subject(setup), BLACK_BOX))
    wrong = run(lambda setup: Hiding(planted("miscounts")(setup), BLACK_BOX))

    assert right.clean
    assert "whole states" not in right.looked
    assert wrong.fault is not None
    assert wrong.fault.violation.property == "COUNT"


# Beside the checker that looks at everything after every operation.


def random_trace(policy: str, page_size: int, seed: int) -> Iterator[Op]:
    checker = Checker(reference_subject, policy, page_size, 12 * page_size, NEVER)
    random = Random(seed)
    profiles = [PROFILES[name] for name in sorted(PROFILES)]
    for _, op in zip(range(120), operations(checker, random, profiles[seed % len(profiles)]), strict=False):
        checker.step(op)
        yield op


def refuted_by(kind: type[Checker], factory: Factory, policy: str, page_size: int, trace: list[Op]) -> bool:
    checker = kind(factory, policy, page_size, 12 * page_size, 50 if kind is IncrementalChecker else 1)
    return any(checker.step(op) for op in trace)


@pytest.mark.parametrize("factory", [reference_subject, optimized_subject])
@pytest.mark.parametrize(("policy", "page_size"), [("lru", 1), ("mru", 2), ("lfu", 1), ("filo", 2)])
def test_both_checkers_are_silent_on_right_caches(factory: Factory, policy: str, page_size: int) -> None:
    for seed in range(3):
        trace = list(random_trace(policy, page_size, seed))
        assert not any(refuted_by(kind, factory, policy, page_size, trace) for kind in (Checker, IncrementalChecker))


@pytest.mark.parametrize(
    "name",
    [
        *("split_keeps_child_key", "namespace_joins_components", "lock_skips_ancestors", "unlock_twice", "abort_leaks_tail"),
        *("insert_keeps_callers_array", "evict_internal", "evict_ignores_lock", "evict_forgets_to_count", "touch_whole_edge"),
        *("split_forgets_hits", "insert_forgets_priority", "finish_frees_from_zero", "evict_forgets_parent", "touch_without_push"),
    ],
)
def test_both_checkers_speak_of_wrong_caches(name: str) -> None:
    wrong = MUTANTS[name]
    found = 0
    for seed in range(6):
        trace = list(random_trace(wrong.policy, wrong.page_size, seed))
        full, partial = (refuted_by(kind, wrong.factory, wrong.policy, wrong.page_size, trace) for kind in (Checker, IncrementalChecker))
        assert partial == full
        found += full
    assert found > 0


def test_what_is_recalled_is_what_would_be_computed_anew() -> None:
    functions = (*SETS, *MAPS, *REQUEST_MAPS, *COUNTERS, "owner", "kids")
    checker = IncrementalChecker(optimized_subject, "lru", 2, 32, NEVER)
    compared = 0
    for op in random_trace("lru", 2, 1):
        assert checker.step(op) == []
        assert checker.check_all() == []
        assert checker.observe() == []
        anew = Abstraction(checker.oracle.positions, checker.engine.pool, "lru", checker.oracle.written)
        anew.clock = checker.abstraction.clock
        assert checker.observation is not None
        oracle = checker.oracle
        state = anew.state(checker.observation, checker.engine.sizes(), oracle.model.state, oracle.loans, oracle.locks)
        assert {f: getattr(state, f) for f in functions} == {f: getattr(checker.seen, f) for f in functions}
        compared += len(state.node) > 1
    assert compared > 20
