"""KV events: what the cache reports to others, such as a router, of the pages that it has. `spec/events/` says what must hold of them.

_grow                        Stored on the device     one new leaf
_evict_leaf                  Removed from the device  one leaf less
_split                       nothing                  the same pages, on two nodes
reset                        Cleared
"""

from typing import Protocol

from radixcheck.reference.node import Node
from radixcheck.spec.events.event_values import Cleared, Event, PageIds, Removed, Stored
from radixcheck.spec.values import Namespace


class Sink(Protocol):
    """Takes events: a list, which the caller empties, or an object that passes them on."""

    def append(self, event: Event, /) -> object:
        """Take one event, which is later than all before."""


class Silent:
    """Announces nothing."""

    def store(self, medium: str, node: Node) -> None:
        """The pages of a node, whose parent was stored before it, can be read on a tier from now on."""

    def remove(self, medium: str, node: Node) -> None:
        """The pages of a node cannot be read on a tier any more."""

    def forget(self, node: Node) -> None:
        """A node has left the tree."""

    def divide(self, upper: Node, lower: Node) -> None:
        """A node was split: `upper` has its first pages. No tier has other pages than before."""

    def clear(self) -> None:
        """No tier has a page any more."""


class Announcer(Silent):
    """Adds an event to the sink for each call. It keeps the namespace and the ids of the pages of every node."""

    def __init__(self, events: Sink, page_ids: PageIds, page_size: int) -> None:
        self._events, self._page_ids, self._page_size = events, page_ids, page_size
        self._named: dict[Node, tuple[Namespace, tuple[int, ...]]] = {}

    def store(self, medium: str, node: Node) -> None:
        """See `Silent.store`."""
        namespace, parent = self._above(node)
        if node not in self._named:
            self._named[node] = namespace, self._ids_of(node, namespace, parent)
        self._events.append(Stored(medium, namespace, parent, self._named[node][1], node.segment))

    def remove(self, medium: str, node: Node) -> None:
        """See `Silent.remove`."""
        self._events.append(Removed(medium, self._named[node][1][::-1]))

    def forget(self, node: Node) -> None:
        """See `Silent.forget`."""
        del self._named[node]

    def divide(self, upper: Node, lower: Node) -> None:
        """See `Silent.divide`."""
        namespace, ids = self._named[lower]
        pages = len(upper.segment) // self._page_size
        self._named[upper], self._named[lower] = (namespace, ids[:pages]), (namespace, ids[pages:])

    def clear(self) -> None:
        """See `Silent.clear`."""
        self._named = {}
        self._events.append(Cleared())

    def _above(self, node: Node) -> tuple[Namespace, int | None]:
        """Return the namespace of a node, and the id of the page before its first one."""
        assert node.parent is not None, "the root has no pages"
        if node.parent.parent is None:
            namespace, _ = node.child_key
            return namespace, None
        namespace, ids = self._named[node.parent]
        return namespace, ids[-1]

    def _ids_of(self, node: Node, namespace: Namespace, parent: int | None) -> tuple[int, ...]:
        ids = list[int]()
        for start in range(0, len(node.segment), self._page_size):
            parent = self._page_ids(parent, namespace, node.segment[start : start + self._page_size])
            ids.append(parent)
        return tuple(ids)
