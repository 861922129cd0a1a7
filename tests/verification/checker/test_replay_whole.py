"""The comparison of the whole state in a replay compares only what has changed: it must find every change."""

import math
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from radixcheck.optimized.node import Node
from radixcheck.spec.run.positions import Positions
from radixcheck.spec.run.state import State
from radixcheck.spec.values import Key
from radixcheck.verification.checker.difference_text import difference_text
from radixcheck.verification.checker.incremental.incremental_checker import IncrementalChecker
from radixcheck.verification.checker.indices import index_findings
from radixcheck.verification.core.found import Violation
from radixcheck.verification.protocol import NodeId, Observation, SeenEntry
from radixcheck.verification.search.generate import PROFILES, operations
from radixcheck.verification.subjects.optimized_subject import optimized_subject

NEVER = 10**9  # as a stride: the whole state is compared by `check_all` only


def filled() -> IncrementalChecker:
    """A checker after a run that leaves nodes with children, just after a comparison that found no difference."""
    checker = IncrementalChecker(optimized_subject, "lru", 2, 80, NEVER)
    used = (op for op in operations(checker, Random(2), PROFILES["requests"]) if op.name in ("start", "decode", "chunk", "finish"))
    assert [found for _, op in zip(range(150), used, strict=False) for found in checker.step(op)] == []
    assert checker.check_all() == []
    assert checker._whole._agreement._agreed  # no abstract state was built
    return checker


def inner(checker: IncrementalChecker) -> list[Node]:
    """Nodes that hang below another."""
    return [child for top in checker.engine.subject.tree.root.children.values() for child in top.children.values()]


def changed(name: str, change: Callable[[Node], Any]) -> tuple[list[Violation], list[Violation]]:
    """What the comparison finds after one attribute of one node was changed, and after it was restored."""
    checker = filled()
    node = inner(checker)[-1]
    while node.children:  # below the last nothing can be newer
        node = next(iter(node.children.values()))
    before = getattr(node, name)
    setattr(node, name, change(node))
    found = checker.check_all()
    setattr(node, name, before)
    return found, checker.check_all()


@pytest.mark.parametrize(
    ("name", "change", "property_"),
    [
        ("local_lock_ref", lambda node: node.local_lock_ref + 1, "LOCK_COUNT"),
        ("time", lambda node: node.parent.time, "RECENCY"),
        ("creation", lambda node: node.creation - 1, "CREATION"),
        ("hits", lambda node: node.hits + 1, "FREQ"),
        ("priority", lambda node: node.priority + 1, "PRIORITY"),
        ("child_key", lambda node: b"\1" * 16, "CHILD_KEY"),
    ],
)
def test_a_changed_attribute_is_found_by_name_and_nothing_once_it_is_restored(
    name: str, change: Callable[[Node], Any], property_: str
) -> None:
    wrong, right = changed(name, change)

    assert property_ in [violation.property for violation in wrong]
    assert right == []


@pytest.mark.parametrize(
    ("name", "change"),
    [("segment", lambda node: node.segment[::-1]), ("slots", lambda node: node.slots.flip(0)), ("parent", lambda node: node)],
)
def test_other_tokens_slots_or_parents_are_found(name: str, change: Callable[[Node], Any]) -> None:
    wrong, right = changed(name, change)

    assert wrong
    assert right == []


def test_a_write_into_the_slots_of_a_node_is_found() -> None:
    checker = filled()
    inner(checker)[-1].slots.add_(2)

    assert checker.check_all()


def test_a_node_that_is_cut_off_is_found() -> None:
    checker = filled()
    node = inner(checker)[-1]
    assert node.parent is not None
    del node.parent.children[node.child_key]

    assert checker.check_all()


def test_a_page_that_the_specification_moved_is_found() -> None:
    checker = filled()
    state = checker.oracle.model.state
    position, page = next(iter(state.page.items()))
    state.page[position] = page + 1

    assert checker.check_all()


def test_an_index_that_lists_another_leaf_is_found() -> None:
    state = State(Positions(1), 8)
    state.node, state.lock, state.kids = {1, 2}, {1: 0, 2: 0}, {1: 1}
    places: dict[NodeId | None, int] = {None: 0, "a": 1, "b": 2}

    assert index_findings(state, Observation(0, (), leaves=frozenset({"b"})), places) == []
    assert [f.property for f in index_findings(state, Observation(0, (), leaves=frozenset({"a"})), places)] == ["LEAFSET"]


def test_a_queue_next_to_the_heap_has_an_order_of_its_own() -> None:
    state = State(Positions(1), 8)
    state.node, state.lock, state.kids = {1, 2, 3}, {1: 0, 2: 0, 3: 0}, {}
    heap = [SeenEntry((key, 0), name) for key, name in ((5, "a"), (1, "b"), (2, "c"))]  # one in the heap, two in the queue

    assert index_findings(state, Observation(0, (), heap=heap, queued=2), {}) == []
    assert [f.property for f in index_findings(state, Observation(0, (), heap=heap), {})] == ["HEAP_ORDER"]
    swapped = [heap[0], heap[2], heap[1]]
    assert [f.property for f in index_findings(state, Observation(0, (), heap=swapped, queued=2), {})] == ["HEAP_ORDER"]


def test_a_heap_key_that_cannot_be_ordered_is_found() -> None:
    state = State(Positions(1), 8)
    state.node, state.lock = {1, 2}, {1: 0, 2: 0}
    heap = [SeenEntry((math.nan, 0), "a"), SeenEntry((1, 0), "b")]

    (finding,) = index_findings(state, Observation(0, (), heap=heap), {})

    assert finding.property == "HEAP_ORDER"
    assert finding.text == "heap entry 1 with key (1, 0) is behind entry 0 with the later key (nan, 0)"


@pytest.mark.parametrize(
    ("name", "seen", "spec", "text"),
    [
        ("lock", {1: 2}, {1: 1}, "[7]: expected 1, found 2"),
        ("content", {3: 1}, {}, "page 3: expected nothing, found [7]"),
        ("at", {5: 0}, {5: 2}, "request 5: expected [7 8], found []"),
        ("row", {(5, 1): 3}, {(5, 1): 4}, "request 5 at [7]: expected 4, found 3"),
        ("node", {1}, {2}, "missing: [7 8]; not expected: [7]"),
        ("owner", [0, 3], [0, 1], "page 1: expected in the tree, found leaked"),
        ("available", 6, 4, "expected 4, found 6"),
    ],
)
def test_a_difference_names_what_was_expected_and_what_was_found(name: str, seen: Any, spec: Any, text: str) -> None:
    positions = Positions(1)
    positions.of(Key((7, 8)))

    assert difference_text(positions, name, seen, spec) == text
