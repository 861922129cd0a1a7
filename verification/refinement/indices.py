"""Program checks of what a cache keeps beside its tree: the heap's array, its bound, and indices of leaves."""

from collections.abc import Mapping
from itertools import chain
from operator import le

from radixcheck.spec.heap import SLACK
from radixcheck.verification.model.state import State
from radixcheck.verification.protocol import NodeId, Observation, SeenEntry
from radixcheck.verification.refinement.pool import Finding


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
        out += _heap_order(seen.heap)
    return out


def _heap_order(heap: object) -> list[Finding]:
    assert isinstance(heap, list | tuple)
    entries: list[SeenEntry] = list(heap)
    keys = [entry.key for entry in entries]
    if all(map(le, chain.from_iterable(zip(keys, keys, strict=True)), keys[1:])):  # each parent before its two children
        return []
    for i in range(1, len(entries)):
        parent = (i - 1) // 2
        if entries[i].key < entries[parent].key:
            text = f"entry {i} with key {entries[i].key} lies below entry {parent} with key {entries[parent].key}"
            return [Finding("HEAP_ORDER", text)]
    return []
