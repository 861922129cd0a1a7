"""What SGLang's caches and ours cost at SGLang's own calls."""

from collections import defaultdict
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from radixcheck.verification.core.status import Outcome, Status, worst
from radixcheck.verification.live.live_results import Check

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Cost:
    """One repetition of one cache."""

    cache: str
    page_size: int
    micros: float  # a request: processor time within the cache
    hits: tuple[int, ...]  # tokens of each request
    lost: int  # tokens of the pool that no one has at the end
    protected: int  # tokens that are locked at the end


@dataclass(frozen=True, slots=True)
class CallsOutcome(Outcome):
    """All repetitions, and whether the caches did the same."""

    engine: str
    python: str
    about: dict[str, Any]  # the workload
    costs: tuple[Cost, ...]
    checks: tuple[Check, ...]

    @property
    def status(self) -> Status:
        """The exit status of the command."""
        return worst(check.status for check in self.checks)

    def rows(self) -> list[dict[str, Any]]:
        """Return for each cache and page size the median, the least and the greatest cost of a request, and its share of the default's."""
        micros: dict[tuple[int, str], list[float]] = defaultdict(list)
        for cost in self.costs:
            micros[cost.page_size, cost.cache].append(cost.micros)
        hits = {(cost.page_size, cost.cache): sum(cost.hits) for cost in self.costs}
        return [
            {
                "page_size": page,
                "cache": cache,
                "us_per_request": round(median(found), 1),
                "least": round(min(found), 1),
                "greatest": round(max(found), 1),
                "of_default": round(median(found) / median(micros[page, DEFAULT]), 3),
                "cached_tokens": hits[page, cache],
            }
            for (page, cache), found in micros.items()
        ]

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        checks = [asdict(check) for check in self.checks]
        return {
            "status": self.status,
            "engine": self.engine,
            "python": self.python,
            "workload": self.about,
            "rows": self.rows(),
            "checks": checks,
        }
