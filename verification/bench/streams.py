"""The tokens of the scenarios: the same for every cache, in every run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic

import torch
from torch import Tensor

from radixcheck.verification.bench.driver import Driver

Make = Callable[[int, int, str], Driver]  # page size, capacity in tokens, stub or real
LEAF = 64  # tokens
PROMPT, PREFIX = 2_048, 1_536  # tokens of a prompt, and how many of them its group shares
STEPS_MIN = 30
SHARED, OWN = 10_000_000, 20_000_000  # first token of each kind


def leaf(i: int, tokens: int = LEAF) -> list[int]:
    """Return tokens that no other leaf has."""
    return list(range(1_000 + i * tokens, 1_000 + (i + 1) * tokens))


def prompt(group: int, request: int) -> list[int]:
    """Return the prefix of a group, and then the tokens of this request."""
    own = PROMPT - PREFIX
    return [*range(SHARED + group * PREFIX, SHARED + (group + 1) * PREFIX), *range(OWN + request * own, OWN + (request + 1) * own)]


def row_of(driver: Driver, cached: Tensor | None, fresh: Tensor | None) -> Tensor:
    """Return the row of a request as its engine keeps it. Not timed."""
    parts = [part.to(driver.rows) for part in (cached, fresh) if part is not None]
    return torch.cat(parts)


def paced(steps: int, seconds: float) -> Iterator[int]:
    """Yield steps until the time is up, but at least enough for the quantiles."""
    end = monotonic() + seconds
    for step in range(steps):
        if step >= STEPS_MIN and monotonic() > end:
            return
        yield step
