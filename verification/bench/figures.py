"""Medians over repetitions, their spread, and the ratios between caches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from radixcheck.verification.bench.bench_data import DEFAULT, FLOOR


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one cache over all repetitions."""

    median: float
    spread: float  # largest / smallest; 1 for one repetition

    @classmethod
    def of(cls, values: Iterable[float]) -> Figure:
        """Return the figure of at least one value.

        >>> Figure.of([2.0, 1.0, 4.0])
        Figure(median=2.0, spread=4.0)
        """
        listed = sorted(values)
        return cls(median(listed), listed[-1] / listed[0] if listed[0] > 0 else 1.0)


@dataclass(frozen=True, slots=True)
class Ratios:
    """A figure divided by that of others: 0.5 is half of it. None: there is no such figure."""

    best_peer: float | None
    default: float | None
    floor: float | None


def ratios(medians: Mapping[str, float], peers: Iterable[str]) -> dict[str, Ratios]:
    """Return the ratios of each cache's figure to the smallest of the peers, to SGLang's default and to the floor.

    >>> ratios({"optimized": 3.0, "sglang-rust": 6.0, "vllm": 2.0, "floor": 1.0}, ["sglang-rust", "vllm"])["optimized"]
    Ratios(best_peer=1.5, default=0.5, floor=3.0)
    """
    best = min((medians[name] for name in peers if name in medians), default=None)
    others = (best, medians.get(DEFAULT), medians.get(FLOOR))
    return {name: Ratios(*(value / other if other else None for other in others)) for name, value in medians.items()}
