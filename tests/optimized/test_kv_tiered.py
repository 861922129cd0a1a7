"""The whole host tier: a cache, a copier and a store, under an engine that writes content tags as KV and checks them before it reads."""

from collections import Counter
from random import Random

import pytest
import torch
from fast_tier import slow_unless
from late_copies import Failing, Late
from tagged_kv import TaggedKV
from tier_shape import check_counters, nodes_of

from radixcheck.optimized import DevicePool, ListedLoans, TagMismatch, TieredCache
from radixcheck.optimized.keys import unpack
from radixcheck.optimized.kv_copier import KVCopier, KVTicket
from radixcheck.optimized.tier_memory import THRESHOLDS
from radixcheck.spec.values import Key, NoRoom, NotArrived, StaleHandle

PAGES, HOST_PAGES, LAYERS, LIVE_MAX = 10, 14, 2, 3
NAMESPACES: tuple[tuple[object, ...], ...] = ((), ("a",))
VERBS = (
    *("start", "start", "start", "run", "run", "chunk", "decode", "finish", "finish", "abort", "insert", "insert", "match"),
    *("load_back", "load_back", "backup", "evict", "evict", "evict_host", "flush", "flush", "poll", "poll", "advance", "advance"),
)


class Engine:
    """It makes random calls, computes what it was given slots for, and checks the content of all that it may read."""

    def __init__(self, mode: str, page_size: int, device: str, kind: str, seed: int) -> None:
        self.random, self.page_size, self.seen = Random(seed), page_size, Counter[str]()
        self.store = Failing(LAYERS, PAGES * page_size, HOST_PAGES * page_size, (), torch.int64, device, piece_bytes=16 * 5 * page_size)
        self.late = Late(self.store)
        self.copier = KVCopier(self.late, self.late) if kind == "late" else KVCopier(self.store)
        if kind == "failing":
            self.store.error, self.store.numbers = RuntimeError("planted"), range(3, 10_000, 7)
        pools = DevicePool(PAGES * page_size, page_size, device), DevicePool(HOST_PAGES * page_size, page_size, "cpu")
        self.cache = TieredCache(page_size, "lru", *pools, self.copier, mode, loans=ListedLoans(page_size))
        self.tags = TaggedKV(self.store, NAMESPACES)
        self.computed: dict[int, int] = {}  # tokens of each request whose KV is there, or comes with a load
        self.started = 0

    def step(self) -> None:
        """Make one call."""
        verb = self.random.choice(VERBS)
        try:
            getattr(self, verb)()
            self.seen[verb] += 1
        except (NoRoom, NotArrived, StaleHandle) as refused:
            self.seen[type(refused).__name__] += 1

    def key(self) -> Key:
        """A key of up to five pages, each of one letter, and perhaps a part of a page."""
        random, size = self.random, self.page_size
        pages = [(random.randint(0, 1),) * size for _ in range(random.randint(0, 5))]
        return Key((*sum(pages, ()), *(0,) * random.randrange(size)), random.choice((*NAMESPACES, ())))

    def request(self) -> int | None:
        """Some live request."""
        return self.random.choice([*self.computed]) if self.computed else None

    def start(self) -> None:
        """Start a request; where a load fills its row, perhaps let the device wait for it, and read."""
        if len(self.computed) >= LIVE_MAX:
            return
        key = self.key()
        row = self.cache.start(self.started, key)
        self.computed[self.started] = row.cached
        self.started += 1
        self.seen["waits"] += len(row.waits)
        if row.waits and self.random.random() < 0.3:
            assert all(isinstance(ticket, KVTicket) for ticket in row.waits)
            if all(isinstance(ticket, KVTicket) and ticket.wait_on_device() for ticket in row.waits):
                self.tags.check(row.slots[: row.cached], key)
                self.seen["read behind the load"] += 1

    def run(self) -> int | None:
        """Let some request read its row, and compute the rest."""
        request = self.request()
        if request is not None:
            self.cache.run(request)
            live = self.cache.requests[request]
            self.tags.check(live.row[: self.computed[request]], live)
            self.tags.compute(live.row, live, self.computed[request])
            self.computed[request] = len(live.tokens)
            self.seen["tokens read"] += len(live.tokens)
        return request

    def chunk(self) -> None:
        """Compute, and cache that."""
        if (request := self.run()) is not None:
            self.cache.chunk(request)

    def decode(self) -> None:
        """Add a token, to be computed when the request runs."""
        request = self.request()
        if request is not None and len(self.cache.requests[request].tokens) < 8 * self.page_size:
            self.cache.decode(request, self.random.randint(0, 1))

    def finish(self) -> None:
        """Compute, and finish."""
        if (request := self.run()) is not None:
            self.cache.finish(request)
            del self.computed[request]

    def abort(self) -> None:
        """Abort any request, also one whose row has not arrived."""
        request = self.request()
        if request is not None and self.random.random() < 0.3:
            self.cache.abort(request)
            del self.computed[request]

    def insert(self) -> None:
        """Compute and insert a key, and free what was cached before."""
        key = self.key()
        slots = self.cache.alloc(len(key.tokens))
        self.tags.compute(slots, key)
        known = self.cache.insert(key, slots)
        self.cache.free(slots[:known])
        self.cache.free(slots[key.whole_pages(self.page_size) :])

    def match(self) -> None:
        """Match a key, which may split a node under a copy."""
        self.cache.match(self.key())

    def load_back(self) -> None:
        """Load what only the host has of a key."""
        found = self.cache.match(self.key())
        if found.host_length:
            self.seen["loaded"] += self.cache.load_back(found.host_node)

    def backup(self) -> None:
        """Back up a node, which may be on the host alone."""
        self.cache.backup(self.cache.match(self.key()).host_node)

    def evict(self) -> None:
        """Evict from the device."""
        self.cache.evict(self.random.randint(1, 4) * self.page_size)

    def evict_host(self) -> None:
        """Evict from the host."""
        if self.random.random() < 0.3:
            self.cache.evict_host(self.random.randint(1, 2) * self.page_size)

    def flush(self) -> None:
        """Issue what is queued."""
        self.copier.flush()

    def poll(self) -> None:
        """Handle what is done."""
        for ticket in self.cache.poll():
            self.seen["failed" if ticket.failed else "arrived"] += 1

    def advance(self) -> None:
        """Let some transfers take place that are late."""
        self.late.advance(max(self.random.randint(self.late.ran, len(self.late.issued)) for _ in range(3)))

    def check(self) -> None:
        """Check the counters, and every slot of both tiers that has arrived."""
        check_counters(self.cache)
        saving = {node for copy in self.cache.copies if not copy.up for node in copy.nodes()}
        keys = {self.cache.tree.root: Key((), ())}
        for node in nodes_of(self.cache):
            assert node.parent is not None
            above = keys[node.parent]
            namespace = node.child_key[0] if isinstance(node.child_key, tuple) else above.namespace
            key = keys[node] = Key((*above.tokens, *unpack(node.segment)), namespace)
            start = len(above.tokens)
            if node.resident and node.filling is None:
                assert self.tags.wrong(node.slots, key, start, on_host=False) == []
                self.seen["checked on the device"] += 1
            if node.host is not None and node not in saving:
                assert self.tags.wrong(node.host, key, start, on_host=True) == []
                self.seen["checked on the host"] += 1

    def settle(self) -> None:
        """Let all copies arrive, and what failed again, until none is in flight."""
        for _ in range(50):
            self.copier.flush()
            for copy in self.cache.copies:
                assert copy.ticket is not None
                copy.ticket.wait()
            self.cache.poll()
        assert self.cache.copies == []


@pytest.mark.parametrize("kind", ["direct", "late", "failing"])
@pytest.mark.parametrize("mode", THRESHOLDS)
@pytest.mark.parametrize("page_size", slow_unless(lambda page_size: page_size == 4, [1, 4]))
def test_every_row_that_may_be_read_holds_the_kv_of_its_tokens(device: str, mode: str, page_size: int, kind: str) -> None:
    """And so does every slot of both tiers that has arrived, after backups, demotions and loads to other slots; also where copies fail."""
    seen = Counter[str]()
    for seed in range(6):
        engine = Engine(mode, page_size, device, kind, seed)
        for call in range(250):
            engine.step()
            if call % 8 == 0:
                engine.check()
        engine.settle()
        engine.check()
        for request in [*engine.computed]:
            engine.cache.run(request)
            engine.cache.abort(request)
        engine.cache.reset()
        assert engine.store.host[0].numel() == engine.cache.host_available()
        seen += engine.seen
    least = {"arrived": 20, "waits": 4, "loaded": 8, "read behind the load": 1, "checked on the device": 300, "checked on the host": 200}
    assert {name: seen[name] for name, count in least.items() if seen[name] < count} == {}
    assert (seen["failed"] > 0) == (kind == "failing")


def test_kv_of_other_tokens_or_in_another_layer_is_seen(device: str) -> None:
    store = Failing(LAYERS, 8, 8, (), torch.int64, device)
    tags, key = TaggedKV(store, NAMESPACES), Key((1, 2, 3))
    slots = torch.tensor([5, 1, 6], device=device)
    tags.compute(slots, key)
    copier = KVCopier(store)
    copier.copy(False, slots, [3, 4, 0]).wait()

    tags.check(slots, key)
    assert tags.wrong(torch.tensor([3, 4, 0]), key, 0, on_host=True) == []
    assert tags.wrong(torch.tensor([4, 0]), key, 1, on_host=True) == []
    assert tags.wrong(torch.tensor([3, 0, 4]), key, 0, on_host=True) == [1, 2]
    assert tags.wrong(slots, Key((1, 2, 4)), 0, on_host=False) == [2]
    assert tags.wrong(slots, Key((1, 2, 3), ("a",)), 0, on_host=False) == [0, 1, 2]
    store.device[1][slots] = store.device[0][slots]
    assert tags.wrong(slots, key, 0, on_host=False) == [0, 1, 2]
    with pytest.raises(TagMismatch):
        tags.check(slots, key)
