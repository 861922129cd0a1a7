"""Makes the tree of a shadow anew from the live one: after a difference, so that what follows from it is not a difference again.

Times and creations are read as the live cache counts them, and only their order is kept: our clock counts accesses.
"""

from collections.abc import Iterable
from typing import Any

from radixcheck.optimized.integrations.sglang_cache import packed
from radixcheck.optimized.keys import TOKEN_BYTES
from radixcheck.verification.watch.shadow_cache import PairedNode, PairedTree
from radixcheck.verification.watch.tree_view import TreeView


class NotReadable(Exception):
    """The live tree has too many nodes to be read within one call, or is not a tree that our cache can have."""


def rebuilt(cache: Any, view: TreeView, nodes_max: int) -> dict[Any, PairedNode]:
    """Give the shadow's cache the nodes of the live tree; return ours by the live one. Raises NotReadable."""
    cache.reset()
    tree: PairedTree = cache.tree
    tree.root.local_lock_ref = 1 << 62  # how many requests hold the root is not known; it is never evicted
    nodes = _adopted(cache, view, nodes_max)
    _attributes(tree, view, nodes)
    for node in nodes:
        if node.local_lock_ref:
            tree.protected += node.size
        else:
            tree.evictable += node.size
    for node in nodes:
        if node.is_evictable_leaf() != view.is_candidate(node.live):
            raise NotReadable("the live tree is wrong about which leaves may be evicted")
        if node.is_evictable_leaf():
            tree.heap.push(node)
    return {node.live: node for node in nodes}


def _adopted(cache: Any, view: TreeView, nodes_max: int) -> list[PairedNode]:
    """Return a node for each of the live tree, parents first."""
    tree, nodes = cache.tree, list[PairedNode]()
    waiting: list[tuple[Any, Any]] = [(child, tree.root) for child in view.children(view.root)]
    while waiting:
        live, parent = waiting.pop()
        size = view.size(live)
        segment = packed(view.tokens(live), size)
        link = tree.child_key(parent, view.namespace(live), segment[: view.page_size * TOKEN_BYTES])
        node = PairedNode(parent, link, segment, cache.req_to_token_pool.first(size).clone())
        node.live, node.local_lock_ref = live, _local_locks(view, live)
        parent.adopt(node)
        nodes.append(node)
        if len(nodes) > nodes_max:
            raise NotReadable(f"the live tree has more than {nodes_max:,} nodes")
        if view.filed(live) is not live or view.parent(live) is not (view.root if parent is tree.root else parent.live):
            raise NotReadable("a node of the live tree is not filed where it belongs")
        waiting += [(child, node) for child in view.children(live)]
    return nodes


def _local_locks(view: TreeView, live: Any) -> int:
    """Return the holders of a node alone, and its locked children: `local_lock_ref`."""
    below = [view.locks(child) for child in view.children(live)]
    holders = view.locks(live) - sum(map(view.weight, below))
    if holders < 0:
        raise NotReadable("the lock counts of the live tree do not add up")
    return holders + sum(map(bool, below))


def _attributes(tree: PairedTree, view: TreeView, nodes: list[PairedNode]) -> None:
    """Set what the policy compares. The live cache's first number is our hits, our priority or our creation, as the policy says."""
    times, first = _ranks(view.time(node.live) for node in nodes), [view.order(node.live)[0] for node in nodes]
    born = _ranks(abs(number) for number in first)
    for node, number in zip(nodes, first, strict=True):
        node.time = times[view.time(node.live)]
        match view.policy:
            case "lfu":
                node.hits = int(number)
            case "slru":
                node.hits = hits_of(node.live)
            case "priority":
                node.priority = int(number)
            case "fifo" | "filo":
                node.creation = born[abs(number)]
    tree.now = max([*times.values(), *born.values()], default=0)


def _ranks(numbers: Iterable[float]) -> dict[float, int]:
    """Return the place of each number in their order, from 1."""
    return {number: place for place, number in enumerate(sorted({*numbers}), 1)}


def hits_of(live: Any) -> int:
    """Return the hits of a live node, which the policy slru does not show."""
    return int(live.hit_count if hasattr(live, "hit_count") else live.hits)
