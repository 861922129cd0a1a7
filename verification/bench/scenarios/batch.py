"""The tokens of 256 requests become one tensor, in the ways that there are: no cache is asked.

`sum` and `chain` flatten lists and make a tensor of the result, as before and after sglang#6907; `buffers` joins arrays and reads them
as they are; ours makes lengths and starts as well, from `lists` or from `arrays`; `staged` goes by the buffer that a device needs.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from radixcheck.optimized.batch import HostBatches, StagedBatches
from radixcheck.reference.batch import flattened, flattened_quadratic
from radixcheck.verification.bench.clock import now, settle, summary
from radixcheck.verification.bench.driver import check
from radixcheck.verification.bench.streams import Make, leaf


def ways(lists: list[list[int]]) -> dict[str, Callable[[], Tensor]]:
    """Each gives the same tensor."""
    arrays = [array("q", tokens) for tokens in lists]
    host, staged = HostBatches(), StagedBatches("cpu")
    return {
        "sum": lambda: torch.tensor(flattened_quadratic(lists)),
        "chain": lambda: torch.tensor(flattened(lists)),
        "buffers": lambda: torch.frombuffer(bytearray().join(arrays), dtype=torch.int64),
        "lists": lambda: host.prepare(lists).tokens,
        "arrays": lambda: host.prepare(arrays).tokens,
        "staged lists": lambda: staged.prepare(lists).tokens,
        "staged arrays": lambda: staged.prepare(arrays).tokens,
    }


def run(make: Make, requests: int, tokens: int, steps: int) -> dict[str, float]:
    """Microseconds of each way, and how many times faster ours is than others."""
    lists = [leaf(i, tokens) for i in range(requests)]
    expected = torch.tensor(flattened(lists))
    known = ways(lists)
    times: dict[str, list[int]] = {name: [] for name in known}
    settle()
    for _ in range(steps):
        for name, way in known.items():
            _timed(way, expected, times[name])
    figures: dict[str, Any] = {}
    for name, measured in times.items():
        figures |= summary(name, measured)
    for ours, other in (("lists", "sum"), ("lists", "chain"), ("arrays", "sum"), ("arrays", "buffers")):
        figures[f"{other} / {ours}"] = figures[f"{other} p50"] / figures[f"{ours} p50"]
    return figures


def _timed(way: Callable[[], Tensor], expected: Tensor, times: list[int]) -> None:
    start = now()
    made = way()
    times.append(now() - start)
    check(bool(torch.equal(made, expected)), "the tensor does not hold the tokens of the requests")
