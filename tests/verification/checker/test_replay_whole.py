"""The comparison of the whole in a replay looks again only at what has changed: no change may escape it."""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from radixcheck.optimized.node import Node
from radixcheck.spec.run.positions import Positions
from radixcheck.spec.run.state import State
from radixcheck.verification.checker.formulas import index_findings
from radixcheck.verification.checker.incremental.incremental_checker import IncrementalChecker
from radixcheck.verification.checker.incremental.whole_state import WholeState
from radixcheck.verification.core.found import Violation
from radixcheck.verification.protocol import NodeId, Observation, SeenEntry
from radixcheck.verification.search.generate import PROFILES, operations
from radixcheck.verification.subjects.optimized_subject import optimized_subject

NEVER = 10**9  # as a stride: the whole is compared when it is asked for


def filled() -> IncrementalChecker:
    """A checker whose cache has been used a while, with nodes below nodes, and has just agreed."""
    checker = IncrementalChecker(optimized_subject, "lru", 2, 80, NEVER)
    used = (op for op in operations(checker, Random(14), PROFILES["requests"]) if op.name in ("start", "decode", "chunk", "finish"))
    assert [found for _, op in zip(range(150), used, strict=False) for found in checker.step(op)] == []
    assert checker.check_all() == []
    assert isinstance(checker._whole, WholeState)
    assert checker._whole._agreement._agreed  # the short way was taken
    return checker


def inner(checker: IncrementalChecker) -> list[Node]:
    """Nodes that hang below another."""
    return [child for top in checker.engine.subject.tree.root.children.values() for child in top.children.values()]


def changed(name: str, change: Callable[[Node], Any]) -> tuple[list[Violation], list[Violation]]:
    """What the comparison finds after one attribute of one node was changed, and after it was put back."""
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
        *(("local_lock_ref", lambda node: node.local_lock_ref + 1, "LOCK_COUNT"), ("time", lambda node: node.parent.time, "RECENCY")),
        *(("creation", lambda node: node.creation - 1, "CREATION"), ("hits", lambda node: node.hits + 1, "FREQ")),
        *(("priority", lambda node: node.priority + 1, "PRIORITY"), ("child_key", lambda node: b"\1" * 16, "CHILD_KEY")),
        *(("segment", lambda node: node.segment[::-1], ""), ("slots", lambda node: node.slots.flip(0), "")),
        ("parent", lambda node: node, ""),
    ],
)
def test_a_changed_attribute_is_found_and_nothing_once_it_is_put_back(name: str, change: Callable[[Node], Any], property_: str) -> None:
    wrong, right = changed(name, change)
    assert wrong
    assert property_ in ["", *(violation.property for violation in wrong)]
    assert right == []


@pytest.mark.parametrize("change", ["a write into slots", "a node cut off", "a page that the specification moved"])
def test_a_change_of_slots_links_or_the_specification_is_found(change: str) -> None:
    checker = filled()
    node: Any = inner(checker)[-1]
    match change:
        case "a write into slots":
            node.slots.add_(2)
        case "a node cut off":
            del node.parent.children[node.child_key]
        case _:
            pages = checker.oracle.model.state.page
            pages[next(iter(pages))] += 1

    assert checker.check_all()


def test_an_index_that_lists_another_leaf_is_found() -> None:
    state = State(Positions(1), 8)
    state.node, state.lock, state.kids = {1, 2}, {1: 0, 2: 0}, {1: 1}
    places: dict[NodeId | None, int] = {None: 0, "a": 1, "b": 2}

    assert index_findings(state, Observation(0, (), leaves=frozenset({"b"})), places) == []
    assert [f.property for f in index_findings(state, Observation(0, (), leaves=frozenset({"a"})), places)] == ["LEAFSET"]


def test_a_queue_beside_the_heap_is_looked_at_for_its_own_order() -> None:
    state = State(Positions(1), 8)
    state.node, state.lock, state.kids = {1, 2, 3}, {1: 0, 2: 0, 3: 0}, {}
    heap = [SeenEntry((key, 0), name) for key, name in ((5, "a"), (1, "b"), (2, "c"))]  # one in the heap, two in the queue

    assert index_findings(state, Observation(0, (), heap=heap, queued=2), {}) == []
    assert [f.property for f in index_findings(state, Observation(0, (), heap=heap), {})] == ["HEAP_ORDER"]
    swapped = [heap[0], heap[2], heap[1]]
    assert [f.property for f in index_findings(state, Observation(0, (), heap=swapped, queued=2), {})] == ["HEAP_ORDER"]
