"""The cache of the shadow: ours, with nothing of the server. Its slots are all the same, because no request reads them."""

from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from radixcheck.optimized.integrations.sglang_cache import SGLangCache, cache_class
from radixcheck.optimized.node import ChildKey, Node
from radixcheck.optimized.tree import NodeTree
from radixcheck.verification.watch.tree_view import TreeView


class PairedNode(Node):
    """A node that knows the node of the live cache that ends where it ends."""

    __slots__ = ("live",)

    def __init__(self, parent: Node | None, child_key: ChildKey, segment: bytes, slots: Tensor) -> None:
        super().__init__(parent, child_key, segment, slots)
        self.live: Any = None  # no call has shown it yet

    def __str__(self) -> str:
        return f"the node of {self.size} tokens that ends at {self.end}"


class PairedTree(NodeTree):
    """Remembers the victims of an eviction, in order."""

    kind = PairedNode

    def __init__(self, page_size: int, policy: str, device: torch.device) -> None:
        super().__init__(page_size, policy, device)
        self.victims: list[PairedNode] = []

    def evict_leaf(self, leaf: Node) -> None:
        """Remove a victim, and remember it."""
        assert isinstance(leaf, PairedNode)
        super().evict_leaf(leaf)
        self.victims.append(leaf)


class SameSlots:
    """The rows of all requests: as many zeros as are read."""

    def __init__(self) -> None:
        self.req_to_token = self
        self._zeros = torch.zeros(0, dtype=torch.int64)

    def __getitem__(self, place: tuple[int, slice]) -> Tensor:
        return self.first(place[1].stop)

    def first(self, tokens: int) -> Tensor:
        """Return the slots of the first tokens of a row."""
        if tokens > len(self._zeros):
            self._zeros = torch.zeros(2 * tokens, dtype=torch.int64)
        return self._zeros[:tokens]

    def write(self, indices: Any, values: Tensor) -> None:
        """Write slots into a row: they are there."""


class CountedSlots:
    """An allocator of slots that counts what comes back. Nothing takes slots from it."""

    device = "cpu"

    def __init__(self, size: int, page_size: int) -> None:
        self.size, self.page_size = size, page_size
        self.freed = 0  # tokens, since it was set to 0

    def free_segment(self, free_index: Tensor, *, start_pos: int) -> None:
        """Count slots that come back."""
        self.freed += len(free_index)


class Request:
    """What our cache reads of a request of the server, and writes instead of it."""

    def __init__(self, request: Any, protected: int, inserted: int, lock: Any) -> None:
        self.full_untruncated_fill_ids = request.full_untruncated_fill_ids
        self.origin_input_ids = request.origin_input_ids
        self.extra_key, self.cache_salt, self.priority = request.extra_key, request.cache_salt, request.priority
        self.kv = SimpleNamespace(req_pool_idx=0, cache_protected_len=protected, cache_inserted_len=inserted)
        self.lock = lock
        self.last_node: Any = None


def shadow_cache(view: TreeView, kind: type[SGLangCache], results: Any) -> Any:
    """Return a cache of this kind beside that of a view; `results` as `cache_class` takes it. Raises ValueError for an unknown policy."""
    parameters = SimpleNamespace(
        req_to_token_pool=SameSlots(),
        token_to_kv_pool_allocator=CountedSlots(view.capacity, view.page_size),
        page_size=view.page_size,
        eviction_policy=view.policy,
        enable_metrics=False,
        enable_kv_cache_events=False,
    )
    tree = type("PairedTree", (PairedTree, kind.tree_kind), {})
    return type(f"Shadow{kind.__name__}", (cache_class(results, kind),), {"tree_kind": tree})(parameters)
