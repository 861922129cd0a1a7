"""Program checks of what a cache keeps beside its tree: the heap's array, its bound, and indices of leaves."""

from collections.abc import Mapping, Sequence

from radixcheck.spec.heap_machine import SLACK
from radixcheck.spec.run.state import State
from radixcheck.verification.core.watched_pool import Finding
from radixcheck.verification.protocol import NodeId, Observation, SeenEntry


def evictable_leaves(state: State) -> set[int]:
    """Positions of unlocked nodes without children."""
    return {n for n in state.node - state.kids.keys() if state.lock[n] == 0}


def index_findings(state: State, seen: Observation, places: Mapping[NodeId | None, int]) -> list[Finding]:
    """What the indices say that the tree does not. `places`: where the nodes lie."""
    if seen.heap is None and seen.leaf_count is None and seen.leaves is None:
        return []
    leaves = evictable_leaves(state)
    out: list[Finding] = []
    if seen.leaf_count is not None and seen.leaf_count != len(leaves):
        out.append(Finding("LEAFSET", f"counts {seen.leaf_count} evictable leaves, the tree has {len(leaves)}"))
    if seen.leaves is not None and set(map(places.get, seen.leaves)) != leaves:
        out.append(Finding("LEAFSET", f"lists {len(seen.leaves)} evictable leaves, and not just the {len(leaves)} that the tree has"))
    if seen.heap is not None:
        if len(seen.heap) > 2 * len(leaves) + SLACK:
            text = f"{len(seen.heap)} entries for {len(leaves)} evictable leaves: more than 2 x {len(leaves)} + {SLACK}"
            out.append(Finding("HEAP_BOUND", text))
        if not seen.in_order(lambda entry: entry.key):
            out.append(Finding("HEAP_ORDER", _misplaced(seen.heap, len(seen.heap) - seen.queued)))
    return out


def _misplaced(entries: Sequence[SeenEntry], heap: int) -> str:
    """The first entry that surfaces after one that it should surface before. The first so many lie in the heap, the others queue."""
    for i, entry in enumerate(entries):
        before = (i - 1) // 2 if i < heap else i - 1
        if i not in (0, heap) and entry.key < entries[before].key:
            return f"entry {i} with key {entry.key} lies below entry {before} with key {entries[before].key}"
    raise AssertionError("all of them are in order")
