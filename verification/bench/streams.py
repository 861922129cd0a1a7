"""The tokens that scenarios are about: the same for every cache, in every run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic

import torch
from torch import Tensor

from radixcheck.verification.bench.driver import Driver

Make = Callable[[int, int, str], Driver]  # page size, capacity in tokens, stub or real
LEAF = 64  # tokens
PROMPT, PREFIX = 2_048, 1_536  # tokens of a prompt, and of these those that its group shares
STEPS_MIN = 30
SHARED, OWN = 10_000_000, 20_000_000  # where tokens of the two kinds begin


def leaf(i: int, tokens: int = LEAF) -> list[int]:
    """Tokens that no other leaf has."""
    return list(range(1_000 + i * tokens, 1_000 + (i + 1) * tokens))


def prompt(group: int, request: int) -> list[int]:
    """What a group shares, then what only this request has."""
    own = PROMPT - PREFIX
    return [*range(SHARED + group * PREFIX, SHARED + (group + 1) * PREFIX), *range(OWN + request * own, OWN + (request + 1) * own)]


def row_of(driver: Driver, cached: Tensor | None, fresh: Tensor | None) -> Tensor:
    """The row of a request as its engine keeps it; not timed."""
    parts = [part.to(driver.rows) for part in (cached, fresh) if part is not None]
    return torch.cat(parts)


def paced(steps: int, seconds: float) -> Iterator[int]:
    """Steps, as many as fit in this time, but not fewer than can be summed up."""
    end = monotonic() + seconds
    for step in range(steps):
        if step >= STEPS_MIN and monotonic() > end:
            return
        yield step
