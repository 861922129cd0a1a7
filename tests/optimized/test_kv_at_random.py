"""Random copies between two tiers, beside a plain dictionary of what every page holds."""

from dataclasses import dataclass, field
from random import Random

import pytest
import torch
from late_copies import Late
from torch import Tensor

from radixcheck.optimized.kv_copier import KVCopier, KVTicket
from radixcheck.optimized.kv_store import KVBuffers

PAGES, HOST_PAGES = 10, 14
ROUNDS = 150


@dataclass
class Engine:
    """It writes KV, queues copies that keep the contract of `Copier` on the device, and knows what every page must hold."""

    page_size: int
    layers: int
    device: str
    is_late: bool
    random: Random
    holds: dict[tuple[bool, int], int] = field(default_factory=dict)  # (on the host, page) -> what was written there first
    flying: list[tuple[KVTicket, set[int], set[int]]] = field(default_factory=list)  # device pages that it reads, and writes
    count: int = 0

    def __post_init__(self) -> None:
        size = self.page_size
        self.store = KVBuffers(
            self.layers, PAGES * size, HOST_PAGES * size, (2,), torch.float32, self.device, piece_bytes=self.layers * 8 * 3 * size
        )
        self.late = Late(self.store)
        self.copier = KVCopier(self.late, self.late) if self.is_late else KVCopier(self.store)

    def slots(self, pages: list[int]) -> Tensor:
        """The slots of pages."""
        return (torch.tensor(pages).unsqueeze(1) * self.page_size + torch.arange(self.page_size)).view(-1)

    def busy(self) -> tuple[set[int], set[int]]:
        """Device pages that copies in flight read, and those that they write."""
        self.flying = [each for each in self.flying if not each[0].done]
        return set().union(*(each[1] for each in self.flying)), set().union(*(each[2] for each in self.flying))

    def write(self) -> None:
        """Compute the KV of some page that no copy needs."""
        read, written = self.busy()
        page = self.random.randrange(PAGES)
        if page not in read | written:
            self.count += 1
            self.holds[False, page] = self.count
            for number, layer in enumerate(self.store.device):
                slots = self.slots([page])
                values = self.count + slots.to(self.device).unsqueeze(1) % self.page_size / 64 + number / 4
                layer[slots.to(self.device)] = values.expand(-1, 2)

    def queue(self) -> None:
        """Queue a copy of up to three pages."""
        up = self.random.random() < 0.5
        read, written = self.busy()
        count = self.random.randint(1, 3)
        if up:
            free = [page for page in range(PAGES) if page not in read | written]
            sources, targets = self.random.sample(range(HOST_PAGES), count), self.random.sample(free, min(count, len(free)))
        else:
            sources, targets = self.random.sample(range(PAGES), count), self.random.sample(range(HOST_PAGES), count)
        if len(targets) == count:
            from_slots, to_slots = self.slots(sources), self.slots(targets)
            from_slots, to_slots = (from_slots, to_slots.to(self.device)) if up else (from_slots.to(self.device), to_slots)
            ticket = self.copier.copy(up, from_slots, to_slots)
            self.flying.append((ticket, set() if up else set(sources), set(targets) if up else set()))
            for source, target in zip(sources, targets, strict=True):
                self.holds[not up, target] = self.holds.get((up, source), 0)

    def advance(self) -> None:
        """Let some transfers take place, or wait for a ticket."""
        if self.flying and self.random.random() < 0.5:
            self.random.choice(self.flying)[0].wait()
        else:
            self.late.advance(self.random.randint(self.late.ran, len(self.late.issued)))

    def check(self) -> None:
        """Compare every page of both tiers, all layers, when nothing is in flight."""
        self.copier.flush()
        for ticket, _, _ in self.flying:
            ticket.wait()
            assert not ticket.failed
        for host, layers, pages in ((False, self.store.device, PAGES), (True, self.store.host, HOST_PAGES)):
            for number, layer in enumerate(layers):
                actual = layer.cpu().view(-1, self.page_size, 2)
                for page in range(pages):
                    written = self.holds.get((host, page), 0)
                    expected = [written + at / 64 + number / 4 if written else 0 for at in range(self.page_size)]
                    assert actual[page].tolist() == [[value, value] for value in expected]


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize(("page_size", "layers"), [(1, 1), (1, 3), (2, 2), (16, 2)])
def test_every_page_holds_what_a_dictionary_says(device: str, page_size: int, layers: int, is_late: bool) -> None:
    """Also while many flushes are in flight: then transfers take place late, in parts."""
    engine = Engine(page_size, layers, device, is_late, Random(100 * page_size + layers))
    most = 0
    for round_ in range(ROUNDS):
        for _ in range(engine.random.randint(1, 6)):
            engine.random.choice((engine.write, engine.queue, engine.queue))()
        engine.copier.flush()
        most = max(most, len(engine.late.issued) - engine.late.ran)
        if engine.random.random() < 0.5:
            engine.advance()
        if round_ % 10 == 9:
            engine.check()

    assert engine.copier.launches > 2 * ROUNDS
    assert not is_late or most > 5
