"""How a live tree is read. A view never changes the cache, and returns the cache's own objects: a node is whatever the cache uses."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from radixcheck.spec.values import Namespace

NodeKey = tuple[float, ...]  # what the policy compares: the candidate with the least one is evicted first


class Removal(NamedTuple):
    """The method with which a cache takes a node out of its tree: `getattr(owner, method)(node)`."""

    owner: object
    method: str


class TreeView(Protocol):
    """A tree of one SGLang cache. Sizes and lengths are in tokens. The root has no key and is never evicted."""

    cache_name: str  # as `radixcheck subjects` names it: sglang-classic, sglang-python, radixcheck
    version: str  # of the engine
    policy: str
    page_size: int
    slots_end: int  # one more than the greatest slot of the pool
    capacity: int  # tokens of the pool
    device: torch.device  # where the slots lie

    @property
    def root(self) -> Any:
        """The root of now: a reset may make another one."""

    @property
    def removal(self) -> Removal:
        """Where nodes leave the tree."""

    def node(self, handle: Any) -> Any:
        """Return the node of a handle that the cache gave out (`last_device_node`, the node of a lock)."""

    def parent(self, node: Any) -> Any | None:
        """Return its parent; None if it has none."""

    def children(self, node: Any) -> Collection[Any]:
        """Return its children."""

    def filed(self, node: Any) -> Any | None:
        """Return what its parent has under the child key that follows from its segment: `node` itself, if all is well."""

    def below(self, node: Any, namespace: Namespace, rest: Sequence[int]) -> Any | None:
        """Return the child that the next page of a key leads to; None if there is none, or `rest` is shorter than a page."""

    def size(self, node: Any) -> int:
        """Return the tokens of its segment."""

    def tokens(self, node: Any) -> Sequence[int]:
        """Return its segment."""

    def namespace(self, node: Any) -> Namespace:
        """Return the namespace of its key: (extra_key, cache_salt)."""

    def slots(self, node: Any) -> Tensor:
        """Return its slots: the cache's own tensor."""

    def locks(self, node: Any) -> int:
        """Return its lock count."""

    def weight(self, locks: int) -> int:
        """Return how much a child with this lock count adds to the lock count of its parent: the same, or 1 if it is not 0."""

    def time(self, node: Any) -> float:
        """Return the time of its last access."""

    def order(self, node: Any) -> NodeKey:
        """Return what the policy compares of it."""

    def is_candidate(self, node: Any) -> bool:
        """Return whether the cache counts it among the leaves that may be evicted."""

    def row(self, request: Any) -> Tensor:
        """Return the row of a request: the engine's own tensor of slots, of any integer type."""

    def sizes(self) -> tuple[int, int]:
        """Return the evictable and the protected tokens, as the cache counts them."""
