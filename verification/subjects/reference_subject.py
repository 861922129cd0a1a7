"""The reference cache as a subject: all verbs, and a view of its inside."""

from collections.abc import Iterable
from typing import Any, Self

from radixcheck.reference import Node, RadixCache
from radixcheck.reference.node import Page
from radixcheck.spec.events.event_values import Event
from radixcheck.spec.values import Key, Namespace
from radixcheck.verification.core.page_sizes import EVERY
from radixcheck.verification.protocol import NodeId, Observation, SeenNode, SeenRequest, Setup, Supports
from radixcheck.verification.subjects.emitting import Emitting


class ReferenceSubject(RadixCache):
    """The cache itself, with methods that show its inside."""

    supports = Supports(page_sizes=EVERY)

    @classmethod
    def of(cls, setup: Setup) -> Self:
        """Return a cache over the pool that the checker watches."""
        return cls(setup.page_size, setup.policy, setup.pool)

    def observe(self) -> Observation:
        """Walk the tree once."""
        return Observation(self.now, [_seen(*entry) for entry in entries(self.root)], seen_requests(self))

    def observe_path(self, key: Key) -> list[SeenNode]:
        """Return the nodes whose segments agree with a key, from the root down. The parent of each is read from the node."""
        return [_seen(node, self.locate(node.parent), key.namespace, page) for node, page in entries_on(self.root, key, self.page_size)]

    def locate(self, node: object) -> NodeId | None:
        """Return the name of a handle's node, its identity: a split keeps the lower node, which ends where the whole one ended."""
        return None if node is self.root else id(node)


def entries(root: Node) -> Iterable[tuple[Any, NodeId | None, Namespace, Page]]:
    """Yield each node, parents first, with the name of its parent, its namespace and its child key as its parent's dictionary has them."""
    waiting: list[tuple[Node, NodeId | None, Any, Any]] = []
    waiting += ((child, None, namespace, page) for (namespace, page), child in root.children.items())
    while waiting:
        node, parent, namespace, page = waiting.pop()
        yield node, parent, namespace, page
        if node.children:
            waiting.extend((child, id(node), namespace, key) for key, child in node.children.items())


def entries_on(root: Node, key: Key, page_size: int) -> Iterable[tuple[Any, Page]]:
    """Yield each node whose segment agrees with a key, from the root down, with its child key."""
    tokens, at, node = key.tokens, 0, root
    while at < len(tokens):
        page = tokens[at : at + page_size]
        child = node.children.get((key.namespace, page) if node is root else page)
        if child is None or tokens[at : at + len(child.segment)] != child.segment:
            return
        yield child, page
        node = child
        at += len(child.segment)


def seen_requests(cache: RadixCache) -> dict[int, SeenRequest]:
    """Return the live requests."""
    names = {request: None if live.node is cache.root else id(live.node) for request, live in cache.requests.items()}
    return {request: SeenRequest(names[request], live.cached, tuple(live.row)) for request, live in cache.requests.items()}


def _seen(node: Node, parent: NodeId | None, namespace: Namespace, page: Page) -> SeenNode:
    attributes = (node.lock, node.time, node.creation, node.hits, node.priority)
    return SeenNode(id(node), parent, node.segment, node.slots, namespace, page, *attributes)


class EmittingReference(Emitting, ReferenceSubject):
    """The same cache, with KV events."""

    @classmethod
    def of(cls, setup: Setup) -> Self:
        """Return a cache over the pool that the checker watches."""
        sink = list[Event]()
        made = cls(setup.page_size, setup.policy, setup.pool, sink)
        made.sink = sink
        return made


def reference_subject(setup: Setup) -> ReferenceSubject:
    """Return a reference cache over the pool that the checker watches."""
    return (EmittingReference if setup.events else ReferenceSubject).of(setup)
