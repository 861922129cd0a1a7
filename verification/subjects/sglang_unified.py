"""SGLang's `UnifiedRadixCache` (tested with 0.5.23), unmodified, over each of its two tree cores.

The core in Python is a white box; its clock is a counter, which is deterministic already. The core in Rust shows sizes and the slots of a
path, but no times: it is a black box. Handles are numbers; a core forgets the numbers of removed nodes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from radixcheck.verification.remote.serve import Key, Missing, Observation, SeenNode, Supports
from radixcheck.verification.subjects.engine_shim import EngineShim, Peek, WhiteBox
from radixcheck.verification.subjects.sglang import POLICIES, Current, Interface, nodes_of

CORES = {"python": "UnifiedTreeCore", "rust": "RustUnifiedTreeCore"}


def built(has: Interface, common: Mapping[str, Any], core: str) -> Any:
    """Return the unmodified cache over one of its cores. Raises Missing."""
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
    """The tree, over any core."""

    core: str
    supports: Supports

    def __init__(self, setup: Any) -> None:
        super().__init__(setup)
        self.cache = built(self._has, self._common, self.core)
        self._core = self.cache.tree_core

    def peek(self, key: Key) -> Peek:
        """Call the cache's own peek, which returns the node at which it ends.

        A lock of that node, released at once, shows how many evictable tokens a match would protect. If the peek ends inside the node, the
        lock protects the rest of it too, which is subtracted.
        """
        length, node, pinned = self._core.match_full_device_prefix(self._key(key))
        before = self.cache.evictable_size()
        lock = self.cache.lock(node)
        kept = before - self.cache.evictable_size()
        self.cache.unlock(lock)
        return Peek(length, kept - (pinned - length) if kept else 0)

    def attached(self, node: Any) -> bool:
        """Return whether the core knows this node."""
        try:
            self._core.collect_path_info([node])
        except KeyError:
            return False
        return True

    def reset(self) -> None:
        """The engine empties the allocator as well: here the slots go back to the pool, in an order that is the same for both cores."""
        held = sorted(self.cache.all_values_flatten().tolist())
        self.cache.reset()
        self._pool.free(held)


class PythonCore(Unified):
    """The tree with the core in Python."""

    core = "python"
    supports = Supports(policies=POLICIES, attributes=frozenset({"time", "creation", "hits", "priority"}))

    def observe(self, requests: Any) -> Observation:
        """Return every node below the root, parents first, with the key under which its parent files it."""
        from sglang.srt.mem_cache.unified_cache.components import base

        seen = [self._seen(node) for node in nodes_of(self._core.root_node)]
        leaves = [node.id for node in self._core.evictable_device_leaves]
        return Observation(float(base._LAST_ACCESS_TIME_COUNTER_FLOAT), seen, requests, leaves=leaves)

    def locate(self, node: Any) -> Any:
        """Return the handle: handles are the names of nodes."""
        return None if self._core.is_root(node) else node

    def _seen(self, node: Any) -> SeenNode:
        from sglang.srt.mem_cache.unified_cache.component_type import ComponentType

        space, page = self._shown(node)
        full = node.component_data[ComponentType.FULL]
        attributes = (full.lock_ref, float(node.last_access_time), float(node.creation_time), node.hit_count, node.priority)
        return SeenNode(node.id, self.locate(node.parent.id), node.key.token_ids, full.value, space, page, *attributes)


class RustCore(Unified):
    """The tree with the core in Rust."""

    core = "rust"
    supports = Supports(policies=POLICIES)


def sglang_python(setup: Any) -> WhiteBox:
    """Return the unified cache of the installed SGLang with its core in Python."""
    return WhiteBox(PythonCore(setup), setup.pool)


def sglang_rust(setup: Any) -> EngineShim:
    """Return the unified cache with its core in Rust."""
    return EngineShim(RustCore(setup), setup.pool)
