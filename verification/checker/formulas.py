"""The catalogue's formulas, compiled for one policy, the number of their evaluations, and the program checks of a cache's indices.

The indices are what a cache keeps next to its tree: the heap's array, its size, and indices of leaves.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from radixcheck.spec.heap_machine import SLACK
from radixcheck.spec.operations import PARAMETERS
from radixcheck.spec.policies import POLICIES
from radixcheck.spec.property import Property
from radixcheck.spec.run.host_state import HostState
from radixcheck.spec.run.reader import Check, check, holds
from radixcheck.spec.run.state import State
from radixcheck.spec.run.terms import functions
from radixcheck.verification.checker.difference_text import SHOWN_MAX, prefix_text
from radixcheck.verification.core.catalogue import CATALOGUE, HOST_FORMULAS
from radixcheck.verification.core.found import Violation
from radixcheck.verification.protocol import NodeId, Observation, SeenEntry, in_order


@dataclass(frozen=True, slots=True)
class Compiled:
    """A property whose formula and witness can be evaluated on states."""

    property: Property
    check: Check
    witness: Any
    reads: frozenset[str]  # names of the state functions in the formula


@cache
def compiled(policy: str, host: bool = False) -> tuple[tuple[Compiled, ...], dict[str, tuple[Compiled, ...]]]:
    """Return the state formulas (with the theorems), and the postconditions of each operation. `host`: of a cache with a host tier."""
    states: list[Compiled] = []
    posts: dict[str, list[Compiled]] = {}
    for p in (HOST_FORMULAS if host else CATALOGUE).values():
        if p.formula is None or p.witness is None or p.kind == "event":  # `judge_events` folds the events themselves
            continue
        formula, witness = p.formula(POLICIES[policy]), p.witness(POLICIES[policy])
        ready = Compiled(p, check(formula, PARAMETERS), holds(witness, PARAMETERS), functions(formula))
        if p.kind == "post":
            for operation in p.operations:
                posts.setdefault(operation, []).append(ready)
        else:
            states.append(ready)
    return tuple(states), {operation: tuple(ready) for operation, ready in posts.items()}


@dataclass(slots=True)
class Tally:
    """Per property: the states or calls checked, and those in which its witness held, so that the check was not vacuous."""

    checked: Counter[str] = field(default_factory=Counter)
    exercised: Counter[str] = field(default_factory=Counter)

    def count(self, property_: str, exercised: bool = True) -> None:
        """Add one state or call."""
        self.checked[property_] += 1
        self.exercised[property_] += exercised

    def evaluate(self, ready: Compiled, *arguments: Any) -> dict[str, int] | None:
        """Return None if the formula holds, else the values of its variables for which it is false.

        A state in which the formula has no value (a node without a parent, for example) is not counted.
        """
        try:
            failed = ready.check(*arguments)
            exercised = ready.witness(*arguments)
        except (KeyError, TypeError, IndexError):
            return None
        self.count(ready.property.id, exercised)
        return failed

    def add(self, other: "Tally") -> None:
        """Add the counts of another run."""
        self.checked.update(other.checked)
        self.exercised.update(other.exercised)


def evictable_leaves(state: State) -> set[int]:
    """Positions of unlocked nodes without children; with a host tier, of those on the device without children there."""
    if isinstance(state, HostState):
        return {n for n in state.node & state.resident if state.lock[n] == 0 and state.is_device_leaf(n)}
    return {n for n in state.node - state.kids.keys() if state.lock[n] == 0}


def host_leaves(state: HostState) -> set[int]:
    """Positions of nodes without children that only the host has, and that no load reads."""
    return {n for n in state.node - state.resident - state.kids.keys() if state.pins[n] == 0}


def index_findings(state: State, seen: Observation, places: Mapping[NodeId | None, int]) -> list[Violation]:
    """Return where the indices contradict the tree. `places`: the position at which each node ends."""
    out = _host_index_findings(state, seen) if isinstance(state, HostState) else []
    if seen.heap is None and seen.leaf_count is None and seen.leaves is None:
        return out
    leaves = evictable_leaves(state)
    if seen.leaf_count is not None and seen.leaf_count != len(leaves):
        out.append(Violation("LEAFSET", f"the count of evictable leaves is {seen.leaf_count}, the tree has {_leaves_text(state, leaves)}"))
    if seen.leaves is not None and set(map(places.get, seen.leaves)) != leaves:
        indexed = {places[name] for name in seen.leaves if name in places}
        gone = f" and {len(seen.leaves) - len(indexed)} that are not in the tree" if len(indexed) < len(seen.leaves) else ""
        text = f"the index of leaves has {_leaves_text(state, indexed)}{gone}; the tree has {_leaves_text(state, leaves)}"
        out.append(Violation("LEAFSET", text))
    return out + _heap_findings(seen.heap, seen.queued, len(leaves), "evictable leaves")


def _leaves_text(state: State, leaves: Collection[int]) -> str:
    """Return how many leaves these are, and the first of them."""
    named = [prefix_text(state.positions, n) for n in sorted(leaves)[:SHOWN_MAX]]
    more = f" and {len(leaves) - SHOWN_MAX} more" if len(leaves) > SHOWN_MAX else ""
    return f"{len(leaves)}: {', '.join(named)}{more}" if leaves else "none"


def _host_index_findings(state: HostState, seen: Observation) -> list[Violation]:
    """Return where the indices of the host contradict the tree."""
    if seen.host_heap is None and seen.host_leaf_count is None and seen.host_only is None:
        return []
    leaves, out = len(host_leaves(state)), list[Violation]()
    if seen.host_leaf_count is not None and seen.host_leaf_count != leaves:
        out.append(Violation("LEAFSET", f"the count of host leaves is {seen.host_leaf_count}, the tree has {leaves}"))
    tokens = len(state.hosted - state.resident) * state.positions.page_size
    if seen.host_only is not None and seen.host_only != tokens:
        out.append(Violation("LEAFSET", f"the count of tokens that only the host has is {seen.host_only}, the tree has {tokens}"))
    return out + _heap_findings(seen.host_heap, seen.host_queued, leaves, "host leaves")


def _heap_findings(entries: Sequence[SeenEntry] | None, queued: int, leaves: int, what: str) -> list[Violation]:
    """Return where a heap is too large for its leaves, or not in order. The last `queued` entries stand in a queue."""
    out: list[Violation] = []
    if entries is not None and len(entries) > 2 * leaves + SLACK:
        text = f"the heap has {len(entries)} entries for {leaves} {what}, expected at most 2 x {leaves} + {SLACK}"
        out.append(Violation("HEAP_BOUND", text))
    if entries is not None and not in_order(entries, queued, lambda entry: entry.key):
        out.append(Violation("HEAP_ORDER", _misplaced(entries, len(entries) - queued)))
    return out


def _misplaced(entries: Sequence[SeenEntry], heap: int) -> str:
    """Return the first entry with an earlier key than an entry before it. The first `heap` entries are in the heap, the rest queue."""
    for i, entry in enumerate(entries):
        before = (i - 1) // 2 if i < heap else i - 1
        if i not in (0, heap) and not entries[before].key <= entry.key:  # as `Observation.in_order` compares: NaN is never in order
            return f"heap entry {i} with key {entry.key} is behind entry {before} with the later key {entries[before].key}"
    raise AssertionError("all of them are in order")
