"""How fast KV moves between the tiers under our cache, and what the cache takes of a decode step. On a GPU where there is one."""

from collections.abc import Callable, Sequence
from math import prod
from statistics import median
from time import perf_counter_ns
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from radixcheck.optimized import DevicePool, TieredCache
from radixcheck.optimized.kv_copier import KVCopier, KVTicket
from radixcheck.optimized.kv_store import KVBuffers
from radixcheck.spec.values import Key
from radixcheck.verification.bench.driver import check
from radixcheck.verification.bench.streams import Make, leaf, settle

HEADS, WIDTH = 8, 128  # of the keys and of the values of a token, in one layer
ITEM = (2, HEADS, WIDTH)
DTYPE = torch.bfloat16
TURN = 8  # decode steps after which a request leaves and another one comes, whose prompt the host has


def _device() -> torch.device:
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class Tier:
    """A cache over a store."""

    def __init__(self, store: KVBuffers, page_size: int, mode: str) -> None:
        self.store, self.copier = store, KVCopier(store)
        self.device = store.device[0].device
        self.pools = DevicePool(len(store.device[0]), page_size, self.device), DevicePool(len(store.host[0]), page_size)
        self.cache = TieredCache(page_size, "lru", *self.pools, self.copier, mode)

    def fill(self) -> None:
        """Give every slot and layer bits of its own."""
        first = 0
        for layer in self.store.device:
            words = layer.view(torch.int64)
            words.copy_(torch.arange(first, first + words.numel(), device=self.device).view(words.shape))
            first += words.numel()

    def shuffle(self, pool: DevicePool) -> None:
        """Fragment the free pages of a pool."""
        slots = pool.alloc(pool.available).view(-1, pool.page_size)
        pool.free(slots[torch.randperm(len(slots), generator=torch.Generator().manual_seed(1)).to(slots.device)].view(-1))

    def arrive(self) -> None:
        """Issue all copies, and return when they have arrived."""
        self.copier.flush()
        for copy in self.cache.copies:
            assert copy.ticket is not None
            copy.ticket.wait()

    def settle(self) -> None:
        """Let all copies arrive, and handle them."""
        self.arrive()
        check(not any(ticket.failed for ticket in self.cache.poll()), "a copy has failed")
        check(not self.cache.copies, "a copy has not arrived")

    def wait(self) -> None:
        """Return when the device is idle."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def seconds(self, call: Callable[[], object]) -> float:
        """Return the seconds of a call on the wall, including the device's work."""
        self.wait()
        start = perf_counter_ns()
        call()
        self.wait()
        return (perf_counter_ns() - start) / 1e9


def kv(
    make: Make,
    page_size: int,
    layers: int,
    prompts: int,
    tokens: int,
    fragmented: bool,
    steps: int,
    batch: int,
    context: int,
    store: type[KVBuffers] = KVBuffers,
) -> dict[str, float]:
    """Back up and load back prompts, all in one flush, and decode with a batch. `make` is not used: no other cache moves KV here.

    Return GB/s of both directions, from the first call to the arrival of the last byte, and of one plain copy of as many bytes between
    contiguous buffers (pinned for CUDA) in the same run; % is our speed as a share of that one. Launches are those of the whole flush, as
    counted. `cuda` is 1 on a device; on the CPU (0) both tiers are in its memory: the figures are those of the code, not of a device.
    A decode step is attention to `context` tokens and one matrix per layer: a model has more, and the cache a smaller share.
    """
    tier = Tier(store(layers, prompts * tokens, prompts * tokens, ITEM, DTYPE, _device()), page_size, "write_through_selective")
    tier.fill()
    tier.shuffle(tier.pools[0])
    if fragmented:
        tier.shuffle(tier.pools[1])
    keys = [Key(tuple(leaf(i, tokens))) for i in range(prompts)]
    size = prompts * tokens * layers * prod(ITEM) * DTYPE.itemsize
    plain = _plain_copies(tier, size, steps)
    settle()
    rounds = [_round(tier, keys) for _ in range(steps + 1)][1:]  # the first one makes the staging buffer
    figures = {"cuda": float(tier.device.type == "cuda")}
    for name in ("load", "backup"):
        seconds = median(found[name].seconds for found in rounds)
        figures |= {f"{name} GB/s": size / seconds / 1e9, f"plain {name} GB/s": size / plain[name] / 1e9}
        figures |= {f"{name} %": 100 * plain[name] / seconds, f"{name} launches": float(rounds[-1][name].launches)}
    return figures | _decode(page_size, layers, context, batch, steps)


class Moved(NamedTuple):
    """One direction of all prompts."""

    seconds: float
    launches: int


def _round(tier: Tier, keys: Sequence[Key]) -> dict[str, Moved]:
    """Cache prompts that the slots have KV for, back them up, evict them, load them back, compare one, and forget them."""
    cache, capacity = tier.cache, tier.pools[0].capacity
    for key in keys:
        slots = cache.alloc(len(key.tokens))
        check(cache.insert(key, slots) == 0, "a prompt was cached before")
    before = [layer[slots] for layer in tier.store.device]
    moved = {"backup": _moved(tier, cache.backup, [cache.match(key).node for key in keys])}
    tier.settle()
    check(cache.evict(capacity) == capacity, "tokens stayed on the device")
    tier.shuffle(tier.pools[0])
    moved["load"] = _moved(tier, cache.load_back, [cache.match(key).host_node for key in keys])
    tier.settle()
    found = cache.match(keys[-1]).slots
    check(not torch.equal(found, slots), "a prompt was loaded to the slots that it had")
    for layer, kv in zip(tier.store.device, before, strict=True):
        check(torch.equal(layer[found].view(torch.int64), kv.view(torch.int64)), "a slot holds other KV than before")
    cache.reset()
    return moved


def _moved(tier: Tier, call: Callable[[object], int], nodes: Sequence[object]) -> Moved:
    launches, tokens = tier.copier.launches, list[int]()

    def move() -> None:
        tokens.extend(map(call, nodes))
        tier.arrive()

    seconds = tier.seconds(move)
    check(sum(tokens) == tier.pools[0].capacity, "a copy of less than all tokens was issued")
    return Moved(seconds, tier.copier.launches - launches)


def _plain_copies(tier: Tier, size: int, steps: int) -> dict[str, float]:
    """Return the median seconds of one copy of so many bytes between contiguous buffers, in both directions."""
    host = torch.zeros(size, dtype=torch.uint8, pin_memory=tier.device.type == "cuda")
    device = torch.ones(size, dtype=torch.uint8, device=tier.device)
    copies = {"backup": lambda: host.copy_(device, non_blocking=True), "load": lambda: device.copy_(host, non_blocking=True)}
    return {name: median([tier.seconds(copy) for _ in range(steps + 1)][1:]) for name, copy in copies.items()}


def _decode(page_size: int, layers: int, tokens: int, batch: int, steps: int) -> dict[str, float]:
    """Decode with a batch of prompts that were loaded back. Return the microseconds of a step, those inside the cache, and their share.

    Each step adds a token to every request; every `TURN`th one finishes a request and starts another, whose prompt only the host has.
    """
    room = tokens + -(-steps * TURN // page_size) * page_size
    tier = Tier(KVBuffers(layers, (batch + 1) * room, 2 * batch * room, ITEM, DTYPE, _device()), page_size, "write_through")
    keys = [Key(tuple(leaf(i, tokens))) for i in range(2 * batch)]
    for key in keys:
        tier.cache.insert(key, tier.cache.alloc(tokens))
        tier.settle()
    tier.cache.evict(tier.pools[0].capacity)
    decoding = Decoding(tier, keys, batch)
    settle()
    for step in range(steps * TURN + 1):
        decoding.step(step, is_timed=step > 0)
    check(decoding.loads > batch, "no request has come whose prompt only the host has")
    total, inside = sum(decoding.total), sum(decoding.inside)
    return {
        "step us": 1e6 * total / len(decoding.total),
        "cache us/step": 1e6 * inside / len(decoding.inside),
        "share %": 100 * inside / total,
    }


class Decoding:
    """A batch that is decoded: a row of slots for each request, and a small forward pass that reads and writes the store."""

    def __init__(self, tier: Tier, keys: Sequence[Key], batch: int) -> None:
        self.tier, self.keys, self.loads = tier, keys, 0
        self.started, self.requests = 0, list[int]()
        hidden = HEADS * WIDTH
        self.rows = torch.zeros(batch, len(keys[0].tokens), dtype=torch.int64, device=tier.device)
        self.weights = [torch.zeros(hidden, hidden, dtype=DTYPE, device=tier.device) for _ in tier.store.device]
        self.total, self.inside = list[float](), list[float]()
        for place in range(batch):
            self._start(place)
        tier.settle()

    def _start(self, place: int) -> None:
        number = self.started
        self.started += 1
        row = self.tier.cache.start(number, self.keys[number % len(self.keys)])
        self.requests[place : place + 1] = [number]
        self.rows[place] = row.slots
        self.loads += len(row.waits)
        for ticket in row.waits:
            assert isinstance(ticket, KVTicket)
            check(ticket.wait_on_device(), "a load has failed")

    def step(self, number: int, is_timed: bool) -> None:
        """Add a token to each request, and compute it."""
        inside = 0.0

        def work() -> None:
            nonlocal inside
            start = perf_counter_ns()
            slots = torch.stack([self.tier.cache.decode(request, number) for request in self.requests])
            if number % TURN == TURN - 1:
                place = number // TURN % len(self.requests)
                self.tier.cache.finish(self.requests[place])
                self._start(place)
            self.tier.copier.flush()
            self.tier.cache.poll()
            inside = (perf_counter_ns() - start) / 1e9
            self._forward(slots)

        seconds = self.tier.seconds(work)
        if is_timed:
            self.total.append(seconds)
            self.inside.append(inside)

    def _forward(self, slots: Tensor) -> None:
        batch = len(self.rows)
        x = torch.zeros(batch, HEADS * WIDTH, dtype=DTYPE, device=self.tier.device)
        for layer, weight in zip(self.tier.store.device, self.weights, strict=True):
            keys, values = (part.transpose(1, 2) for part in layer[self.rows].unbind(2))
            x = scaled_dot_product_attention(x.view(batch, HEADS, 1, WIDTH), keys, values).view(batch, -1) @ weight
            layer[slots] = x.view(batch, 1, HEADS, WIDTH).expand(-1, 2, -1, -1)
