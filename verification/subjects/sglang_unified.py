"""SGLang's `UnifiedRadixCache` (tried with 0.5.23), unmodified, over each of its two tree cores.

The core in Python shows its inside; its clock is a counter, so no other is needed. The one in Rust shows sizes, the slots of a path and no
times: it is a black box. Handles are numbers, of which a core forgets those of nodes that are gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from radixcheck.verification.remote.serve import Key, Missing, Observation, SeenNode, Supports
from radixcheck.verification.subjects.engine_shim import EngineShim, Peek, WhiteBox
from radixcheck.verification.subjects.sglang import POLICIES, Current, Interface, nodes_of

CORES = {"python": "UnifiedTreeCore", "rust": "RustUnifiedTreeCore"}


def built(has: Interface, common: Mapping[str, Any], core: str) -> Any:
    """The unmodified cache over one of its cores. Raises Missing."""
    try:
        from sglang.srt.mem_cache.unified_cache.component_type import ComponentType
        from sglang.srt.mem_cache.unified_radix_cache import UnifiedRadixCache
    except ImportError as error:
        raise Missing(f"sglang {has.version} has no unified cache that can be imported: {error}") from error
    cache = UnifiedRadixCache(has.parameters(**common, tree_components=(ComponentType.FULL,), tree_core_backend=core))
    took = type(cache.tree_core).__name__
    if took != CORES[core]:
        raise Missing(f"sglang {has.version} has no core in {core} for this machine: it took {took} instead")
    return cache


class Unified(Current):
    """The tree, whichever core it has."""

    core: str
    supports: Supports

    def __init__(self, setup: Any) -> None:
        super().__init__(setup)
        self.cache = built(self._has, self._common, self.core)
        self._core = self.cache.tree_core

    def peek(self, key: Key) -> Peek:
        """The cache's own look. It names the node at which it ends: a lock of it, taken back at once, tells what it would keep. If it
        ends inside that node, the lock keeps the rest of it as well."""
        length, node, pinned = self._core.match_full_device_prefix(self._key(key))
        before = self.cache.evictable_size()
        lock = self.cache.lock(node)
        kept = before - self.cache.evictable_size()
        self.cache.unlock(lock)
        return Peek(length, kept - (pinned - length) if kept else 0)

    def attached(self, node: Any) -> bool:
        """Whether the core knows it."""
        try:
            self._core.collect_path_info([node])
        except KeyError:
            return False
        return True

    def reset(self) -> None:
        """The engine empties the allocator as well: what the tree holds goes back here, in an order that is no core's own."""
        held = sorted(self.cache.all_values_flatten().tolist())
        self.cache.reset()
        self._pool.free(held)


class PythonCore(Unified):
    """The core in Python."""

    core = "python"
    supports = Supports(policies=POLICIES, attributes=frozenset({"time", "creation", "hits", "priority"}))

    def observe(self, requests: Any) -> Observation:
        """Every node that the root leads to, parents first, under the key by which its parent finds it."""
        from sglang.srt.mem_cache.unified_cache.components import base

        seen = [self._seen(node) for node in nodes_of(self._core.root_node)]
        leaves = [node.id for node in self._core.evictable_device_leaves]
        return Observation(float(base._LAST_ACCESS_TIME_COUNTER_FLOAT), seen, requests, leaves=leaves)

    def locate(self, node: Any) -> Any:
        """Handles are the names of nodes."""
        return None if self._core.is_root(node) else node

    def _seen(self, node: Any) -> SeenNode:
        from sglang.srt.mem_cache.unified_cache.component_type import ComponentType

        space, page = self._shown(node)
        full = node.component_data[ComponentType.FULL]
        return SeenNode(
            node.id,
            self.locate(node.parent.id),
            node.key.token_ids,
            full.value,
            space,
            page,
            full.lock_ref,
            float(node.last_access_time),
            float(node.creation_time),
            node.hit_count,
            node.priority,
        )


class RustCore(Unified):
    """The core in Rust."""

    core = "rust"
    supports = Supports(policies=POLICIES)


def sglang_python(setup: Any) -> WhiteBox:
    """The unified cache of the installed SGLang with its core in Python."""
    return WhiteBox(PythonCore(setup), setup.pool)


def sglang_rust(setup: Any) -> EngineShim:
    """The same with its core in Rust."""
    return EngineShim(RustCore(setup), setup.pool)
