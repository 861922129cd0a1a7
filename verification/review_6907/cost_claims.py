"""Claims about costs, decided by the benchmark: one cost is smaller than another in every job of a run that measured both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from radixcheck.verification.bench.bench_data import OURS, Job
from radixcheck.verification.bench.bench_results import Results
from radixcheck.verification.core.status import Verdict

MEASURED, REFUTED, NOT_MEASURED = Verdict.MEASURED, Verdict.REFUTED, Verdict.NOT_MEASURED
BASE, SUBMITTED, LEAF_SET = "base", "as-submitted:pairs", "leaf-set"
TIE = 1.2  # two costs whose ratio is smaller count as equal: machines are noisy
Place = tuple[str, str]  # a cache and a figure


@dataclass(frozen=True, slots=True)
class CostClaim:
    """One figure is smaller than another in every job of a scenario that has both."""

    id: str
    questions: str  # ids
    sentence: str
    scenario: str
    less: Place
    more: Place
    name: Callable[[Job], str]  # of a job, for a sentence

    @property
    def command(self) -> str:
        """Return the command that measures both figures."""
        caches = dict.fromkeys((self.less[0], self.more[0]))
        return " ".join(("radixcheck bench --quick --scenario", self.scenario, *(f"--cache {cache}" for cache in caches)))

    def decide(self, results: Results) -> Decided:
        """Compare the two figures in each job of a run."""
        return Decided(self, tuple(self._pairs(results)))

    def _pairs(self, results: Results) -> Iterator[Pair]:
        for job in results.jobs:
            if job.scenario == self.scenario:
                found = results.figures(job.name)
                less, more = (found.get(cache, {}).get(figure) for cache, figure in (self.less, self.more))
                if less is not None and more is not None:
                    yield Pair(self.name(job), less.median, more.median)


@dataclass(frozen=True, slots=True)
class Pair:
    """Both costs in one job, in microseconds."""

    job: str
    less: float
    more: float

    @property
    def ratio(self) -> float:
        """Return how many times cheaper the first is."""
        return self.more / self.less

    def __str__(self) -> str:
        return f"{self.job}: {_number(self.more)} against {_number(self.less)} us ({self.ratio:,.1f}x)"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


@dataclass(frozen=True, slots=True)
class Decided:
    """A claim, and the two costs in each job."""

    claim: CostClaim
    pairs: tuple[Pair, ...]

    @property
    def verdict(self) -> str:
        """Return NOT MEASURED if all jobs are ties, REFUTED if one job contradicts the claim by more than a tie, else MEASURED."""
        if all(1 / TIE <= pair.ratio <= TIE for pair in self.pairs):
            return NOT_MEASURED
        return MEASURED if all(pair.ratio >= 1 / TIE for pair in self.pairs) else REFUTED

    @property
    def text(self) -> str:
        """Return the costs in every job."""
        return "; ".join(map(str, self.pairs))

    def to_json(self) -> dict[str, object]:
        """Return the claim, its verdict and the costs as JSON."""
        pairs = [{"job": pair.job, "less": pair.less, "more": pair.more, "ratio": pair.ratio} for pair in self.pairs]
        head = {"id": self.claim.id, "questions": self.claim.questions.split(), "sentence": self.claim.sentence}
        return head | {"verdict": self.verdict, "text": self.text, "pairs": pairs}


def _evictions(job: Job) -> str:
    victims, leaves, page = (job.arguments[key] for key in ("victims", "leaves", "page_size"))
    return f"{victims} of {leaves:,} leaves" + (f", pages of {page}" if page > 1 else "")


def _batch(job: Job) -> str:
    return f"{job.arguments['requests']:,} requests of {job.arguments['tokens']:,} tokens"


_EVICT = "evict p50"
CLAIMS = {
    claim.id: claim
    for claim in (
        CostClaim(
            *("EVICT-GAIN", "C7 Q12", "An eviction of the submitted cache costs less than one before the change.", "decode"),
            *((SUBMITTED, _EVICT), (BASE, _EVICT), _evictions),
        ),
        CostClaim(
            *("EVICT-OURS", "C7 Q12", "An eviction of this project's cache costs less than one of the submitted cache.", "decode"),
            *((OURS, _EVICT), (SUBMITTED, _EVICT), _evictions),
        ),
        CostClaim(
            *(
                "HEAPIFY-LEFT",
                "L1",
                "An eviction with a set of leaves costs more than one of the submitted cache, which has a persistent heap.",
                "decode",
            ),
            *((SUBMITTED, _EVICT), (LEAF_SET, _EVICT), _evictions),
        ),
        CostClaim(
            *("SET-GAIN", "L1", "An eviction with a set of leaves costs less than one that walks the whole tree.", "decode"),
            *((LEAF_SET, _EVICT), (BASE, _EVICT), _evictions),
        ),
        CostClaim(
            *("FLATTEN-GAIN", "C8", "Flattening by a chain costs less than flattening by a sum of lists.", "batch"),
            *((OURS, "chain p50"), (OURS, "sum p50"), _batch),
        ),
    )
}


def decided(results: Results) -> tuple[Decided, ...]:
    """Return the claims for which the run has both figures, decided."""
    return tuple(found for claim in CLAIMS.values() if (found := claim.decide(results)).pairs)
