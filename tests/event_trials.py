"""Clean recordings of a small tree cache, and what may happen to one on its way: batches and events that are lost, doubled, moved, cut."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import msgpack
from host_calls import Caller, SlowCopier

from radixcheck.reference.copies import MODES
from radixcheck.reference.pool import SlotPool
from radixcheck.reference.tiers import TieredCache
from radixcheck.spec.events.event_values import DEVICE, HOST, Event, Removed, Stored, page_id
from radixcheck.verification.event_streams.recording import Complete, Frame, Item

PAGE, POOL, HOST_POOL = 4, 60, 120  # tokens of a page; pages
MEDIUM = {DEVICE: "GPU", HOST: "CPU_PINNED"}
Chain = tuple[int, ...]  # the pages of a prefix, each named by a number


@dataclass
class Tree:
    """A tree of pages on two tiers, which writes what it does as SGLang does."""

    random: Random
    as_lists: bool = False  # events as earlier versions wrote them

    def __post_init__(self) -> None:
        self.tiers: dict[str, dict[Chain, None]] = {DEVICE: {}, HOST: {}}  # least recently used first
        self.events: list[Any] = []

    def id(self, chain: Chain) -> int | None:
        """The id of the last page."""
        found: int | None = None
        for page in chain:
            found = page_id(found, (), self.tokens(page))
        return found

    def tokens(self, page: int) -> list[int]:
        return list(range(page * PAGE, page * PAGE + PAGE))

    def store(self, tier: str, chains: Sequence[Chain]) -> None:
        """Store pages that follow each other."""
        ids, tokens = [self.id(chain) for chain in chains], [token for chain in chains for token in self.tokens(chain[-1])]
        parent = self.id(chains[0][:-1]) if len(chains[0]) > 1 else None
        for chain in chains:
            self.tiers[tier][chain] = None
        fields = {"block_hashes": ids, "parent_block_hash": parent, "token_ids": tokens, "block_size": PAGE, "lora_id": None}
        self.write("BlockStored", fields | {"medium": MEDIUM[tier]})

    def remove(self, tier: str, chain: Chain) -> None:
        del self.tiers[tier][chain]
        self.write("BlockRemoved", {"block_hashes": [self.id(chain)], "medium": MEDIUM[tier]})

    def write(self, kind: str, fields: dict[str, Any]) -> None:
        self.events.append([kind, *fields.values()] if self.as_lists else {"type": kind, **fields})

    def request(self, chain: Chain) -> None:
        """Cache the pages of a request; what it follows becomes the most recently used."""
        device = self.tiers[DEVICE]
        known = [chain[:n] for n in range(1, len(chain) + 1) if chain[:n] in device]
        for each in reversed(known):
            device[each] = device.pop(each)
        while len(device) + len(chain) - len(known) > POOL:
            self.evict(known)
        if len(known) < len(chain):
            self.store(DEVICE, [chain[:n] for n in range(len(known) + 1, len(chain) + 1)])
        for n in range(1, len(chain) + 1):
            if self.random.random() < 0.5 and chain[:n] not in self.tiers[HOST] and (n == 1 or chain[: n - 1] in self.tiers[HOST]):
                self.store(HOST, [chain[:n]])
        while len(self.tiers[HOST]) > HOST_POOL:
            self.remove(HOST, self.leaf(HOST, ()))

    def evict(self, kept: Sequence[Chain]) -> None:
        self.remove(DEVICE, self.leaf(DEVICE, kept))

    def leaf(self, tier: str, kept: Sequence[Chain]) -> Chain:
        """The least recently used page that no other follows, on this tier and, if it is on no other, anywhere."""
        followed = {chain[:-1] for chain in self.tiers[tier]}
        other = self.tiers[HOST if tier == DEVICE else DEVICE]
        followed |= {chain[:-1] for chain in other if chain[:-1] not in other}
        return next(chain for chain in self.tiers[tier] if chain not in followed and chain not in kept)


def payloads(seed: int, batches: int = 60, as_lists: bool = False) -> list[bytes]:
    """The batches of a clean stream; the same for the same seed."""
    random = Random(seed)
    tree, made = Tree(random, as_lists), list[bytes]()
    groups = [tuple(random.sample(range(40), random.randrange(2, 6))) for _ in range(8)]
    while len(made) < batches:
        for _ in range(random.randrange(1, 4)):
            tree.request(random.choice(groups) + tuple(random.sample(range(40, 80), random.randrange(4))))
        if random.random() < 0.02:
            tree.tiers = {DEVICE: {}, HOST: {}}
            tree.write("AllBlocksCleared", {})
        if tree.events:
            made.append(msgpack.packb([len(made) / 8, tree.events, 0]))
            tree.events = []
    return made


def frames(seed: int, batches: int = 60, as_lists: bool = False) -> list[Frame]:
    """The batches of a clean stream as a recording has them."""
    return framed(payloads(seed, batches, as_lists))


def framed(payloads_: Sequence[bytes]) -> list[Frame]:
    return [Frame(f"line {seq + 2}", seq, payload, None, "kv") for seq, payload in enumerate(payloads_)]


def reference_frames(seed: int, batches: int = 60) -> list[Frame]:
    """What the reference with a host tier emits under random calls, whose copies are late and some of which fail."""
    events, copier, made = list[Event](), SlowCopier(), list[bytes]()
    caller = Caller(TieredCache(2, "lru", SlotPool(12, 2), SlotPool(20, 2), copier, [*MODES][seed % len(MODES)], events), copier, seed)
    while len(made) < batches:
        caller.call()
        if events and caller.rng.random() < 0.3:
            made.append(msgpack.packb([0.0, list(map(as_sent, events))]))
            events.clear()
    return framed(made)


def as_sent(event: Event) -> dict[str, Any]:
    """An event of a cache of pages of two tokens, as a server sends it."""
    match event:
        case Stored(medium, namespace, parent, ids, tokens):
            fields = {"block_hashes": ids, "parent_block_hash": parent, "token_ids": tokens, "block_size": 2, "lora_id": None}
            return {"type": "BlockStored", **fields, "medium": MEDIUM[medium], "lora_name": namespace[0] if namespace else None}
        case Removed(medium, ids):
            return {"type": "BlockRemoved", "block_hashes": ids, "medium": MEDIUM[medium]}
    return {"type": "AllBlocksCleared"}


Happening = Callable[[list[Frame], Random], list[Frame]]


def dropped(clean: list[Frame], random: Random) -> list[Frame]:
    """One batch is lost, now and then the first or the last one."""
    at = random.choice((0, len(clean) - 1, *[random.randrange(len(clean))] * 8))
    return clean[:at] + clean[at + 1 :]


def doubled(clean: list[Frame], random: Random) -> list[Frame]:
    """One batch comes again, at once or later."""
    at = random.randrange(len(clean))
    later = random.randint(at + 1, len(clean))
    return [*clean[:later], clean[at], *clean[later:]]


def reordered(clean: list[Frame], random: Random) -> list[Frame]:
    """One batch comes later than it should."""
    at = random.randrange(len(clean) - 1)
    later = random.randint(at + 1, len(clean) - 1)
    return [*clean[:at], *clean[at + 1 : later + 1], clean[at], *clean[later + 1 :]]


def truncated(clean: list[Frame], random: Random) -> list[Frame]:
    """The end of one batch is missing."""
    at = random.randrange(len(clean))
    payload = clean[at].payload or b""
    return [*clean[:at], replace(clean[at], payload=payload[: random.randrange(len(payload))]), *clean[at + 1 :]]


BATCHES: dict[str, Happening] = {"dropped": dropped, "doubled": doubled, "reordered": reordered, "truncated": truncated}


def marked(clean: list[Frame], happening: Happening, random: Random) -> list[Item]:
    """What happens to a recording that ends with the mark of completeness."""
    return [*happening(clean, random), Complete(clean[-1].seq)]


def events_changed(clean: list[Frame], random: Random, how: str) -> list[Frame]:
    """One event is lost, doubled or changes place with the next one of its batch, or loses its last id; the numbers stay."""
    while True:
        at = random.randrange(len(clean))
        time, events, rank = msgpack.unpackb(clean[at].payload, strict_map_key=False)
        i = random.randrange(len(events))
        match how:
            case "dropped":
                del events[i]
            case "doubled":
                events.insert(i, events[i])
            case "reordered" if i + 1 < len(events):
                events[i], events[i + 1] = events[i + 1], events[i]
            case "truncated" if len(events[i].get("block_hashes", ())) > 1:
                events[i]["block_hashes"].pop()
            case _:
                continue
        return [*clean[:at], replace(clean[at], payload=msgpack.packb([time, events, rank])), *clean[at + 1 :]]
