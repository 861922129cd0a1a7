"""Makes one tensor of the tokens of requests, and another of their lengths, in several ways. No cache is involved.

`sum` and `chain` flatten lists and make a tensor of the result, as before and after sglang#6907. `buffers` joins arrays and reads them
without a copy. Ours, which also computes the start of each request, takes `lists` or `arrays`; `staged` uses the buffer that a device
needs.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from radixcheck.optimized.batch import HostBatches, StagedBatches
from radixcheck.reference.batch import flattened
from radixcheck.verification.bench.clock import now, settle, summaries
from radixcheck.verification.bench.driver import check
from radixcheck.verification.bench.streams import Make, leaf

Made = tuple[Tensor, Tensor]  # tokens, lengths


def ways(lists: list[list[int]]) -> dict[str, Callable[[], Made]]:
    """Return functions that make the same two tensors."""
    arrays = [array("q", tokens) for tokens in lists]
    host, staged = HostBatches(), StagedBatches("cpu")
    return {
        "sum": lambda: (torch.tensor(sum(lists, [])), lengths(lists)),  # noqa: RUF017 - as before sglang#6907
        "chain": lambda: (torch.tensor(flattened(lists)), lengths(lists)),
        "buffers": lambda: (torch.frombuffer(bytearray().join(arrays), dtype=torch.int64), lengths(arrays)),
        "lists": lambda: host.prepare(lists)[:2],
        "arrays": lambda: host.prepare(arrays)[:2],
        "staged lists": lambda: staged.prepare(lists)[:2],
        "staged arrays": lambda: staged.prepare(arrays)[:2],
    }


def lengths(requests: Sequence[Sequence[int]]) -> Tensor:
    """Return the lengths, computed as in sglang#6907 (C9)."""
    return torch.as_tensor([len(tokens) for tokens in requests], dtype=torch.int64)


def run(make: Make, requests: int, tokens: int, steps: int) -> dict[str, float]:
    """Return the microseconds of each way, and how many times faster ours is than the others."""
    lists = [leaf(i, tokens) for i in range(requests)]
    expected = torch.tensor(flattened(lists)), lengths(lists)
    known = ways(lists)
    times: dict[str, list[int]] = {name: [] for name in known}
    settle()
    for _ in range(steps):
        for name, way in known.items():
            _timed(way, expected, times[name])
    figures = summaries(times)
    for ours, other in (("lists", "sum"), ("lists", "chain"), ("arrays", "sum"), ("arrays", "buffers")):
        figures[f"{other} / {ours}"] = figures[f"{other} p50"] / figures[f"{ours} p50"]
    return figures


def _timed(way: Callable[[], Made], expected: Made, times: list[int]) -> None:
    start = now()
    made = way()
    times.append(now() - start)
    check(all(map(torch.equal, made, expected)), "the tensors do not hold the tokens and lengths of the requests")
