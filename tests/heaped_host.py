"""The reference with a host tier and, beside its tree, a heap of host leaves: an index that it shows, pushes to, and never reads."""

from dataclasses import replace
from typing import Any

from radixcheck.reference.copies import Copy
from radixcheck.reference.node import Node, below
from radixcheck.reference.tiered_node import TieredNode, is_host_leaf, to_tiered
from radixcheck.spec.heap_machine import SLACK
from radixcheck.verification.protocol import Observation, SeenEntry, Setup
from radixcheck.verification.subjects.reference_host_subject import ReferenceHostSubject

FAULTS = {
    "demote": "HOST_HEAP_FULL",
    "evict_host": "HOST_HEAP_FULL",
    "fail_load": "HOST_HEAP_FULL",
    "touch": "HOST_HEAP_STALE",
    "count": "LEAFSET",
    "tokens": "LEAFSET",
    "tidy": "HEAP_BOUND",
    "order": "HEAP_ORDER",
}


class HeapedHost(ReferenceHostSubject):
    """Pushes an entry at each step of `spec/host/host_heap.py` that must, but at the one that is its `fault`."""

    fault = ""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.entries: list[SeenEntry] = []
        self.current: dict[Node, SeenEntry] = {}
        self._serial = 0

    def observe(self) -> Observation:
        """Show the heap, and the counters."""
        entries = [entry._replace(speaks=entry in self.current.values()) for entry in self.entries]
        nodes = [node for node in map(to_tiered, below(self.root)) if not node.is_resident]
        leaves, tokens = sum(map(is_host_leaf, nodes)), sum(len(node.segment) for node in nodes)
        wrong = {"count": leaves + (leaves > 1), "tokens": tokens + (leaves > 1)}.get(self.fault)
        shown = replace(super().observe(), host_heap=entries, host_queued=len(entries) - (self.fault == "order" and len(entries) > 2))
        return replace(
            shown,
            host_leaf_count=leaves if wrong is None or self.fault == "tokens" else wrong,
            host_only=tokens if wrong is None or self.fault == "count" else wrong,
        )

    def reset(self) -> None:
        """Forget the entries, too."""
        super().reset()
        self.entries, self.current = [], {}

    def _push(self, node: Node, step: str) -> None:
        """Push an entry, if the one that the node has is missing or too late."""
        known, key = self.current.get(node), self._eviction_key(node)
        if not is_host_leaf(to_tiered(node)) or node is self.root or self.fault == step or (known and known.key <= key):
            return
        self._serial += 1
        self.current[node] = entry = SeenEntry(key, id(node), self._serial)
        self.entries = sorted([*self.entries, entry], key=lambda each: (each.key, each.serial))
        if self.fault == "order":
            self.entries.reverse()

    def _tidy(self) -> None:
        leaves = [node for node in below(self.root) if is_host_leaf(to_tiered(node))]
        if len(self.entries) > 2 * len(leaves) + SLACK and self.fault != "tidy":
            self.current = {node: self.current[node] for node in leaves if node in self.current}
            self.entries = [entry for entry in self.entries if entry in self.current.values()]

    def _take_off_device(self, nodes: list[TieredNode]) -> None:
        super()._take_off_device(nodes)
        for node in nodes:
            self._push(node, "fail_load" if self._failing else "demote")

    _failing = False

    def _settle(self, copy: Copy) -> None:
        self._failing = copy.up
        super()._settle(copy)
        self._failing = False
        self._tidy()

    def _leave_host(self, leaf: TieredNode) -> None:
        parent = leaf.parent
        super()._leave_host(leaf)
        assert parent is not None
        self._push(parent, "evict_host")
        self._tidy()

    def _touch(self, node: Node, hits: int = 0, priority: int = 0) -> None:
        super()._touch(node, hits, priority)
        self._push(node, "touch")
        self._tidy()

    def _cache(self, *given: Any, **more: Any) -> TieredNode:
        last = super()._cache(*given, **more)
        self._tidy()
        return last

    def _load(self, end: TieredNode) -> None:
        super()._load(end)
        self._tidy()


def heaped(setup: Setup, fault: str = "") -> HeapedHost:
    """Return such a cache."""
    cache = HeapedHost.of(setup)
    cache.fault = fault
    return cache
