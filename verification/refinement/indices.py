"""Program checks of what a cache keeps beside its tree: the heap's array, its bound, and indices of leaves."""

from radixcheck.spec.heap import SLACK
from radixcheck.verification.model.state import State
from radixcheck.verification.protocol import Observation, SeenEntry
from radixcheck.verification.refinement.pool import Finding


def evictable_leaves(state: State) -> set[int]:
    """Positions of unlocked nodes without children."""
    return {n for n in state.node if state.lock[n] == 0 and n not in state.kids}


def index_findings(state: State, seen: Observation) -> list[Finding]:
    """What the indices say that the tree does not."""
    if seen.heap is None and seen.leaf_count is None and seen.leaves is None:
        return []
    leaves = evictable_leaves(state)
    out: list[Finding] = []
    if seen.leaf_count is not None and seen.leaf_count != len(leaves):
        out.append(Finding("LEAFSET", f"counts {seen.leaf_count} evictable leaves, the tree has {len(leaves)}"))
    if seen.leaves is not None and len(seen.leaves) != len(leaves):
        out.append(Finding("LEAFSET", f"lists {len(seen.leaves)} evictable leaves, the tree has {len(leaves)}"))
    if seen.heap is not None:
        if len(seen.heap) > 2 * len(leaves) + SLACK:
            text = f"{len(seen.heap)} entries for {len(leaves)} evictable leaves: more than 2 x {len(leaves)} + {SLACK}"
            out.append(Finding("HEAP_BOUND", text))
        out += _heap_order(seen.heap)
    return out


def _heap_order(heap: object) -> list[Finding]:
    assert isinstance(heap, list | tuple)
    entries: list[SeenEntry] = list(heap)
    for i in range(1, len(entries)):
        parent = (i - 1) // 2
        if entries[i].key < entries[parent].key:
            text = f"entry {i} with key {entries[i].key} lies below entry {parent} with key {entries[parent].key}"
            return [Finding("HEAP_ORDER", text)]
    return []
