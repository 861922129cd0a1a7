"""Program checks of what a cache keeps next to its tree: the heap's array, its size, and indices of leaves."""

from collections.abc import Mapping, Sequence

from radixcheck.spec.heap_machine import SLACK
from radixcheck.spec.run.state import State
from radixcheck.verification.core.watched_pool import Finding
from radixcheck.verification.protocol import NodeId, Observation, SeenEntry


def evictable_leaves(state: State) -> set[int]:
    """Positions of unlocked nodes without children."""
    return {n for n in state.node - state.kids.keys() if state.lock[n] == 0}


def index_findings(state: State, seen: Observation, places: Mapping[NodeId | None, int]) -> list[Finding]:
    """Return where the indices contradict the tree. `places`: the position at which each node ends."""
    if seen.heap is None and seen.leaf_count is None and seen.leaves is None:
        return []
    leaves = evictable_leaves(state)
    out: list[Finding] = []
    if seen.leaf_count is not None and seen.leaf_count != len(leaves):
        out.append(Finding("LEAFSET", f"expected a count of {len(leaves)} evictable leaves, found {seen.leaf_count}"))
    if seen.leaves is not None and set(map(places.get, seen.leaves)) != leaves:
        text = f"expected the {len(leaves)} evictable leaves of the tree in the index, found a different set of {len(seen.leaves)}"
        out.append(Finding("LEAFSET", text))
    if seen.heap is not None:
        if len(seen.heap) > 2 * len(leaves) + SLACK:
            text = f"expected at most 2 x {len(leaves)} + {SLACK} heap entries for {len(leaves)} evictable leaves, found {len(seen.heap)}"
            out.append(Finding("HEAP_BOUND", text))
        if not seen.in_order(lambda entry: entry.key):
            out.append(Finding("HEAP_ORDER", _misplaced(seen.heap, len(seen.heap) - seen.queued)))
    return out


def _misplaced(entries: Sequence[SeenEntry], heap: int) -> str:
    """Return the first entry with an earlier key than an entry before it. The first `heap` entries are in the heap, the rest queue."""
    for i, entry in enumerate(entries):
        before = (i - 1) // 2 if i < heap else i - 1
        if i not in (0, heap) and not entries[before].key <= entry.key:  # as `Observation.in_order` compares: NaN is never in order
            return f"heap entry {i} with key {entry.key} is behind entry {before} with the later key {entries[before].key}"
    raise AssertionError("all of them are in order")
