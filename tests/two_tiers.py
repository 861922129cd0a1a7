"""A reference cache with a host tier whose copier moves what the slots hold, and what must hold between any two calls."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from radixcheck.reference import SlotPool, TieredCache, TieredNode
from radixcheck.reference.copies import Transfer
from radixcheck.reference.node import below, path
from radixcheck.reference.tiered_node import between
from radixcheck.spec.values import CacheError, Key

Tokens = tuple[int, ...]
Kv = dict[int, Tokens]  # by slot: the prefix whose last token it is for


def key(text: str) -> Key:
    return Key(tuple(map(ord, text)))


@dataclass(slots=True, eq=False)
class Move(Transfer):
    """A copy that moves what the slots hold when it arrives."""

    sources_kv: Kv = field(default_factory=dict)
    targets_kv: Kv = field(default_factory=dict)
    fails: bool = False  # when somebody waits for it

    def complete(self, failed: bool = False) -> None:
        """Move, unless it fails."""
        assert not self.done
        Transfer.complete(self, failed)
        if not failed:
            self.targets_kv |= {to: self.sources_kv[source] for source, to in zip(self.sources, self.targets, strict=True)}

    def wait(self) -> None:
        """Be done at once."""
        if not self.done:
            self.complete(self.fails)


@dataclass
class Mover:
    """A copier between two memories."""

    device: Kv = field(default_factory=dict)
    host: Kv = field(default_factory=dict)
    issued: list[Move] = field(default_factory=list)
    waits_fail: bool = False

    def copy(self, up: bool, sources: Sequence[int], targets: Sequence[int]) -> Move:
        """Issue it; until it arrives its targets hold nothing that may be read."""
        kv = (self.host, self.device) if up else (self.device, self.host)
        for to in targets:
            kv[1].pop(to, None)
        move = Move(up, tuple(sources), tuple(targets), False, False, *kv, self.waits_fail)
        self.issued.append(move)
        return move

    def in_flight(self) -> list[Move]:
        """Return what is not done, in the order of issue."""
        self.issued = [move for move in self.issued if not move.done]
        return self.issued


def prefix(node: TieredNode) -> Tokens:
    return tuple(token for above in [*path(node)][::-1] for token in above.segment)


class Tiers(TieredCache):
    """The cache, and its caller: who writes what it computes into its slots."""

    copier: Mover

    def __init__(self, mode: str = "write_through", policy: str = "lru", page_size: int = 2, pages: int = 8, host_pages: int = 8) -> None:
        pools = (SlotPool(pages * page_size, page_size), SlotPool(host_pages * page_size, page_size))
        super().__init__(page_size, policy, *pools, Mover(), mode)

    def write(self, tokens: Tokens, slots: Sequence[int], start: int = 0) -> None:
        """Compute the tokens from `start` on."""
        self.copier.device |= {slots[at]: tokens[: at + 1] for at in range(start, len(tokens))}

    def put(self, text: str | Key, priority: int = 0) -> int:
        """Insert a key with new slots, and free those that are still the caller's."""
        wanted = key(text) if isinstance(text, str) else text
        slots = self.alloc(len(wanted.tokens))
        self.write(wanted.tokens, slots)
        known = self.insert(wanted, slots, priority)
        self.free(slots[:known] + slots[wanted.whole_pages(self.page_size) :])
        return known

    def host_node(self, text: str) -> object:
        """Return the handle of all that is cached of a key."""
        return self.match(key(text)).host_node

    def settle(self, failed: bool = False) -> int:
        """Let every copy in flight arrive, or fail; return how many the cache has handled."""
        for move in [*self.copier.in_flight()]:
            move.complete(failed)
        return len(self.poll())

    def offload(self, text: str) -> None:
        """Cache a key and let it leave the device for the host."""
        self.put(text)
        self.settle()
        assert self.evict(self.sizes().evictable) > 0

    def nodes(self) -> dict[str, TieredNode]:
        """Return every node by its prefix in letters."""
        return {"".join(map(chr, prefix(node))): node for node in below(self.root)}

    def tiers(self) -> dict[str, str]:
        """Return on which tiers every node is: d, h or dh."""
        return {text: "d" * bool(node.slots) + "h" * bool(node.host) for text, node in self.nodes().items()}

    def state(self) -> Any:
        """Return all that a call could change, by value."""
        names = ("segment", "slots", "host", "lock", "pins", "time", "creation", "hits", "priority")
        nodes = {(id(node), node.child_key): [*(getattr(node, name) for name in names)] for node in below(self.root)}
        requests = {number: (live.node, live.cached, [*live.row], [*live.tokens]) for number, live in self.requests.items()}
        pools = [[*pool._free] for pool in (self.pool, self.host_pool) if isinstance(pool, SlotPool)]
        return nodes, requests, pools, [*self.copies], self.sizes(), self.host_available(), self.now, {*self._loans}


def refused(cache: Tiers, error: type[CacheError], call: Callable[[], object]) -> None:
    """Check that the call raises this error and changes nothing."""
    before = cache.state()
    with pytest.raises(error):
        call()
    assert cache.state() == before


def check(cache: Tiers) -> None:
    """Check what holds between any two calls."""
    for node in below(cache.root):
        assert node.parent is not None
        assert node.slots or node.host, "REACHABLE"
        assert {len(node.slots), len(node.host)} <= {0, len(node.segment)}, "UNIFORM"
        assert not node.slots or node.parent.is_resident, "DEVICE_CLOSED"
        assert not node.host or cache.mode == "write_back" or node.parent.is_hosted, "HOST_CLOSED"
        assert not node.lock or node.slots, "LOCKED_RESIDENT"
        assert not node.pins or (node.slots and node.host), "PINNED_HOSTED"
        assert node.parent is cache.root or (node.parent.time >= node.time and node.parent.hits >= node.hits), "ATTRIBUTE_MONO"
    _check_holders(cache)
    _check_slots(cache)
    _check_content(cache)


def _check_holders(cache: Tiers) -> None:
    holders = [receipt.node for receipt in cache._receipts] + [live.node for live in cache.requests.values()]
    locks = Counter(node for end in holders + [copy.end for copy in cache.copies] for node in path(end))
    pins = Counter(node for copy in cache.copies if copy.up for node in between(copy.floor, copy.end))
    nodes = [*below(cache.root)]
    assert all((node.lock, node.pins) == (locks[node], pins[node]) for node in nodes), "LOCK_COUNT, PIN_COUNT"
    evictable, protected = (sum(len(node.slots) for node in nodes if bool(node.lock) == locked) for locked in (False, True))
    assert cache.sizes()[1:] == (evictable, protected), "COUNT"


def _check_slots(cache: Tiers) -> None:
    size, pool, host_pool = cache.page_size, cache.pool, cache.host_pool
    assert isinstance(pool, SlotPool)
    assert isinstance(host_pool, SlotPool)
    own = [live.row[live.cached :: size] for live in cache.requests.values()]
    device = [node.slots[::size] for node in below(cache.root)] + own + [[*cache._loans]]
    starts = [start for part in device for start in part]
    assert sorted(starts) == sorted(pool._taken), "SLOT_PARTITION"
    assert sorted(start for node in below(cache.root) for start in node.host[::size]) == sorted(host_pool._taken), "HOST_PARTITION"


def _check_content(cache: Tiers) -> None:
    unfilled = {(copy.up, slot) for copy in cache.copies for slot in copy.targets}
    for copy in cache.copies:
        nodes = between(copy.floor, copy.end)
        device, host = (tuple(slot for node in nodes for slot in getattr(node, tier)) for tier in ("slots", "host"))
        assert (copy.sources, copy.targets) == ((host, device) if copy.up else (device, host)), "SOURCE, TARGET"
    for node in below(cache.root):
        whole = prefix(node)
        first = len(whole) - len(node.segment)
        for up, slots, kv in ((True, node.slots, cache.copier.device), (False, node.host, cache.copier.host)):
            for at, slot in enumerate(slots, first + 1):
                assert (up, slot) in unfilled or kv[slot] == whole[:at], "MATCH_SOUND, HOST_SOUND"
    for live in cache.requests.values():
        for at, slot in enumerate(live.row, 1):
            assert (True, slot) in unfilled or cache.copier.device[slot] == tuple(live.tokens[:at]), "NO_UAF"
