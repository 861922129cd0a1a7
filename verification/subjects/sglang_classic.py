"""SGLang's classic `RadixCache` (tested with 0.5.23), unmodified, but for a deterministic clock. Its inside is read.

`checkpoint` is the cache's own; admission, allocation and the release of a request are in `engine_shim.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from radixcheck.verification.remote.serve import Key, Observation, SeenNode, Supports
from radixcheck.verification.subjects.engine_shim import Peek, WhiteBox
from radixcheck.verification.subjects.sglang import POLICIES, Clock, Current, Interface, Linked, nodes_of


def built(has: Interface, common: Mapping[str, Any]) -> Any:
    """Return the unmodified cache."""
    from sglang.srt.mem_cache.radix_cache import RadixCache

    return RadixCache(has.parameters(**common))


class Classic(Linked, Current):
    """The tree."""

    supports = Supports(policies=POLICIES, attributes=frozenset({"time", "creation", "hits", "priority"}))

    def __init__(self, setup: Any) -> None:
        super().__init__(setup)
        from sglang.srt.mem_cache import radix_cache

        self._clock = radix_cache.time = Clock()
        self._page = setup.page_size
        self.cache = built(self._has, self._common)

    def peek(self, key: Key) -> Peek:
        """Return what a match would find; changes nothing."""
        return self._walk(
            self._key(key), lambda left: left.child_key(self._page), lambda segment, left: segment.match(left, page_size=self._page)
        )

    def observe(self, requests: Any) -> Observation:
        """Return every node below the root, parents first, with the key under which its parent files it."""
        leaves = [node.id for node in self.cache.evictable_leaves]
        return Observation(self._clock.now, [self._seen(node) for node in nodes_of(self.cache.root_node)], requests, leaves=leaves)

    def _seen(self, node: Any) -> SeenNode:
        space, page = self._shown(node)
        attributes = (node.lock_ref, node.last_access_time, node.creation_time, node.hit_count, node.priority)
        return SeenNode(node.id, self.locate(node.parent), node.key.token_ids, node.value, space, page, *attributes)


def sglang_classic(setup: Any) -> WhiteBox:
    """Return the classic cache of the installed SGLang."""
    return WhiteBox(Classic(setup), setup.pool)
