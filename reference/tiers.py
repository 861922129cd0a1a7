"""The cache with two tiers: what leaves the device may stay on the host, and come back without being computed again.

There is one tree. A node is in it while a tier has its slots, so its lock, times and hits are the same on both. Beside the steps of
`tree.py`, each step is a transition of `spec/host/`:

    step               transition               what it changes
    _cache             REVIVE, GROW             nodes that only the host has take a caller's slots; one new leaf
    _leave_device      DEMOTE, DELETE           a device leaf leaves the device, or the tree
    _leave_host        EVICT_HOST               a host leaf leaves the tree
    _issue_backup      SAVE, RESERVE, SEND      a copy to the host is in flight
    _load              PIN, EXTEND, LOAD        a copy to the device is in flight
    _settle            ACK_..., FAIL_...        a copy has arrived, is undone, or is issued again

A copy is announced to the sink of KV events when it has arrived, not when it is issued: what it fills cannot be read before.

A copy in flight is a holder like a request: it locks its path until it is settled, and a load pins the host's slots that it reads.
"""

from collections.abc import Iterable, Sequence

from radixcheck.reference.announcer import Sink
from radixcheck.reference.cache import RadixCache, Request
from radixcheck.reference.copies import MODES, Copy
from radixcheck.reference.eviction import evict_least
from radixcheck.reference.node import Node, Page, below, path, slots_of
from radixcheck.reference.pool import Pool
from radixcheck.reference.radix_tree import Receipt
from radixcheck.reference.tiered_node import (
    TieredNode,
    absent,
    between,
    deepest_resident,
    is_device_leaf,
    is_host_leaf,
    to_tiered,
    tokens_of,
)
from radixcheck.reference.tree import Walk
from radixcheck.spec.events.event_values import DEVICE, HOST, PageIds, page_id
from radixcheck.spec.values import Copier, Key, Namespace, NotArrived, Row, StaleHandle, StillHeld, Ticket, TieredMatch, to_amount, to_key


class TieredCache(RadixCache):
    """A `RadixCache` over a device and a host."""

    root: TieredNode

    def __init__(
        self,
        page_size: int,
        policy: str,
        pool: Pool,
        host_pool: Pool,
        copier: Copier[Sequence[int]],
        mode: str,
        events: Sink | None = None,
        page_ids: PageIds = page_id,
    ) -> None:
        super().__init__(page_size, policy, pool, events, page_ids)
        if mode not in MODES:
            raise ValueError(f"no mode {mode!r}: choose one of {', '.join(MODES)}")
        if host_pool.page_size != page_size:
            raise ValueError(f"the host pool has pages of {host_pool.page_size} slots, the cache of {page_size}")
        self.root = TieredNode(None, (), (), [])
        self.host_pool = host_pool
        self.copier = copier
        self.mode = mode
        self.copies: list[Copy] = []  # in flight, in the order of issue

    def match(self, key: Key) -> TieredMatch[list[int]]:
        """Return the longest prefix on the device, and what only the host has behind it; refreshes the times of both."""
        key = to_key(key)
        last = self._split(self._walk(key.tokens, key.namespace))
        self._touch(last)
        node = deepest_resident(last)
        slots = slots_of(node)
        return TieredMatch(len(slots), slots, node, tokens_of(absent(last)), last)

    def lock(self, node: object) -> Receipt:
        """As in `RadixTree`. Raises StaleHandle also if the node is not on the device: load it back first."""
        if not self._find_node(node).is_resident:
            raise StaleHandle("the node of this handle is not on the device; load it back")
        return super().lock(node)

    def load_back(self, node: object) -> int:
        """Issue one copy of what only the host has on the path to a match's host node (SGLang: `load_back`).

        Makes room by evicting the shortfall on the device. Returns the tokens of the copy: all, or 0, with nothing evicted, if there is no
        room or nothing to load. The slots count as cached from now on, and are filled when the copy arrives. Raises StaleHandle.
        """
        end = self._find_node(node)
        size = tokens_of(absent(end))
        spared = Walk(0, deepest_resident(end)).evictable_tokens()  # what the load hangs on is not evicted for it
        if size > self._room(spared):
            return 0
        self._load(end)
        return size

    def backup(self, node: object) -> int:
        """Issue copies of a node to the host (SGLang: `write_backup`), in the write-through modes of what is above it first.

        Makes room by evicting the shortfall on the host, and stops where it cannot. Returns the tokens of the copies, 0 for a node that
        only the host has. Raises StaleHandle.
        """
        found = self._find_node(node)
        return self._back_up([found] if self.mode == "write_back" else [*path(found)][::-1])

    def poll(self) -> list[Ticket]:
        """Handle every copy that is done, in the order of issue; return their tickets (SGLang: `check_hicache_events`).

        A failed copy is undone, or issued again if something rests on it already.
        """
        settled = [copy for copy in self.copies if copy.ticket.done]
        for copy in settled:
            self._settle(copy)
        return [copy.ticket for copy in settled]

    def evict(self, tokens: int) -> int:
        """Evict the least device leaves until `tokens` are freed on the device or none is left; return the tokens freed.

        A leaf that the host has stays in the tree, and so does one that is copied to the host now, under write_back; others leave it.
        """
        leaves = filter(is_device_leaf, below(self.root))
        return evict_least(to_amount(tokens), leaves, is_device_leaf, self._eviction_key, self._leave_device)

    def evict_host(self, tokens: int) -> int:
        """Evict the least host leaves until `tokens` are freed on the host or none is left; return the tokens freed."""
        leaves = filter(is_host_leaf, below(self.root))
        return evict_least(to_amount(tokens), leaves, is_host_leaf, self._eviction_key, self._leave_host)

    def run(self, request: int) -> None:
        """Let a request read its row: nothing changes. Raises NotArrived while a copy is filling slots of it, and UnknownRequest."""
        if waits := self._row(self._find_request(request)).waits:
            raise NotArrived(f"{len(waits)} copies to the row have not arrived")

    def host_available(self) -> int:
        """Return the free slots of the host, in tokens."""
        return self.host_pool.available

    def reset(self) -> None:
        """Forget every node; all slots of both tiers are free afterwards. Raises StillHeld also while a copy is in flight."""
        if self.copies:
            raise StillHeld(f"{len(self.copies)} copies are in flight")
        super().reset()

    # ---------------------------------------------------------------- steps of the tree, with two tiers

    def _resident_length(self, walk: Walk) -> int:
        inside = walk.inside if walk.edge is not None and walk.edge.slots else 0
        return inside + len(slots_of(walk.node))

    def _split(self, walk: Walk) -> TieredNode:
        node = to_tiered(super()._split(walk))
        if walk.edge is not None:
            lower = to_tiered(walk.edge)
            node.host, lower.host = lower.host[: walk.inside], lower.host[walk.inside :]
            node.pins = lower.pins
        return node

    def _find_node(self, handle: object) -> TieredNode:
        return to_tiered(super()._find_node(handle))

    def _cache(self, node: Node, namespace: Namespace, tokens: Page, slots: list[int], hits: int, priority: int) -> TieredNode:
        """Of the slots give the first to the nodes that only the host has, and the others to a new leaf; then back up what is used."""
        for revived in absent(to_tiered(node)):
            length = len(revived.segment)
            revived.slots, tokens, slots = slots[:length], tokens[length:], slots[length:]
            self._evictable += length
            self._announcer.store(DEVICE, revived)
        last = to_tiered(super()._cache(node, namespace, tokens, slots, hits, priority))
        threshold = MODES[self.mode]
        if threshold is not None:
            self._back_up([used for used in path(last) if used.hits >= threshold][::-1])
        return last

    def _free_slots(self, node: Node) -> None:
        """Free the slots of a node that leaves the tree, on each tier that has it."""
        node = to_tiered(node)
        if node.slots:
            self.pool.free(node.slots)
        if node.host:
            self.host_pool.free(node.host)

    # ---------------------------------------------------------------- steps of a request, with two tiers

    def _hold(self, walk: Walk) -> TieredNode:
        """Load back what only the host has before the lock: the guard of `start` has counted it."""
        node = self._split(walk)
        self._touch(node)
        self._load(node)
        self._lock_path(node)
        return node

    def _row(self, live: Request) -> Row[list[int]]:
        """Return also the tickets of the loads that are filling slots of the row, from the root down."""
        filling: dict[Node, Copy] = {node: copy for copy in self.copies if copy.up for node in between(copy.floor, copy.end)}
        loads = dict.fromkeys(filling[node] for node in [*path(live.node)][::-1] if node in filling)
        return Row(live.cached, list(live.row), tuple(copy.ticket for copy in loads))

    # ---------------------------------------------------------------- leaving a tier

    def _leave_device(self, leaf: TieredNode) -> None:
        """Demote a device leaf that the host has, or gets now; delete another one."""
        if leaf.is_hosted or (self.mode == "write_back" and self._write_back(leaf)):
            self._take_off_device([leaf])
            self._announcer.remove(DEVICE, leaf)
        else:
            self._evict(leaf)

    def _write_back(self, leaf: TieredNode) -> bool:
        """Copy a leaf to the host now, and return whether it has arrived; if not, what only the host has behind it leaves the tree."""
        if self._back_up([leaf]):
            copy = self.copies[-1]
            copy.ticket.wait()
            self._settle(copy)
        if not leaf.is_hosted:
            behind = [*below(leaf)]
            evict_least(tokens_of(behind), filter(is_host_leaf, behind), is_host_leaf, self._eviction_key, self._leave_host)
        return leaf.is_hosted

    def _take_off_device(self, nodes: list[TieredNode]) -> None:
        """Free the device's slots of unlocked nodes, which stay in the tree."""
        assert all(node.lock == 0 for node in nodes), "what is locked stays on the device"
        self.pool.free([slot for node in nodes for slot in node.slots])
        self._evictable -= tokens_of(nodes)
        for node in nodes:
            node.slots = []

    def _leave_host(self, leaf: TieredNode) -> None:
        """Remove a host leaf from the tree and free its slots."""
        assert is_host_leaf(leaf), "nothing hangs on it, and no load reads it"
        self._announcer.remove(HOST, leaf)
        self._unlink(leaf)
        self._free_slots(leaf)

    # ---------------------------------------------------------------- copies

    def _back_up(self, nodes: Iterable[TieredNode]) -> int:
        """Issue a copy for each node that the host does not have, until it has no room; return their tokens."""
        issued = 0
        for node in nodes:
            if node.is_hosted:
                continue
            if not self._make_host_room(len(node.segment)):
                break
            self._issue_backup(node)
            issued += len(node.segment)
        return issued

    def _make_host_room(self, needed: int) -> bool:
        """Evict the shortfall on the host; return whether it has room now. Evicts nothing if that would not be enough."""
        shortfall = needed - self.host_pool.available
        if shortfall <= 0:
            return True
        if needed > self.host_pool.capacity:
            return False
        # Children of what only the host has are there alone too, and pinned only if their parent is: all of these can be evicted.
        if shortfall > tokens_of([node for node in below(self.root) if not node.is_resident and node.pins == 0]):
            return False
        self.evict_host(shortfall)
        return True

    def _issue_backup(self, node: TieredNode) -> None:
        """Issue the copy of one node to the host, which has room for it."""
        assert node.parent is not None, "the root is hosted"
        node.host = self.host_pool.alloc(len(node.segment))
        self._lock_path(node)
        self._send(False, node.parent, node, node.slots, node.host)

    def _load(self, end: TieredNode) -> None:
        """Issue one copy to the device of what only the host has up to `end`, if there is anything. The device has room for it."""
        floor, span = deepest_resident(end), absent(end)
        if not span:
            return
        self._lock_path(floor)  # the eviction that makes room spares what the load hangs on
        for node in span:
            node.pins += 1  # and under write_back what it reads
        slots = targets = self._take(tokens_of(span))
        for node in span:
            node.slots, slots = slots[: len(node.segment)], slots[len(node.segment) :]
        self._evictable += tokens_of(span)
        self._lock_path(end)
        self._unlock_path(floor)
        self._send(True, floor, end, [slot for node in span for slot in node.host], targets)

    def _send(self, up: bool, floor: TieredNode, end: TieredNode, sources: Sequence[int], targets: Sequence[int]) -> None:
        """Issue a copy whose path is locked, and whose nodes are pinned if it is a load."""
        sources, targets = tuple(sources), tuple(targets)
        self.copies.append(Copy(up, floor, end, sources, targets, self.copier.copy(up, sources, targets)))

    def _settle(self, copy: Copy) -> None:
        """Let go of what a copy held, which has arrived or is undone; issue a failed one again if something rests on it."""
        self.copies.remove(copy)
        nodes = between(copy.floor, copy.end)
        if copy.ticket.failed and self._rests_on(copy, nodes):
            self._send(copy.up, copy.floor, copy.end, copy.sources, copy.targets)
            return
        self._unlock_path(copy.end)
        if copy.up:
            for node in nodes:
                node.pins -= 1
        if not copy.ticket.failed:
            for node in nodes:
                self._announcer.store(DEVICE if copy.up else HOST, node)
        elif copy.up:
            self._take_off_device(nodes)
        else:
            self.host_pool.free(copy.targets)
            for node in nodes:
                node.host = []

    def _rests_on(self, copy: Copy, nodes: list[TieredNode]) -> bool:
        """Return whether something needs the targets of a copy of these nodes: another holder, or what its tier has behind them."""
        behind = [child for node in nodes for child in node.children.values() if child not in nodes]
        if copy.up:
            return any(node.lock > 1 for node in nodes) or any(child.is_resident for child in behind)
        return self.mode != "write_back" and any(child.is_hosted for child in behind)
