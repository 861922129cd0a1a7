"""The cache with a host tier: what leaves the device may stay on the host, and come back without being computed again.

`spec/host/` says what it may do, and `reference/tiers.py` is the readable version. The modules: `tier_node`, `tier_tree` (the steps),
`tier_memory` (evictions and copies), `tier_lookup`. `kv_store` and `kv_copier` move the KV.

>>> import torch
>>> from radixcheck.optimized.device_pool import DevicePool
>>> from radixcheck.optimized.kv_copier import KVCopier
>>> from radixcheck.optimized.kv_store import KVBuffers
>>> copier = KVCopier(KVBuffers(layers=2, slots=4, host_slots=8, item=(16,), dtype=torch.float16))
>>> pool, host_pool = DevicePool(capacity=4, page_size=1), DevicePool(capacity=8, page_size=1)
>>> cache = TieredCache(1, "lru", pool, host_pool, copier, "write_through")
>>> cache.insert(Key((1, 2)), cache.alloc(2))  # its copy to the host is queued
0
>>> copier.flush(), len(cache.poll())  # once in each step of an engine: issue what is queued, and handle what has arrived
(1, 1)
>>> cache.evict(2)  # it stays on the host
2
>>> found = cache.match(Key((1, 2)))
>>> found.length, found.host_length, cache.load_back(found.host_node)
(0, 2, 2)
>>> copier.flush(), len(cache.poll()), cache.match(Key((1, 2))).length
(1, 1, 2)
"""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from radixcheck.optimized.cache import RadixCache, Receipt
from radixcheck.optimized.device_pool import Pool, checked_page_size
from radixcheck.optimized.keys import pack
from radixcheck.optimized.loans import Loans
from radixcheck.optimized.lookup import Lookup
from radixcheck.optimized.matched import joined
from radixcheck.optimized.node import Node
from radixcheck.optimized.page_events import Sink
from radixcheck.optimized.requests import Requests
from radixcheck.optimized.tags import TagKeeper
from radixcheck.optimized.tier_events import EmittingTieredMemory, EmittingTieredTree
from radixcheck.optimized.tier_lookup import TieredLookup
from radixcheck.optimized.tier_memory import THRESHOLDS, TieredMemory
from radixcheck.optimized.tier_node import TierCopy, TieredNode
from radixcheck.optimized.tier_tree import TieredTree
from radixcheck.spec.events.event_values import PageIds, page_id
from radixcheck.spec.values import Copier, Key, NotArrived, Row, StaleHandle, StillHeld, Ticket, parts_of, shown, to_amount


class TieredMatched(NamedTuple):
    """The longest prefix of a key on the device, and what only the host has behind it: fields of `radixcheck.spec.values.TieredMatch`."""

    length: int  # tokens on the device
    node: TieredNode  # handle of the node where they end; `lock` takes it
    pieces: Sequence[Tensor]  # the slots of each node of the device's part
    host_length: int  # tokens that only the host has behind them
    host_node: TieredNode  # handle of the node where these end; `load_back` takes it

    @property
    def slots(self) -> Tensor:
        """One slot on the device for each of the first `length` tokens: a new tensor at each read."""
        return joined(self.pieces)


class TieredRequests(Requests):
    """The request verbs, whose rows may have slots that loads are still filling."""

    _memory: TieredMemory

    def start(self, request: int, key: Key, priority: int) -> Row[Tensor]:
        """As without a host tier; loads back what only the host has before the lock."""
        return self._with_waits(request, super().start(request, key, priority))

    def chunk(self, request: int) -> Row[Tensor]:
        """As without a host tier."""
        return self._with_waits(request, super().chunk(request))

    def run(self, request: int) -> None:
        """Raise NotArrived while a load is filling slots of the row."""
        waits = self._waits(request)
        if waits:
            raise NotArrived(f"{len(waits)} copies to the row have not arrived")

    def _with_waits(self, request: int, row: Row[Tensor]) -> Row[Tensor]:
        return Row(row.cached, row.slots, self._waits(request))

    def _waits(self, request: int) -> tuple[Ticket, ...]:
        node = self._find_request(request).node
        assert isinstance(node, TieredNode)
        return self._memory.waits(node)


class TieredCache(RadixCache):
    """A `RadixCache` over a device and a host.

    `host_pool` has its slots on the CPU, in pages of the same size. `mode` is one of `radixcheck.optimized.tier_memory.THRESHOLDS`.
    `copier` moves KV between the slots of the two pools, given as tensors of int64 and one dimension. Nothing is read from the device, and
    no call waits for a copy, but for an eviction under write_back. `events` and `page_ids` are those of `RadixCache`. Raises ValueError as
    `RadixCache`, and for an unknown mode.
    """

    tree: TieredTree
    _memory: TieredMemory
    _requests: TieredRequests

    def __init__(
        self,
        page_size: int,
        policy: str,
        pool: Pool,
        host_pool: Pool,
        copier: Copier[Tensor],
        mode: str,
        tags: TagKeeper | None = None,
        loans: Loans | None = None,
        events: Sink | None = None,
        page_ids: PageIds = page_id,
    ) -> None:
        if not isinstance(mode, str) or mode not in THRESHOLDS:
            raise ValueError(f"no mode {mode!r}: choose one of {', '.join(THRESHOLDS)}")
        checked_page_size(page_size, host_pool, "host pool")
        if not callable(getattr(copier, "copy", None)):
            raise ValueError(f"expected a copier, such as a KVCopier, found {shown(copier)}")
        self.host_pool, self.copier, self.mode = host_pool, copier, mode
        super().__init__(page_size, policy, pool, tags, loans, events, page_ids)

    def _make_memory(self, policy: str) -> TieredMemory:
        arguments, tiers = (self.page_size, policy, self.pool.device), (self.pool, self.host_pool, self.copier, self.mode)
        if self._announcer is None:
            return TieredMemory(TieredTree(*arguments), *tiers)
        return EmittingTieredMemory(EmittingTieredTree(*arguments, self._announcer), *tiers)

    def _make_requests(self) -> TieredRequests:
        return TieredRequests(self._memory, self.tags)

    @property
    def copies(self) -> list[TierCopy]:
        """The copies in flight, in the order of issue."""
        return self._memory.copies

    def match(self, key: Key) -> TieredMatched:  # type: ignore[override]
        """Return the longest prefix of `key` on the device, and what only the host has behind it; refreshes the times of both.

        Its `node` can be locked, its `host_node` loaded back. Raises BadKey.
        """
        tree = self.tree
        tokens, namespace = parts_of(key)
        walk = tree.walk(namespace, pack(tokens))
        path = tree.split(walk)
        tree.touch(namespace, path)
        resident = tree.resident_part(path)
        node, end = resident[-1] if resident else tree.root, path[-1] if path else tree.root
        assert isinstance(node, TieredNode)
        assert isinstance(end, TieredNode)
        found = TieredMatched(node.end, node, [one.slots for one in resident] or [tree.nothing], end.end - node.end, end)
        self.tags.check(found, key)
        return found

    def peek(self, key: Key) -> int:
        """Return the `length` in tokens, on the device, that a match of `key` would have; changes nothing. Raises BadKey."""
        tokens, namespace = parts_of(key)
        return self.tree.device_length(self.tree.walk(namespace, pack(tokens)))

    def lookup(self, key: Key) -> Lookup:
        """Return `key` in a form for `match_many`, which counts what is on the device. Copies the key. Raises BadKey."""
        tokens, namespace = parts_of(key)
        return TieredLookup(self.tree, namespace, bytes(pack(tokens)))

    def _insert(self, key: Key, slots: Tensor, priority: int) -> tuple[int, list[Node]]:
        """As without a host tier; then copies to the host what is used often enough."""
        prefix, path = super()._insert(key, slots, priority)
        self._memory.back_up_used(path)
        return prefix, path

    def lock(self, node: object) -> Receipt:
        """Protect the path of `node`, as without a host tier. Raises StaleHandle also if it is not on the device: load it back first."""
        if isinstance(node, TieredNode) and not node.resident:
            raise StaleHandle("the node of this handle is not on the device; load it back")
        return super().lock(node)

    def load_back(self, node: object) -> int:
        """Issue one copy of what only the host has on the path to `node`, the `host_node` of a match (SGLang: `load_back`).

        Makes room by evicting the shortfall on the device. Returns the tokens of the copy: all, or 0, with nothing evicted, if there is no
        room or nothing to load. The slots count as cached from now on, and are filled when the copy arrives. Raises StaleHandle.
        """
        tree, path = self.tree, self._path_of(node)
        resident = tree.resident_part(path)
        floor = resident[-1].end if resident else 0
        size = path[-1].end - floor if path else 0
        spared = floor - tree.locked_end(resident)  # what the load hangs on is not evicted for it
        if size > self.pool.available + tree.evictable - spared:
            return 0
        self._memory.load(path)
        return size

    def backup(self, node: object) -> int:
        """Issue copies of `node` to the host (SGLang: `write_backup`), in the write-through modes of what is above it first.

        Makes room by evicting the shortfall on the host, and stops where it cannot. Returns the tokens of the copies. Raises StaleHandle.
        """
        return self._memory.back_up(self._path_of(node))

    def poll(self) -> list[Ticket]:
        """Handle every copy that is done, in the order of issue; return their tickets (SGLang: `check_hicache_events`).

        A failed copy is undone, or issued again if something rests on it already.
        """
        return self._memory.poll()

    def evict_host(self, tokens: int) -> int:
        """Evict the least host leaves until `tokens` are freed on the host or none is left; return the tokens freed. Raises BadAmount."""
        return self._memory.evict_host(to_amount(tokens))

    def run(self, request: int) -> None:
        """Let `request` read its row: nothing changes. Raises NotArrived while a load is filling slots of it, and UnknownRequest."""
        self._requests.run(request)

    def host_available(self) -> int:
        """Return the free slots of the host, in tokens."""
        return self.host_pool.available

    def reset(self) -> None:
        """Forget everything; afterwards every slot of both tiers is free. Raises StillHeld also while a copy is in flight."""
        if self.copies:
            raise StillHeld(f"{len(self.copies)} copies are in flight")
        hosts = self.tree.host_slots()
        super().reset()
        if hosts:
            self.host_pool.free(*hosts)
        assert self.host_pool.available == self.host_pool.capacity, "host slots were lost"

    def _path_of(self, node: object) -> list[Node]:
        """Return the path from below the root to the node of a handle. Raises StaleHandle."""
        if not isinstance(node, TieredNode) or (node.parent is None and node is not self.tree.root):
            raise StaleHandle("the node of this handle has left the tree")
        return self.tree.path_to(node)
