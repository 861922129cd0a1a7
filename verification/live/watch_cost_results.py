"""What a watch costs at SGLang's own calls: for each budget, and as the tree grows."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from radixcheck.verification.core.status import Outcome, Status


@dataclass(frozen=True, slots=True)
class Watching:
    """One repetition of one cache. Processor time within the cache includes that of the watch."""

    cache: str
    page_size: int
    budget: float | None  # microseconds a call; None: without a watch
    us_per_request: float
    calls: int  # that the watch saw
    us_per_call: float  # of the watch, by the clock on the wall, to which its budget refers
    skipped: int  # checks that the budget did not allow
    window_checks: int
    nodes: int  # at the end
    found: dict[str, int]  # findings by property
    aimed: int = 0  # nodes when the requests began; 0: none


@dataclass(frozen=True, slots=True)
class WatchCostOutcome(Outcome):
    """All repetitions."""

    engine: str
    python: str
    about: dict[str, Any]  # the workload
    costs: tuple[Watching, ...]
    growth: tuple[Watching, ...]

    @property
    def status(self) -> Status:
        """REFUTED if a watch found something, UNDECIDED if one saw no call."""
        watched = [each for each in (*self.costs, *self.growth) if each.budget is not None]
        if any(each.found for each in watched):
            return Status.REFUTED
        return Status.HOLDS if watched and all(each.calls for each in watched) else Status.UNDECIDED

    def rows(self) -> list[dict[str, Any]]:
        """Return for each cache, page size and budget the medians, and what the watch adds to a request."""
        found: dict[tuple[str, int, float | None], list[Watching]] = defaultdict(list)
        for each in self.costs:
            found[each.cache, each.page_size, each.budget].append(each)
        return [self._row(found, *key) for key in found]

    def _row(self, found: dict[Any, list[Watching]], cache: str, page_size: int, budget: float | None) -> dict[str, Any]:
        same, plain = found[cache, page_size, budget], found[cache, page_size, None]
        micros, without = (median(each.us_per_request for each in some) for some in (same, plain))
        return {
            "cache": cache,
            "page_size": page_size,
            "budget": budget,
            "us_per_request": round(micros, 1),
            "added": round(micros - without, 1),
            "us_per_call": round(median(each.us_per_call for each in same), 1),
            "least": round(min(each.us_per_call for each in same), 1),
            "greatest": round(max(each.us_per_call for each in same), 1),
            "skipped_per_call": round(sum(each.skipped for each in same) / max(1, sum(each.calls for each in same)), 2),
            "window_per_call": round(sum(each.window_checks for each in same) / max(1, sum(each.calls for each in same)), 2),
        }

    def grown(self) -> Iterator[dict[str, Any]]:
        """Yield for each cache and number of nodes the cost of a call, and its ratio to that at the smallest number."""
        first: dict[str, float] = {}
        for each in self.growth:
            base = first.setdefault(each.cache, each.us_per_call)
            ratio = each.us_per_call / base if base else 0.0
            yield {"cache": each.cache, "nodes": each.aimed, "us_per_call": round(each.us_per_call, 1), "of_smallest": round(ratio, 2)}

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            "status": self.status,
            "engine": self.engine,
            "python": self.python,
            "workload": self.about,
            "rows": self.rows(),
            "growth": list(self.grown()),
            "repetitions": [asdict(each) for each in (*self.costs, *self.growth)],
        }
