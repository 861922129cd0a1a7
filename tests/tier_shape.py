"""What a cache with two tiers holds, so that the reference and the optimized cache can be compared, and what the fast one counts."""

from typing import Any

from radixcheck.optimized import TieredCache
from radixcheck.optimized.keys import unpack
from radixcheck.optimized.tier_node import TieredNode
from radixcheck.reference import TieredCache as Readable
from radixcheck.reference.node import below, path


def by_prefix(cache: TieredCache | Readable) -> dict[Any, Any]:
    """Return every node by its prefix: its tiers, whether it is locked, how many loads fill it, and its attributes."""
    return _fast(cache) if isinstance(cache, TieredCache) else _slow(cache)


def nodes_of(cache: TieredCache) -> list[TieredNode]:
    """Return every node below the root, parents first."""
    nodes: list[Any] = list(cache.tree.root.children.values())
    for node in nodes:  # appends to it
        nodes.extend(node.children.values())
    return nodes


def check_counters(cache: TieredCache) -> None:
    """Recompute from the tree what the cache counts, and what its heaps must hold."""
    tree, nodes = cache.tree, nodes_of(cache)
    resident = [node for node in nodes if node.resident]
    assert tree.evictable == sum(node.size for node in resident if not node.local_lock_ref)
    assert tree.protected == sum(node.size for node in resident if node.local_lock_ref)
    assert tree.host_evictable == sum(node.size for node in nodes if not node.resident)
    for node in (tree.root, *nodes):
        assert node.resident_children == sum(child.resident for child in node.children.values() if isinstance(child, TieredNode))
        assert node.slots.numel() == (node.size if node.resident else 0)
        assert node.host is None or node.host.numel() == node.size
        assert node.resident or (node.host is not None and not node.local_lock_ref)
    for heap, tier in ((tree.heap, True), (tree.host_heap, False)):
        candidates = [node for node in nodes if node.resident is tier and node.is_evictable_leaf()]
        entries = {id(entry) for entry in heap}
        assert heap.leaf_count == len(candidates)
        for node in candidates:
            assert node.entry is not None
            assert id(node.entry) in entries, "a candidate's entry is in the heap of its tier"
            assert node.entry[:2] <= heap.key(node), "a stored key is not greater than the live one"
        assert len(heap) <= 2 * heap.leaf_count + 4
    assert cache._memory.loads == sum(copy.up for copy in cache.copies)


def _fast(cache: TieredCache) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    prefixes: dict[Any, Any] = {cache.tree.root: ()}
    for node in nodes_of(cache):
        space = node.child_key[0] if isinstance(node.child_key, tuple) else None
        prefixes[node] = (*prefixes[node.parent], *([space] if space is not None else []), *unpack(node.segment))
        tiers = (node.resident, node.host is not None, node.local_lock_ref > 0, int(node.filling is not None))
        found[prefixes[node]] = (*tiers, node.time, node.creation, node.hits, node.priority)
    return found


def _slow(cache: Readable) -> dict[Any, Any]:
    found = {}
    for node in below(cache.root):
        nodes = [*path(node)][::-1]
        prefix = (nodes[0].child_key[0], *(token for above in nodes for token in above.segment))
        tiers = (node.is_resident, node.is_hosted, node.lock > 0, node.pins)
        found[prefix] = (*tiers, node.time, node.creation, node.hits, node.priority)
    return found
