"""The interface between scenarios and caches. A driver calls a cache as its engine does, with all the work of a real caller.

`Stub` is a pool with negligible cost.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

STUB = "stub"  # the kind of pool; the other is real
BUFFER_MIN = 1 << 16  # slots


class Stub:
    """Replaces our pool, and the allocator of any other cache."""

    def __init__(self, capacity: int, page_size: int, rows: torch.dtype) -> None:
        self.capacity, self.page_size = capacity, page_size  # tokens
        self.device = torch.device("cpu")
        self.available = capacity
        self.numbers = 2 * max(capacity, BUFFER_MIN)  # of slots
        self._buffer = torch.arange(self.numbers, dtype=rows)
        self._at = 0

    @property
    def nbytes(self) -> int:
        """Return the size of the buffer in bytes."""
        return self._buffer.nbytes

    def available_size(self) -> int:
        """Return the free slots, with the name that SGLang uses."""
        return self.available

    def alloc(self, tokens: int) -> Tensor:
        """Return the next slots. Raise MemoryError if there are too few."""
        if tokens > self.available:
            raise MemoryError(f"{tokens} slots requested, {self.available} free")
        start = self._at if self._at + tokens <= self.numbers else 0
        self._at = start + tokens
        self.available -= tokens
        return self._buffer[start : self._at]

    def free(self, *parts: Tensor) -> None:
        """Count the slots as free."""
        for slots in parts:
            self.available += slots.numel()

    def free_segment(self, slots: Tensor, *, start_pos: int) -> None:
        """Count the slots of a part of a row as free."""
        self.available += slots.numel()

    def get_kvcache(self) -> None:
        """Return None: there are no tensors of keys and values."""


class Unsupported(Exception):
    """The cache cannot run what is to be measured. The message is the reason."""


class CheckFailed(Exception):
    """The cache has not done the work, so the measurement is invalid."""


def check(holds: bool, sentence: str) -> None:
    """Raise `CheckFailed` with this sentence unless `holds` is true."""
    if not holds:
        raise CheckFailed(sentence)


class Driver:
    """One cache over one pool. Tokens are in the container that its engine uses, slots are in tensors of dtype `rows`.

    Results are plain tuples and numbers, because a named tuple would cost as much as some of the timed calls.
    """

    version = ""
    page_sizes: ClassVar[tuple[int, ...]] = (1, 16, 64)
    rows: ClassVar[torch.dtype] = torch.int64  # of a request's row of slots
    loops: ClassVar[Mapping[str, Callable[..., dict[str, float]]]] = {}  # scenarios for which this cache needs its own loop
    without: ClassVar[Mapping[str, str]] = {}  # scenarios that do not apply to it -> the reason
    tiered: ClassVar[str] = ""  # module:class of the `HostDriver` of the same cache with a host tier; empty: it has none

    def __init__(self, pool: Any) -> None:
        self.pool = pool

    @classmethod
    def real(cls, capacity: int, page_size: int) -> Any:
        """Return the real pool of this cache. Raise Missing or Unsupported if there is none."""
        raise Unsupported("no pool of its own")

    @classmethod
    def stub(cls, capacity: int, page_size: int) -> Stub:
        """Return a pool with negligible cost."""
        return Stub(capacity, page_size, cls.rows)

    @classmethod
    def over(cls, pool: str, page_size: int, capacity: int) -> Self:
        """Return a new cache over a pool of this kind: stub or real."""
        return cls((cls.stub if pool == STUB else cls.real)(capacity, page_size))

    # Not timed

    def prep(self, tokens: list[int]) -> Any:
        """Return tokens in the container that the engine uses."""
        return tokens

    def sizes(self) -> tuple[int, int]:
        """Return evictable and protected tokens. Only the scenario `deep` times it."""
        raise NotImplementedError

    def available(self) -> int:
        """Return the number of free slots of the pool."""
        return int(self.pool.available_size())

    # Timed

    def match(self, tokens: Any) -> tuple[int, Any]:
        """Return the number of matched tokens, and a handle."""
        raise NotImplementedError

    def indices(self, handle: Any, length: int) -> Tensor:
        """Return the slots of the match, in the form that an engine copies to its row."""
        raise NotImplementedError

    def lock(self, handle: Any) -> Any:
        """Lock a handle. Return the argument of `unlock`."""
        raise NotImplementedError

    def unlock(self, lock: Any) -> None:
        """Release a lock."""
        raise NotImplementedError

    def insert(self, tokens: Any, row: Tensor, owned: int) -> int:
        """Insert whole pages and return the number of tokens that were cached already.

        The tree owns `row[:owned]`. Duplicate slots after that are freed here.
        """
        raise NotImplementedError

    def evict(self, tokens: int) -> None:
        """Evict at least so many tokens, if possible."""
        raise NotImplementedError

    def alloc(self, tokens: int) -> Tensor:
        """Return slots. The caller has checked that enough are free."""
        slots: Tensor = self.pool.alloc(tokens)
        return slots

    def checkpoint(self, tokens: Any, row: Tensor, owned: int, lock: Any) -> Any:
        """Insert the tokens that a request has computed, and lock all of them. Return the new lock."""
        self.insert(tokens, row, owned)
        length, handle = self.match(tokens)
        if length:
            self.indices(handle, length)
        self.unlock(lock)
        return self.lock(handle)

    def finish(self, tokens: Any, row: Tensor, owned: int, lock: Any) -> None:
        """Insert all tokens of a request and release its lock."""
        self.insert(tokens, row, owned)
        self.unlock(lock)

    def wait(self, tokens: Any) -> Any:
        """Add a waiting request. Return the item of `lengths` for it."""
        return tokens

    def lengths(self, waiting: list[Any]) -> list[int]:
        """Return the cached tokens of each waiting request. By default each is matched."""
        return [self.match(tokens)[0] for tokens in waiting]

    def length(self, tokens: Any) -> int:
        """Return the cached tokens of one prompt, by a walk from the root."""
        return self.match(tokens)[0]
