"""What measurements decide of the reviewers' questions: which of two costs is the smaller one, wherever both were measured in one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from radixcheck.verification.bench.bench_data import OURS, Job
from radixcheck.verification.bench.bench_results import Results
from radixcheck.verification.bench.figures import Figure
from radixcheck.verification.core.status import Verdict

MEASURED, REFUTED, NOT_MEASURED = Verdict.MEASURED, Verdict.REFUTED, Verdict.NOT_MEASURED
BASE, SUBMITTED, LEAF_SET = "base", "as-submitted:pairs", "leaf-set"
TIE = 1.2  # two costs that lie closer are taken for equal: machines are noisy
Place = tuple[str, str]  # a cache and a figure
Figures = dict[str, dict[str, Figure]]


@dataclass(frozen=True, slots=True)
class Claim:
    """One way costs less than another, in every job of a scenario in which both were measured."""

    id: str
    questions: str  # ids
    sentence: str
    scenario: str
    less: Place
    more: Place
    name: Callable[[Job], str]  # of a job, in a sentence

    @property
    def command(self) -> str:
        """What repeats it."""
        caches = dict.fromkeys((self.less[0], self.more[0]))
        return " ".join(("radixcheck bench --quick --scenario", self.scenario, *(f"--cache {cache}" for cache in caches)))

    def decide(self, results: Results) -> Decided:
        """In this run."""
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
        """How many times cheaper the first is."""
        return self.more / self.less

    def __str__(self) -> str:
        return f"{self.job}: {_number(self.more)} against {_number(self.less)} us ({self.ratio:,.1f}x)"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


@dataclass(frozen=True, slots=True)
class Decided:
    """A claim beside what was measured."""

    claim: Claim
    pairs: tuple[Pair, ...]

    @property
    def verdict(self) -> str:
        """One job that says otherwise refutes it; where all are ties, nothing was measured."""
        if all(1 / TIE <= pair.ratio <= TIE for pair in self.pairs):
            return NOT_MEASURED
        return MEASURED if all(pair.ratio >= 1 / TIE for pair in self.pairs) else REFUTED

    @property
    def text(self) -> str:
        """Every job."""
        return "; ".join(map(str, self.pairs))

    def to_json(self) -> dict[str, object]:
        """Everything, for machines."""
        pairs = [{"job": pair.job, "less": pair.less, "more": pair.more, "ratio": pair.ratio} for pair in self.pairs]
        said = {"id": self.claim.id, "questions": self.claim.questions.split(), "sentence": self.claim.sentence}
        return said | {"verdict": self.verdict, "text": self.text, "pairs": pairs}


def _evictions(job: Job) -> str:
    victims, leaves, page = (job.arguments[key] for key in ("victims", "leaves", "page_size"))
    return f"{victims} of {leaves:,} leaves" + (f", pages of {page}" if page > 1 else "")


def _batch(job: Job) -> str:
    return f"{job.arguments['requests']:,} requests of {job.arguments['tokens']:,} tokens"


_EVICT = "evict p50"
CLAIMS = {
    claim.id: claim
    for claim in (
        Claim(
            *("EVICT-GAIN", "C7 Q12", "As submitted, an eviction costs less than before the change.", "decode"),
            *((SUBMITTED, _EVICT), (BASE, _EVICT), _evictions),
        ),
        Claim(
            *("EVICT-OURS", "C7 Q12", "An eviction of this project's cache costs less than one as submitted.", "decode"),
            *((OURS, _EVICT), (SUBMITTED, _EVICT), _evictions),
        ),
        Claim(
            *("HEAPIFY-LEFT", "L1", "With a set of leaves an eviction still costs more than with a persistent heap.", "decode"),
            *((SUBMITTED, _EVICT), (LEAF_SET, _EVICT), _evictions),
        ),
        Claim(
            *("SET-GAIN", "L1", "With a set of leaves an eviction costs less than with a walk over the whole tree.", "decode"),
            *((LEAF_SET, _EVICT), (BASE, _EVICT), _evictions),
        ),
        Claim(
            *("FLATTEN-GAIN", "C8", "Flattening by a chain costs less than by sums of lists.", "batch"),
            *((OURS, "chain p50"), (OURS, "sum p50"), _batch),
        ),
    )
}


def decided(results: Results) -> tuple[Decided, ...]:
    """The claims about which this run says something."""
    return tuple(found for claim in CLAIMS.values() if (found := claim.decide(results)).pairs)
