"""The reference cache with a host tier as a subject."""

from typing import Self

from radixcheck.reference.copies import Copy
from radixcheck.reference.node import Page
from radixcheck.reference.tiered_node import TieredNode
from radixcheck.reference.tiers import TieredCache
from radixcheck.spec.events.event_values import Event
from radixcheck.spec.values import Key, Namespace
from radixcheck.verification.core.page_sizes import EVERY
from radixcheck.verification.protocol import MODES, NodeId, Observation, SeenCopy, SeenNode, Setup, Supports
from radixcheck.verification.subjects.emitting import Emitting
from radixcheck.verification.subjects.host_setup import host_of
from radixcheck.verification.subjects.reference_subject import entries, entries_on, seen_requests


class ReferenceHostSubject(TieredCache):
    """The cache itself, with methods that show its inside."""

    supports = Supports(page_sizes=EVERY, modes=MODES)

    @classmethod
    def of(cls, setup: Setup) -> Self:
        """Return a cache over the pools and the copier of the checker; with an empty host if the setup has none."""
        return cls(setup.page_size, setup.policy, setup.pool, *host_of(setup))

    def observe(self) -> Observation:
        """Walk the tree once."""
        copies = [self._seen_copy(copy) for copy in self.copies]
        return Observation(self.now, [_seen(*entry) for entry in entries(self.root)], seen_requests(self), copies=copies)

    def observe_path(self, key: Key) -> list[SeenNode]:
        """Return the nodes whose segments agree with a key, from the root down. The parent of each is read from the node."""
        return [_seen(node, self.locate(node.parent), key.namespace, page) for node, page in entries_on(self.root, key, self.page_size)]

    def locate(self, node: object) -> NodeId | None:
        """Return the name of a handle's node, its identity."""
        return None if node is self.root else id(node)

    def _seen_copy(self, copy: Copy) -> SeenCopy:
        return SeenCopy(copy.up, self.locate(copy.floor), id(copy.end), copy.sources, copy.targets)


class EmittingHostReference(Emitting, ReferenceHostSubject):
    """The same cache, with KV events."""

    @classmethod
    def of(cls, setup: Setup) -> Self:
        """Return a cache over the pools and the copier of the checker."""
        sink = list[Event]()
        made = cls(setup.page_size, setup.policy, setup.pool, *host_of(setup), sink)
        made.sink = sink
        return made


def _seen(node: TieredNode, parent: NodeId | None, namespace: Namespace, page: Page) -> SeenNode:
    attributes = (node.lock, node.time, node.creation, node.hits, node.priority)
    return SeenNode(id(node), parent, node.segment, node.slots, namespace, page, *attributes, node.host, node.pins)


def reference_host_subject(setup: Setup) -> ReferenceHostSubject:
    """Return a reference cache over the pools that the checker watches."""
    return (EmittingHostReference if setup.events else ReferenceHostSubject).of(setup)
