"""What `radixcheck live --latency` measured: how long requests take with each cache, and how much of that is work inside the cache."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import fmean, median
from typing import Any

from radixcheck.verification.core.status import Outcome, Status, Verdict, worst
from radixcheck.verification.live.live_results import Check

REPEAT_MIN = 5  # repetitions, below which nothing is said about a difference
FIRST, TOTAL = "first token", "total"
FIGURES = (FIRST, TOTAL)


@dataclass(frozen=True, slots=True)
class Timed:
    """One served request."""

    prompt: int  # tokens
    cached: int  # of them, tokens that were not computed
    tokens: tuple[int, ...]
    first_ms: float  # until the first token came
    total_ms: float  # until the last token came


@dataclass(frozen=True, slots=True)
class Series:
    """Some requests, one after another, in one engine that has begun with an empty cache."""

    cache: str
    count: int  # requests to serve
    repetition: int
    served: tuple[Timed, ...]
    calls: int = 0  # of the cache, by the engine
    cache_us: float = 0.0  # processor time within these calls, for all requests
    lost: str = ""  # how the engine ended before its time

    def mean_ms(self, figure: str) -> float:
        """Return the mean latency of a request."""
        return fmean(timed.first_ms if figure == FIRST else timed.total_ms for timed in self.served)

    @property
    def request_us(self) -> float:
        """Return the work inside the cache for one request."""
        return self.cache_us / len(self.served)

    @property
    def share(self) -> float:
        """Return the work inside the cache, as a part of the latency."""
        return self.request_us / 1_000 / self.mean_ms(TOTAL)

    def to_json(self) -> dict[str, Any]:
        """Return the figures as a JSON object."""
        head = {"cache": self.cache, "requests": self.count, "repetition": self.repetition, "served": len(self.served), "lost": self.lost}
        if not self.served:
            return head
        latencies = {f"{figure.replace(' ', '_')}_ms": round(self.mean_ms(figure), 3) for figure in FIGURES}
        each = [[round(timed.first_ms, 3), round(timed.total_ms, 3)] for timed in self.served]
        return head | latencies | {"calls": self.calls, "cache_us": round(self.request_us, 2), "share": self.share, "each_ms": each}


@dataclass(frozen=True, slots=True)
class Spread:
    """A figure over all repetitions."""

    median: float
    least: float
    greatest: float

    def __str__(self) -> str:
        return f"{self.median:,.1f} ({self.least:,.1f} to {self.greatest:,.1f})"

    def below(self, other: "Spread") -> bool:
        """Return whether every repetition of this one is below every repetition of the other."""
        return self.greatest < other.least


def spread(values: Sequence[float]) -> Spread:
    """Return the median, the least and the greatest value."""
    return Spread(median(values), min(values), max(values))


@dataclass(frozen=True, slots=True)
class Row:
    """One cache over all repetitions of a series."""

    cache: str
    requests: int
    repetitions: int
    prompt_tokens: int
    cached_tokens: int
    first: Spread  # ms
    total: Spread  # ms
    cache_us: Spread  # a request
    share: Spread  # of the total

    def of(self, figure: str) -> Spread:
        """Return the spread of a latency."""
        return self.first if figure == FIRST else self.total


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two caches in one figure."""

    requests: int
    figure: str
    one: str
    other: str
    shorter: str  # the cache whose every repetition is shorter than all of the other; empty: none is
    few: bool  # too few repetitions: nothing is concluded
    ratio: float  # of the medians, one by other

    @property
    def word(self) -> str:
        """Return what is concluded."""
        return "too few repetitions" if self.few else f"{self.shorter} is shorter" if self.shorter else "a tie"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim that the measurement decides, for the questions of the review."""

    id: str
    questions: str  # ids
    sentence: str
    verdict: Verdict
    text: str  # the figures

    def to_json(self) -> dict[str, Any]:
        """Return the claim as a JSON object."""
        return asdict(self) | {"questions": self.questions.split()}


@dataclass(frozen=True, slots=True)
class Conversion:
    """The model of a GGUF file, and how it compares with what a reader makes of that file."""

    file: str
    prompts: int
    equal: int  # prompts with the same likeliest next token
    largest_difference: float  # of two logits

    @property
    def right(self) -> bool:
        """Return whether the likeliest token is the same for every prompt."""
        return 0 < self.prompts == self.equal


@dataclass(frozen=True, slots=True)
class Measured:
    """All series."""

    series: tuple[Series, ...]

    def rows(self) -> tuple[Row, ...]:
        """Return a row for each number of requests and each cache. A series that was lost counts in none."""
        found: dict[tuple[int, str], list[Series]] = {}
        for one in self.series:
            if not one.lost:
                found.setdefault((one.count, one.cache), []).append(one)
        return tuple(_row(cache, count, group) for (count, cache), group in sorted(found.items(), key=lambda item: item[0][0]))

    def comparisons(self) -> Iterator[Comparison]:
        """Compare every two caches in both latencies."""
        for one, other in combinations(self.rows(), 2):
            if one.requests != other.requests:
                continue
            few = min(one.repetitions, other.repetitions) < REPEAT_MIN
            for figure in FIGURES:
                a, b = one.of(figure), other.of(figure)
                shorter = "" if few else one.cache if a.below(b) else other.cache if b.below(a) else ""
                yield Comparison(one.requests, figure, one.cache, other.cache, shorter, few, a.median / b.median)


def _row(cache: str, count: int, group: Sequence[Series]) -> Row:
    first, total = (spread([one.mean_ms(figure) for one in group]) for figure in FIGURES)
    prompts, cached = (sum(getattr(timed, name) for timed in group[0].served) for name in ("prompt", "cached"))
    us, share = spread([one.request_us for one in group]), spread([one.share for one in group])
    return Row(cache, count, len(group), prompts, cached, first, total, us, share)


@dataclass(frozen=True, slots=True)
class LatencyOutcome(Outcome):
    """What was measured, what was checked, and what follows."""

    engine: str
    python: str
    model: str
    conversion: Conversion | None
    about: Mapping[str, Any]  # the workload, and how it was measured
    measured: Measured
    checks: tuple[Check, ...]
    claims: tuple[Claim, ...]
    limits: tuple[str, ...]  # what cannot be concluded
    sources: str  # digest of this package: a stored result is shown for the same one only

    @property
    def status(self) -> Status:
        """HOLDS if all was measured and the caches did the same, whichever is the faster."""
        return worst(check.status for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            "sources": self.sources,
            "status": self.status,
            "engine": self.engine,
            "python": self.python,
            "model": self.model,
            "conversion": asdict(self.conversion) | {"right": self.conversion.right} if self.conversion else None,
            "workload": dict(self.about),
            "rows": [asdict(row) for row in self.measured.rows()],
            "comparisons": [asdict(each) | {"word": each.word} for each in self.measured.comparisons()],
            "checks": [asdict(check) for check in self.checks],
            "claims": [claim.to_json() for claim in self.claims],
            "limits": list(self.limits),
            "series": [one.to_json() for one in self.measured.series],
        }
