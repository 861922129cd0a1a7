"""The optimized cache with a host tier as a subject, in its checking mode: content tags at both ends of every copy.

The tags stand for the KV data, which copies move. From its issue on a target is for the tokens of its source, as `WatchedCopier` has it, so
that a row may be compared while a load fills it; when the copy is acknowledged, the tags are moved again, as the data has been by then.
A copy that fails leaves tags on its targets that a correct cache does not read: it frees them, or has them filled again.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, cast

import torch
from torch import Tensor

from radixcheck.optimized import ListedLoans, Tags, TieredCache
from radixcheck.optimized.heap import EvictionHeap
from radixcheck.optimized.node import Node
from radixcheck.optimized.tier_node import TierCopy, TieredNode
from radixcheck.optimized.tiered_cache import TieredMatched
from radixcheck.spec.values import Copier, Key, Namespace, Ticket
from radixcheck.verification.core.page_sizes import EVERY
from radixcheck.verification.protocol import MODES, Observation, SeenCopy, SeenNode, Setup, Supports
from radixcheck.verification.subjects.emitting import Emitting
from radixcheck.verification.subjects.host_setup import host_of
from radixcheck.verification.subjects.optimized_subject import Ledger, OptimizedSubject, WatchedDevicePool, buffered, entries_of


class TaggedCopier:
    """Moves the tags of what the checker's copier moves, and gives it the slots as integers."""

    def __init__(self, copier: Copier[Sequence[int]], device: Tensor, host: Tensor) -> None:
        self._copier, self._device, self._host = copier, device, host  # the last two: the tags of each tier
        self._in_flight: list[tuple[Ticket, bool, Tensor, Tensor]] = []

    def copy(self, up: bool, sources: Tensor, targets: Tensor) -> Ticket:
        """Issue a copy. Raise TypeError unless each end is a tensor of slots where its tier is."""
        for slots, tags in zip((sources, targets), self._ends(up), strict=True):
            if slots.dtype != torch.int64 or slots.ndim != 1 or slots.device != tags.device:
                raise TypeError(
                    f"expected slots as a tensor of int64 and one dimension on {tags.device}, found {slots.dtype}, {slots.shape}"
                )
        ticket = self._copier.copy(up, sources.tolist(), targets.tolist())
        self._move(up, sources, targets)
        self._in_flight.append((ticket, up, sources, targets))
        return ticket

    def settle(self, due: Sequence[Ticket | None]) -> None:
        """Move the tags of what has arrived of the copies `due`, of which the cache is about to learn. For another one it has waited."""
        for ticket, up, sources, targets in self._in_flight:
            if ticket.done and not ticket.failed and ticket in due:
                self._move(up, sources, targets)
        self._in_flight = [copy for copy in self._in_flight if not copy[0].done]

    def _ends(self, up: bool) -> tuple[Tensor, Tensor]:
        return (self._host, self._device) if up else (self._device, self._host)

    def _move(self, up: bool, sources: Tensor, targets: Tensor) -> None:
        held, given = self._ends(up)
        given[targets] = held[sources].to(given.device)


class WrittenLoans(ListedLoans):
    """Loans of a caller that computes what it inserts: the tags are written when the cache takes the slots, before it may copy them."""

    def __init__(self, page_size: int, tags: Tags) -> None:
        super().__init__(page_size)
        self._tags = tags
        self.inserted: tuple[Tensor, Key] | None = None  # the slots and the key of an insert in progress

    def settle(self, slots: Tensor) -> None:
        """Remove their pages, and write the tags of what is inserted. Raises NotYourSlot."""
        super().settle(slots)
        if self.inserted is not None:
            given, key = self.inserted  # by now a right one
            whole = Key(key.tokens[: key.whole_pages(self._page_size)], key.namespace)
            self._tags.write(given, whole, len(whole.tokens) - slots.numel())


class KnownTiers(NamedTuple):
    """What a node has on the host, as it was read; it is valid until something that was read changes."""

    flat: SeenNode  # without it
    host: Tensor | None
    version: int  # of `host`
    pins: int
    seen: SeenNode


class OptimizedHostSubject(OptimizedSubject, TieredCache):
    """The cache itself, with the engine's part of the checking mode, and methods that show its inside."""

    supports = Supports(page_sizes=EVERY, modes=MODES)
    copier: TaggedCopier
    _loans: WrittenLoans

    def _make(self, setup: Setup, pool: WatchedDevicePool, tags: Tags) -> None:
        ledger, copier, mode = host_of(setup)
        host_pool = WatchedDevicePool(cast(Ledger, ledger), setup.page_size, "cpu")
        tagged = TaggedCopier(copier, tags.content, torch.zeros(host_pool.capacity, dtype=torch.int64))
        loans = WrittenLoans(setup.page_size, tags)
        self._known_tiers: dict[Node, KnownTiers] = {}
        TieredCache.__init__(self, setup.page_size, setup.policy, pool, host_pool, tagged, mode, tags, loans, self.emitted)

    @property
    def instruments(self) -> tuple[object, ...]:
        """Also the copier, which has the tags of the host, and what `observe` has read of the host's slots."""
        return *super().instruments, self.copier, self._known_tiers

    def match(self, key: Key) -> TieredMatched:  # type: ignore[override]  # it has more fields
        """Match tokens in a buffer that is cleared afterwards, as an engine reuses its buffers."""
        with buffered(key) as held:
            return TieredCache.match(self, held)

    def insert(self, key: Key, slots: Tensor | Sequence[int], priority: int = 0) -> int:
        """Insert tokens that the caller has computed into the slots: what an insert backs up at once must be there."""
        given = self._on_device(slots)
        self._loans.inserted = given, key
        try:
            return super().insert(key, given, priority)
        finally:
            self._loans.inserted = None

    def poll(self) -> list[Ticket]:
        """Let the tags of what has arrived arrive, then acknowledge it."""
        self.copier.settle([copy.ticket for copy in self.copies])
        return super().poll()

    def observe(self) -> Observation:
        """Return also the copies in flight, and the heap of host leaves with what the cache counts of them."""
        tree, shown = self.tree, super().observe()
        if len(self._known_tiers) > len(self._known):
            self._known_tiers = {node: self._known_tiers[node] for node in self._known}
        heap = tree.host_heap
        return replace(
            shown,
            copies=[self._seen_copy(copy) for copy in self.copies],
            host_heap=entries_of(heap),
            host_queued=len(heap.queue),
            host_leaf_count=heap.leaf_count,
            host_only=tree.host_evictable,
        )

    def _seen_copy(self, copy: TierCopy) -> SeenCopy:
        return SeenCopy(copy.up, self.locate(copy.floor), id(copy.end), copy.sources.tolist(), copy.targets.tolist())

    def _held(self) -> list[Node]:
        return [*super()._held(), *(copy.end for copy in self.copies)]

    def _heap_of(self, node: Node) -> EvictionHeap:
        return self.tree.heap if _tiered(node).resident else self.tree.host_heap

    def _tensors(self, node: Node) -> tuple[Tensor, ...]:
        host = _tiered(node).host
        return (node.slots,) if host is None else (node.slots, host)

    def _look(self, node: Node, namespace: Namespace, lock: int) -> SeenNode:
        flat, tiered = super()._look(node, namespace, lock), _tiered(node)
        host, pins = tiered.host, int(tiered.filling is not None)
        version = 0 if host is None else host._version
        known = self._known_tiers.get(node)
        same_host = known is not None and known.host is host and known.version == version
        if known and same_host and known.flat is flat and known.pins == pins:
            return known.seen
        slots: Sequence[int] = known.seen.host_slots if known and same_host else () if host is None else tuple(host.tolist())
        seen = flat._replace(host_slots=slots, pins=pins)
        self._known_tiers[node] = KnownTiers(flat, host, version, pins, seen)
        return seen


class EmittingHostOptimized(Emitting, OptimizedHostSubject):
    """The same cache, with KV events."""

    def __init__(self, setup: Setup) -> None:
        self.sink = self.emitted = []
        super().__init__(setup)


def _tiered(node: Node) -> TieredNode:
    assert isinstance(node, TieredNode), "all nodes of a tree are of one class"
    return node


def optimized_host_subject(setup: Setup) -> OptimizedHostSubject:
    """Return an optimized cache on `setup.device` with a host tier on the CPU, which reports to what the checker watches."""
    return (EmittingHostOptimized if setup.events else OptimizedHostSubject)(setup)
