"""The catalogue's formulas, compiled for one policy, the number of their evaluations, and the program checks of a cache's indices.

The indices are what a cache keeps next to its tree: the heap's array, its size, and indices of leaves.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
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
from radixcheck.verification.core.catalogue import CATALOGUE, HOST_FORMULAS
from radixcheck.verification.core.found import Violation
from radixcheck.verification.protocol import NodeId, Observation, SeenEntry


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
        if p.formula is None or p.witness is None:
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


def index_findings(state: State, seen: Observation, places: Mapping[NodeId | None, int]) -> list[Violation]:
    """Return where the indices contradict the tree. `places`: the position at which each node ends."""
    if seen.heap is None and seen.leaf_count is None and seen.leaves is None:
        return []
    leaves = evictable_leaves(state)
    out: list[Violation] = []
    if seen.leaf_count is not None and seen.leaf_count != len(leaves):
        out.append(Violation("LEAFSET", f"expected a count of {len(leaves)} evictable leaves, found {seen.leaf_count}"))
    if seen.leaves is not None and set(map(places.get, seen.leaves)) != leaves:
        text = f"expected the {len(leaves)} evictable leaves of the tree in the index, found a different set of {len(seen.leaves)}"
        out.append(Violation("LEAFSET", text))
    if seen.heap is not None:
        if len(seen.heap) > 2 * len(leaves) + SLACK:
            text = f"expected at most 2 x {len(leaves)} + {SLACK} heap entries for {len(leaves)} evictable leaves, found {len(seen.heap)}"
            out.append(Violation("HEAP_BOUND", text))
        if not seen.in_order(lambda entry: entry.key):
            out.append(Violation("HEAP_ORDER", _misplaced(seen.heap, len(seen.heap) - seen.queued)))
    return out


def _misplaced(entries: Sequence[SeenEntry], heap: int) -> str:
    """Return the first entry with an earlier key than an entry before it. The first `heap` entries are in the heap, the rest queue."""
    for i, entry in enumerate(entries):
        before = (i - 1) // 2 if i < heap else i - 1
        if i not in (0, heap) and not entries[before].key <= entry.key:  # as `Observation.in_order` compares: NaN is never in order
            return f"heap entry {i} with key {entry.key} is behind entry {before} with the later key {entries[before].key}"
    raise AssertionError("all of them are in order")
