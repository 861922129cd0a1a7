"""How the trees of SGLang 0.5 are read: of the classic cache, and of the unified cache with its core in Python.

A lock count of these trees counts the holders of a node and of all nodes below it. That of the root is always 1.
"""

from array import array
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from radixcheck.spec.values import Namespace
from radixcheck.verification.watch.engine_view import EngineView
from radixcheck.verification.watch.tree_view import NodeKey, Removal

FULL = 0  # the component of full attention, as SGLang numbers them


class SGLangView(EngineView):
    """What both trees have in common: keys, links, times."""

    root: Any
    _strategy: Any  # of eviction

    def __init__(self, cache: Any) -> None:
        super().__init__(cache)
        self._key_kind = type(self.root.key)

    def filed(self, node: Any) -> Any | None:
        """Return what its parent has under the child key of its segment."""
        return node.parent.children.get(node.key.child_key(self.page_size))

    def below(self, node: Any, namespace: Namespace, rest: Sequence[int]) -> Any | None:
        """Return the child that the next page of a key leads to."""
        size = self.page_size
        if len(rest) < size:
            return None
        extra, salt = namespace
        return node.children.get(self._key_kind(array("q", rest[:size]), extra, cache_salt=salt).child_key(size))

    def size(self, node: Any) -> int:
        """Return the tokens of its segment."""
        return len(node.key)

    def tokens(self, node: Any) -> Sequence[int]:
        """Return its segment."""
        tokens: array[int] = node.key.raw_token_ids()
        return tokens

    def namespace(self, node: Any) -> Namespace:
        """Return the namespace of its key."""
        return (node.key.extra_key, node.key.cache_salt)

    def weight(self, locks: int) -> int:
        """Return how much a child with this lock count adds to that of its parent: the same."""
        return locks

    def time(self, node: Any) -> float:
        """Return the time of its last access."""
        time: float = node.last_access_time
        return time

    def order(self, node: Any) -> NodeKey:
        """Return what an eviction compares: the key of the policy, and then the time of the last access."""
        key = self._strategy.get_priority(node)
        return key if type(key) is tuple else (key, node.last_access_time)


class ClassicView(SGLangView):
    """`RadixCache`. Handles are nodes."""

    cache_name = "sglang-classic"

    def __init__(self, cache: Any) -> None:
        super().__init__(cache)
        self._strategy = cache.eviction_strategy
        self.policy = cache.eviction_policy

    @property
    def root(self) -> Any:
        """The root of now."""
        return self.cache.root_node

    @property
    def removal(self) -> Removal:
        """Where nodes leave the tree. Their slots have been freed before."""
        return Removal(self.cache, "_delete_leaf")

    def node(self, handle: Any) -> Any:
        """Return the handle."""
        return handle

    def slots(self, node: Any) -> Tensor:
        """Return its slots."""
        slots: Tensor = node.value
        return slots

    def locks(self, node: Any) -> int:
        """Return its lock count."""
        count: int = node.lock_ref
        return count

    def is_candidate(self, node: Any) -> bool:
        """Return whether it is in the set of leaves that may be evicted."""
        return node in self.cache.evictable_leaves


class UnifiedView(SGLangView):
    """`UnifiedRadixCache` over `UnifiedTreeCore`, for models with full attention only. Handles are numbers."""

    cache_name = "sglang-python"

    def __init__(self, cache: Any) -> None:
        self._core = cache.tree_core
        super().__init__(cache)
        self._strategy = self._core.eviction_strategy
        self.policy = policy_of(self._strategy)

    @property
    def root(self) -> Any:
        """The root of now."""
        return self._core.root_node

    @property
    def removal(self) -> Removal:
        """Where nodes leave the tree: without a host tier the only place, in which they still have their slots."""
        return Removal(self._core, "_delete_unbacked_device_leaf")

    def node(self, handle: Any) -> Any:
        """Return the node of a number. Raises KeyError if it has left the tree."""
        return self._core.node_by_id(handle) if isinstance(handle, int) else handle

    def slots(self, node: Any) -> Tensor:
        """Return its slots."""
        slots: Tensor = node.component_data[FULL].value
        return slots

    def locks(self, node: Any) -> int:
        """Return its lock count."""
        count: int = node.component_data[FULL].lock_ref
        return count

    def is_candidate(self, node: Any) -> bool:
        """Return whether it is in the set of leaves that may be evicted."""
        return node in self._core.evictable_device_leaves


def policy_of(strategy: Any) -> str:
    """Return the name of the policy of an eviction strategy of SGLang."""
    return type(strategy).__name__.removesuffix("Strategy").lower()
