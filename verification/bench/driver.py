"""What a scenario asks of a cache. A driver calls it as its engine does: what real callers do anyway is inside the timers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from radixcheck.verification.bench.stub import Stub


class Unsupported(Exception):
    """This cache has nothing for what is to be measured. The message says why."""


class CheckFailed(Exception):
    """The cache has not done the work: what was measured means nothing."""


def check(holds: bool, sentence: str) -> None:
    """Raise `CheckFailed` with this sentence unless it holds."""
    if not holds:
        raise CheckFailed(sentence)


class Driver:
    """One cache over one pool. Tokens are in the container that its engine holds them in, slots in tensors of `rows`.

    Answers are plain tuples and numbers: a named one would cost as much as some of the calls that are timed.
    """

    version = ""
    page_sizes: ClassVar[tuple[int, ...]] = (1, 16, 64)
    rows: ClassVar[torch.dtype] = torch.int64  # of a request's row of slots, where the caller keeps it
    loops: ClassVar[Mapping[str, Callable[..., dict[str, float]]]] = {}  # scenarios that this cache must be driven through otherwise
    without: ClassVar[Mapping[str, str]] = {}  # scenarios that make no sense with it, and why not

    def __init__(self, pool: Any) -> None:
        self.pool = pool

    @classmethod
    def real(cls, capacity: int, page_size: int) -> Any:
        """The pool that goes with this cache. Raises Missing, Unsupported."""
        raise Unsupported("no pool of its own")

    @classmethod
    def stub(cls, capacity: int, page_size: int) -> Stub:
        """A pool that costs next to nothing."""
        return Stub(capacity, page_size, cls.rows)

    # Not timed

    def prep(self, tokens: list[int]) -> Any:
        """Tokens as the engine holds them."""
        return tokens

    def sizes(self) -> tuple[int, int]:
        """Evictable and protected tokens; timed in one place."""
        raise NotImplementedError

    def available(self) -> int:
        """Free slots of the pool."""
        return int(self.pool.available_size())

    # Timed

    def match(self, tokens: Any) -> tuple[int, Any]:
        """Matched tokens, and a handle."""
        raise NotImplementedError

    def indices(self, handle: Any, length: int) -> Tensor:
        """The slots of the match, as an engine copies them to its row."""
        raise NotImplementedError

    def lock(self, handle: Any) -> Any:
        """What `unlock` wants."""
        raise NotImplementedError

    def unlock(self, lock: Any) -> None:
        """Release it."""
        raise NotImplementedError

    def insert(self, tokens: Any, row: Tensor, owned: int) -> int:
        """Insert whole pages. `row[:owned]` is the tree's already; what else was present is freed here. Tokens that were present."""
        raise NotImplementedError

    def evict(self, tokens: int) -> None:
        """Free at least so many, if it can."""
        raise NotImplementedError

    def alloc(self, tokens: int) -> Tensor:
        """Slots, of which there are enough."""
        slots: Tensor = self.pool.alloc(tokens)
        return slots

    def checkpoint(self, tokens: Any, row: Tensor, owned: int, lock: Any) -> Any:
        """Insert what a request has computed, and lock all of it instead; its new lock."""
        self.insert(tokens, row, owned)
        length, handle = self.match(tokens)
        if length:
            self.indices(handle, length)
        self.unlock(lock)
        return self.lock(handle)

    def finish(self, tokens: Any, row: Tensor, owned: int, lock: Any) -> None:
        """Insert all of a request and release it."""
        self.insert(tokens, row, owned)
        self.unlock(lock)

    def wait(self, tokens: Any) -> Any:
        """A request begins to wait; what `lengths` takes for it."""
        return tokens

    def lengths(self, waiting: list[Any]) -> list[int]:
        """How much of each is cached now. By default each is matched."""
        return [self.match(tokens)[0] for tokens in waiting]

    def length(self, tokens: Any) -> int:
        """The same for one, by a walk from the root."""
        return self.match(tokens)[0]
