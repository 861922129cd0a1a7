"""Drivers of the benchmark that must not get through: each saves itself some of the work, or does not come back."""

import os
import time
from typing import Any

from torch import Tensor

from radixcheck.verification.bench.drivers.floor_driver import Floor


class Forgetful(Floor):
    """Takes the slots and keeps nothing."""

    def insert(self, tokens: Any, row: Tensor, owned: int) -> int:
        self.pool.free(row[owned:])
        return owned

    def checkpoint(self, tokens: Any, row: Tensor, owned: int, lock: Any) -> Any:
        self.insert(tokens, row, owned)
        return lock


class Unwilling(Floor):
    """Says that it makes room, and lets the pool find some."""

    def evict(self, tokens: int) -> None:
        self.pool.available += tokens


class Miscounting(Floor):
    def sizes(self) -> tuple[int, int]:
        return sum(super().sizes()), 0


class Stale(Floor):
    def lengths(self, waiting: list[Any]) -> list[int]:
        self.first: list[int] = getattr(self, "first", None) or super().lengths(waiting)
        return self.first


class Substituting(Floor):
    """Hands out the right number of some slots."""

    def indices(self, handle: Any, length: int) -> Tensor:
        return super().indices(handle, length).flip(0)


class Leaking(Floor):
    """Gives a page too few back."""

    def evict(self, tokens: int) -> None:
        super().evict(tokens + self.pool.page_size)
        self.pool.available -= self.pool.page_size


class Dying(Floor):
    def match(self, tokens: Any) -> tuple[int, Any]:
        os._exit(7)


class Hanging(Floor):
    def match(self, tokens: Any) -> tuple[int, Any]:
        while True:
            time.sleep(1)
