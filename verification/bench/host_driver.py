"""The interface between scenarios and caches with a host tier. A copy is complete as soon as it is submitted, and moves nothing.

So the cache's own work is measured, in all caches alike: its decisions, its slots on both tiers, its lists of sources and targets, and how
it learns that a copy has arrived. The engine of transfers only counts the tokens that go each way (`Copied`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from radixcheck.verification.bench.driver import STUB, Driver, Stub, Unsupported


@dataclass(slots=True)
class Copied:
    """The tokens that were submitted to be copied, since the cache was made."""

    down: int = 0  # to the host
    up: int = 0  # to the device

    def add(self, up: bool, sources: Tensor, targets: Tensor) -> None:
        """Count one submission, which has as many sources as targets."""
        assert sources.numel() == targets.numel(), "a copy has as many sources as targets"
        if up:
            self.up += sources.numel()
        else:
            self.down += sources.numel()


class HostDriver(Driver):
    """One cache over a pool on the device and one on the host. Policy lru; a node is backed up as soon as it is inserted (write-through).

    A handle names what is cached on either tier. `lock` and `indices` are for the part on the device, which is all of it after `load_back`.
    """

    mode: ClassVar[str] = "write_through"

    def __init__(self, pool: Any, host_pool: Any) -> None:
        super().__init__(pool)
        self.host_pool = host_pool
        self.copied = Copied()

    @classmethod
    def real_host(cls, capacity: int, page_size: int) -> Any:
        """Return the real pool on the host. Raise Missing or Unsupported if there is none."""
        raise Unsupported("no host pool of its own")

    @classmethod
    def stub_host(cls, capacity: int, page_size: int) -> Any:
        """Return a pool on the host with negligible cost."""
        return Stub(capacity, page_size, torch.int64)

    @classmethod
    def over(cls, pool: str, page_size: int, capacity: int, host: int = 0) -> Self:
        """Return a new cache over pools of this kind. By default the host is as large as the device."""
        device, below = (cls.stub, cls.stub_host) if pool == STUB else (cls.real, cls.real_host)
        return cls(device(capacity, page_size), below(host or capacity, page_size))

    # Not timed

    def host_available(self) -> int:
        """Return the number of free slots of the host pool."""
        return int(self.host_pool.available_size())

    # Timed

    def behind(self, handle: Any) -> int:
        """Return how many tokens only the host has behind what a match found on the device."""
        raise NotImplementedError

    def load_back(self, handle: Any) -> tuple[int, Any]:
        """Queue the copy of what only the host has, after making room.

        Return its tokens, all or 0, and a handle of what is on the device now.
        """
        raise NotImplementedError

    def flush(self) -> None:
        """Submit the queued copies, merged: an engine does so once for each step of its scheduler."""
        raise NotImplementedError

    def poll(self) -> None:
        """Release what the copies held that have arrived."""
        raise NotImplementedError

    def evict_host(self, tokens: int) -> None:
        """Evict at least so many tokens of what only the host has, if possible."""
        raise NotImplementedError
