"""The adapter for the benchmark of peers reports what has happened."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from radixcheck.verification.bench.peers_adapter import Optimized


def over(page_size: int) -> tuple[Optimized, Any]:
    """An adapter and an allocator that counts, like the one of the benchmark."""
    slots = iter(range(0, 10_000, 1_000))
    allocator = SimpleNamespace(page_size=page_size, capacity=256, avail=256, device="cpu")

    def alloc(tokens: int) -> torch.Tensor:
        allocator.avail -= tokens
        return next(slots) + torch.arange(tokens, dtype=torch.int32)

    def free(given: torch.Tensor) -> None:
        allocator.avail += given.numel()

    allocator.alloc, allocator.free = alloc, free
    return Optimized(page_size, allocator), allocator


@pytest.mark.parametrize("page_size", [1, 4])
def test_a_request_through_the_adapter_loses_no_slots(page_size: int) -> None:
    adapter, allocator = over(page_size)
    prompt = adapter.prep(list(range(16)))
    adapter.insert(prompt, allocator.alloc(16), 0)
    length, found = adapter.match(adapter.prep([*range(12), 99, 98, 97, 96]))
    receipt = adapter.lock(found)
    assert (length, adapter.indices(found, length).tolist(), adapter.sizes()) == (12, list(range(12)), (4, 12))

    row = torch.cat((found.slots, allocator.alloc(8)))
    tokens = adapter.prep([*range(12), 99, 98, 97, 96, 1, 2, 3, 4])
    receipt = adapter.insert_relock(tokens, row, length, receipt)
    assert adapter.sizes() == (4, 20)
    assert adapter.match(tokens)[0] == 20
    adapter.unlock(receipt)
    present, _ = adapter.insert(prompt, allocator.alloc(16), 0)

    assert (present, adapter.sizes(), allocator.avail) == (16, (24, 0), 256 - 24)
    assert adapter.evict(256) == 24
    assert (adapter.sizes(), allocator.avail) == ((0, 0), 256)
