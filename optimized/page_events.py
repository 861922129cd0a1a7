"""KV events: what a cache reports to others, such as a router, of the pages that it has. `spec/events/` says what must hold of them.

A cache that is given a sink of events has an `EmittingTree` in the place of its `NodeTree`: it adds to the sink where nodes are created
and removed. A cache without a sink runs none of this. `tier_events` is the same with a host tier.

>>> from radixcheck.optimized import DevicePool, Key, RadixCache
>>> events = []
>>> cache = RadixCache(page_size=2, policy="lru", pool=DevicePool(capacity=8, page_size=2), events=events)
>>> cache.insert(Key((1, 2, 3, 4)), cache.alloc(4)), cache.evict(4)
(0, 4)
>>> stored, removed = events
>>> stored.tokens, len(stored.ids), removed.ids == stored.ids[::-1]
((1, 2, 3, 4), 2, True)
"""

import struct
import sys
from array import array
from collections.abc import Sequence
from hashlib import sha256
from typing import Protocol

import torch
from torch import Tensor

from radixcheck.optimized.keys import TOKEN_BYTES, unpack
from radixcheck.optimized.node import Node
from radixcheck.optimized.tree import NodeTree
from radixcheck.spec.events.event_values import BEHIND, DEVICE, Cleared, Event, PageIds, Removed, Stored, before_first, page_id
from radixcheck.spec.values import Namespace, shown

ID_BYTES = 8
Ids = tuple[int, ...]  # of pages that follow each other


class Sink(Protocol):
    """Takes events: a list, which the caller empties, or an object that passes them on."""

    def append(self, event: Event, /) -> object:
        """Take one event, which is later than all before."""


class Announcing(Protocol):
    """What an emitting tree calls. The parent of a node is stored before it, and removed after it."""

    def store(self, medium: str, node: Node) -> None:
        """The pages of a node can be read on a tier from now on."""

    def remove(self, medium: str, node: Node) -> None:
        """The pages of a node cannot be read on a tier any more."""

    def forget(self, node: Node) -> None:
        """A node has left the tree."""

    def divide(self, upper: Node, lower: Node) -> None:
        """A node was split: `upper` has its first pages. No tier has other pages than before."""

    def clear(self) -> None:
        """No tier has a page any more."""


class Announcer:
    """Knows the ids of the pages of each node, and reports to the sink which of them a tier stores and removes."""

    def __init__(self, events: Sink, page_ids: PageIds, page_size: int) -> None:
        if not callable(getattr(events, "append", None)):
            raise ValueError(f"expected a list for events, or an object with `append`, found {shown(events)}")
        self._append = events.append
        self._page_ids, self._page_size, self._pages = page_ids, page_size, struct.Struct(f"{page_size * TOKEN_BYTES}s")
        self._named: dict[Node, tuple[Namespace, Ids]] = {}  # of every node of the tree

    def store(self, medium: str, node: Node) -> None:
        """Add `Stored`. The ids of the pages are computed when a tier stores them for the first time."""
        above, known, tokens = node.parent, self._named.get(node), unpack(node.segment)
        assert above is not None, "the root has no pages"
        if above.parent is None:
            assert isinstance(node.child_key, tuple), "the child key of a child of the root has its namespace"
            namespace, parent = node.child_key[0], None
        else:
            namespace, ids = self._named[above]
            parent = ids[-1]
        if known is None:
            known = self._named[node] = namespace, self._ids(parent, namespace, node.segment, tokens)
        self._append(Stored(medium, namespace, parent, known[1], tokens))

    def remove(self, medium: str, node: Node) -> None:
        """Add `Removed`."""
        self._append(Removed(medium, self._named[node][1][::-1]))

    def forget(self, node: Node) -> None:
        """Forget the ids of a node."""
        del self._named[node]

    def divide(self, upper: Node, lower: Node) -> None:
        """Divide the ids of a node that was split."""
        namespace, ids = self._named[lower]
        pages = upper.size // self._page_size
        self._named[upper], self._named[lower] = (namespace, ids[:pages]), (namespace, ids[pages:])

    def clear(self) -> None:
        """Add `Cleared`, and forget all ids."""
        self._named.clear()
        self._append(Cleared())

    def _ids(self, parent: int | None, namespace: Namespace, segment: bytes, tokens: Sequence[int]) -> Ids:
        if self._page_ids is page_id:
            return page_ids_of(parent, namespace, segment, self._pages)
        ids, size = list[int](), self._page_size
        for at in range(0, len(tokens), size):
            parent = self._page_ids(parent, namespace, tokens[at : at + size])
            ids.append(parent)
        return tuple(ids)


def page_ids_of(parent: int | None, namespace: Namespace, segment: bytes, pages: struct.Struct) -> Ids:
    """Return the ids that `page_id` gives to the pages of a segment, one after the other: computed from the bytes of its tokens.

    `pages` has the format of the bytes of one page.

    >>> ids = page_ids_of(None, ("lora",), array("Q", (1, 2, 3, 4)).tobytes(), struct.Struct("16s"))
    >>> ids == (first := page_id(None, ("lora",), (1, 2)), page_id(first, ("lora",), (3, 4)))
    True
    """
    before = before_first(namespace) if parent is None else BEHIND + parent.to_bytes(ID_BYTES)
    ordered = array("Q", segment)  # in the order of this machine
    if sys.byteorder == "little":
        ordered.byteswap()
    found: list[bytes] = []  # `list[bytes]()` takes as long as a digest
    for (page,) in pages.iter_unpack(ordered):
        digest = sha256(before + page).digest()[:ID_BYTES]
        found.append(digest)
        before = BEHIND + digest
    return struct.unpack(f">{len(found)}Q", b"".join(found))


class EmittingTree(NodeTree):
    """A tree that announces its nodes."""

    def __init__(self, page_size: int, policy: str, device: torch.device, announcer: Announcing) -> None:
        super().__init__(page_size, policy, device)
        self._announcer = announcer

    def _divide(self, upper: Node, lower: Node) -> None:
        super()._divide(upper, lower)
        self._announcer.divide(upper, lower)

    def grow(self, parent: Node, leaf: Node) -> None:
        """Add a new leaf to the tree, and announce it."""
        super().grow(parent, leaf)
        self._announcer.store(DEVICE, leaf)

    def evict_leaf(self, leaf: Node) -> None:
        """Remove a victim from the tree, and announce that."""
        super().evict_leaf(leaf)
        self._announcer.remove(DEVICE, leaf)
        self._announcer.forget(leaf)

    def clear(self) -> list[Tensor]:
        """Detach every node, and announce that nothing is cached; return their slots."""
        self._announcer.clear()
        return super().clear()
