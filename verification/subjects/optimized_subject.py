"""The optimized cache as a subject, in its checking mode: content tags on the device, loans listed page by page.

The tags stand for the KV data. The cache writes the tags of the pages that a request allocates; for what is inserted, the subject
writes them, as an engine would write the data.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from operator import attrgetter
from typing import Any, NamedTuple, Protocol, cast

import torch
from torch import Tensor

from radixcheck.optimized import DevicePool, ListedLoans, RadixCache, Tags, TokenBuffer
from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.keys import TOKEN_BYTES, pack, unpack
from radixcheck.optimized.matched import Matched
from radixcheck.optimized.node import Node
from radixcheck.spec.events.event_values import Event
from radixcheck.spec.values import BadSlots, Key, Namespace, parts_of, to_ints
from radixcheck.verification.core.page_sizes import EVERY
from radixcheck.verification.protocol import NodeId, Observation, SeenEntry, SeenNode, SeenRequest, Setup, Supports
from radixcheck.verification.subjects.emitting import Emitting


class Ledger(Protocol):
    """The methods of the checker's pool for a cache that has its own pool."""

    capacity: int  # tokens

    def note_alloc(self, slots: Sequence[int]) -> None:
        """Record whole pages handed out."""

    def note_free(self, slots: Sequence[int]) -> object:
        """Record whole pages given back."""


class WatchedDevicePool:
    """A pool on the device that reports every call to the checker's ledger; slots are read back for that."""

    def __init__(self, ledger: Ledger, page_size: int, device: str) -> None:
        self._ledger = ledger
        self._pool = DevicePool(ledger.capacity, page_size, device)
        self.capacity, self.page_size, self.device = self._pool.capacity, page_size, self._pool.device

    @property
    def available(self) -> int:
        """Free slots, in tokens."""
        return self._pool.available

    def alloc(self, tokens: int) -> Tensor:
        """Return free slots, and record them in the ledger."""
        slots = self._pool.alloc(tokens)
        self._ledger.note_alloc(slots.tolist())
        return slots

    def free(self, *parts: Tensor) -> None:
        """Take slots back. The ledger records them first, so that it has a double free before the pool may refuse it."""
        self._ledger.note_free([slot for slots in parts for slot in slots.tolist()])
        self._pool.free(*parts)


_READ = attrgetter(*("segment", "child_key", "slots._version", "parent"), *("time", "creation", "hits", "priority"))
CONTENT = 3  # while the first three and the tensor are the same, segment, child key and slots are the same


class Known(NamedTuple):
    """A node as it was read; it is valid until something that was read changes."""

    slots: Tensor
    lock: int
    read: tuple[Any, ...]
    namespace: Namespace
    seen: SeenNode


class OptimizedSubject(RadixCache):
    """The cache itself, with the engine's part of the checking mode, and methods that show its inside."""

    supports = Supports(page_sizes=EVERY)
    emitted: list[Event] | None = None  # its KV events; None: there are none

    def __init__(self, setup: Setup) -> None:
        pool = WatchedDevicePool(cast(Ledger, setup.pool), setup.page_size, setup.device)
        self._known: dict[Node, Known] = {}
        self._make(setup, pool, Tags(pool.capacity, pool.device))

    def _make(self, setup: Setup, pool: WatchedDevicePool, tags: Tags) -> None:
        """Make the cache."""
        super().__init__(setup.page_size, setup.policy, pool, tags, ListedLoans(setup.page_size), self.emitted)

    @property
    def instruments(self) -> tuple[object, ...]:
        """The tags, which number every namespace for good, and the nodes that `observe` has read."""
        return self.tags, self._known

    def match(self, key: Key) -> Matched:
        """Match tokens in a buffer that is cleared afterwards, as an engine reuses its buffers; `peek` takes them as they are."""
        with buffered(key) as held:
            return super().match(held)

    def insert(self, key: Key, slots: Tensor | Sequence[int], priority: int = 0) -> int:
        """Insert tokens in such a buffer, then write the tags of the part that was not cached, as an engine has computed it."""
        given = self._on_device(slots)
        with buffered(key) as held:
            prefix = super().insert(held, given, priority)
        whole = Key(key.tokens[: key.whole_pages(self.page_size)], key.namespace)
        self.tags.write(given, whole, prefix)
        return prefix

    def free(self, slots: Tensor | Sequence[int]) -> None:
        """Free slots: a tensor or a list."""
        super().free(self._on_device(slots))

    def _on_device(self, slots: Tensor | Sequence[int]) -> Tensor:
        """Return a list of integers as a tensor, and a tensor as it is: whether it has the right type is for the cache to say."""
        return slots if isinstance(slots, Tensor) else torch.tensor(to_ints(slots, BadSlots), dtype=torch.int64, device=self.pool.device)

    def observe(self) -> Observation:
        """Return nodes, parents first, rows and heap. Only nodes that have changed since the last call are read back."""
        nodes = [(child, _namespace(child)) for child in self.tree.root.children.values()]
        for node, namespace in nodes:  # appends to it
            if node.children:
                nodes.extend(zip(node.children.values(), repeat(namespace), strict=False))
        locks = _locks([node for node, _ in nodes])
        seen = [self._look(node, namespace, locks.get(node, 0)) for node, namespace in nodes]
        if len(self._known) > len(nodes):
            self._known = {node: self._known[node] for node, _ in nodes}
        requests = {
            h: SeenRequest(self.locate(live.node), live.cached, live.row[: len(live.tokens)].tolist()) for h, live in self.requests.items()
        }
        heap = self.tree.heap
        return Observation(self.tree.now, seen, requests, entries_of(heap), leaf_count=heap.leaf_count, queued=len(heap.queue))

    def storage(self) -> int:
        """Return the bytes that the slots of the nodes keep alive; a storage that two of them share is counted once."""
        nodes, bytes_at = list(self.tree.root.children.values()), {}
        for node in nodes:  # appends to it
            nodes.extend(node.children.values())
            for slots in self._tensors(node):
                memory = slots.untyped_storage()
                bytes_at[memory.data_ptr()] = memory.nbytes()
        return sum(bytes_at.values())

    def _tensors(self, node: Node) -> tuple[Tensor, ...]:
        """Return the tensors of slots that a node has."""
        return (node.slots,)

    def observe_path(self, key: Key) -> list[SeenNode]:
        """Return the nodes whose segments agree with a key, from the root down.

        Locks are counted from their holders, unless `local_lock_ref` contradicts that; `observe` sums it up for all nodes.
        """
        nodes = self._nodes_on(key)
        locks = dict.fromkeys(nodes, 0)
        for held in self._held():
            above: Node | None = held
            while above is not None:
                if above in locks:
                    locks[above] += 1
                above = above.parent
        return [
            self._look(n, key.namespace, lock if (lock > 0) == (n.local_lock_ref > 0) else n.local_lock_ref) for n, lock in locks.items()
        ]

    def _held(self) -> list[Node]:
        """Return the node that each holder locks."""
        return [live.node for live in self.requests.values()] + [receipt.node for receipt in self._receipts]

    def observe_entry(self, key: Key) -> SeenEntry | None:
        """Return the current entry of the node at which a key ends, if the heap has it. Most of these are late in the queue."""
        node = self._nodes_on(key)[-1]
        entry, heap = node.entry, self._heap_of(node)
        there = entry is not None and (entry in reversed(heap.queue) or entry in heap.heap)
        return SeenEntry(entry[:2], id(entry[3])) if entry is not None and there else None

    def _heap_of(self, node: Node) -> EvictionHeap:
        """Return the heap in which a node has its entry."""
        return self.tree.heap

    def _nodes_on(self, key: Key) -> list[Node]:
        """Walk down by the children's dictionaries alone: the observer compares the parent that each node has."""
        data, at, node = bytes(pack(key.tokens)), 0, self.tree.root
        width = self.page_size * TOKEN_BYTES
        found: list[Node] = []
        while at < len(data):
            child = node.children.get(self.tree.child_key(node, key.namespace, data[at : at + width]))
            if child is None or not data.startswith(child.segment, at):
                break
            found.append(child)
            node = child
            at += len(child.segment)
        return found

    def locate(self, node: object) -> NodeId | None:
        """Return the name of a handle's node, its identity: a split keeps the lower node, which ends where the whole one ended."""
        return None if node is self.tree.root else id(node)

    def _look(self, node: Node, namespace: Namespace, lock: int) -> SeenNode:
        """Return one node, read back from the device only if its content may have changed."""
        read = _READ(node)
        known = self._known.get(node)
        same_tensor = known is not None and known.slots is node.slots
        if known and same_tensor and known.read == read and known.lock == lock and known.namespace == namespace:
            return known.seen
        if known and same_tensor and known.read[:CONTENT] == read[:CONTENT]:
            content: tuple[Any, ...] = (known.seen.segment, known.seen.slots, known.seen.child_key)
        else:
            page = node.child_key[1] if isinstance(node.child_key, tuple) else node.child_key
            content = (unpack(node.segment), tuple(node.slots.tolist()), unpack(page))
        segment, slots, child_key = content
        seen = SeenNode(id(node), self.locate(node.parent), segment, slots, namespace, child_key, lock, *read[CONTENT + 1 :])
        self._known[node] = Known(node.slots, lock, read, namespace, seen)
        return seen


class EmittingOptimized(Emitting, OptimizedSubject):
    """The same cache, with KV events."""

    def __init__(self, setup: Setup) -> None:
        self.sink = self.emitted = []
        super().__init__(setup)


def entries_of(heap: EvictionHeap) -> list[SeenEntry]:
    """Return every entry of a heap, in its order."""
    return [SeenEntry(entry[:2], id(entry[3]), entry[2], entry[3].entry is entry) for entry in heap]


@contextmanager
def buffered(key: Key) -> Iterator[Key]:
    """Yield the key with its tokens in a buffer that is cleared afterwards: a cache that still uses the buffer is found out."""
    tokens = TokenBuffer(parts_of(key)[0])
    yield Key(cast(Any, tokens), key.namespace)
    tokens.data.clear()


def _locks(nodes: Sequence[Node]) -> dict[Node, int]:
    """Return the `lock` of each protected node: its holders, and those of all nodes below it. `nodes` come parents first.

    `local_lock_ref` counts the holders of the node alone, and each protected child once.
    """
    locks = {node: node.local_lock_ref for node in nodes if node.local_lock_ref}
    for node, lock in reversed(locks.items()):
        if node.parent in locks:
            locks[node.parent] += lock - 1
    return locks


def _namespace(child: Node) -> Namespace:
    assert isinstance(child.child_key, tuple), "the child key of a child of the root has its namespace"
    return child.child_key[0]


def optimized_subject(setup: Setup) -> OptimizedSubject:
    """Return an optimized cache on `setup.device` that reports to the pool that the checker watches."""
    return (EmittingOptimized if setup.events else OptimizedSubject)(setup)
