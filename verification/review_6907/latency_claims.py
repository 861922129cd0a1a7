"""What measured latencies say about the author's figures: a mean over 12 requests that falls from 0.577 s to 0.495 s by the changed cache,
and to 0.475 s by the changed batch.

The change itself is not in the engine that is measured. What it could save at most is the work inside the cache that it changes.
"""

from collections.abc import Iterator, Mapping
from itertools import combinations

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.live.latency_results import REPEAT_MIN, TOTAL, Claim, Measured, Row

MEASURED, REFUTED, NOT_MEASURED = Verdict.MEASURED, Verdict.REFUTED, Verdict.NOT_MEASURED
BEFORE_S, CACHE_S = 0.577, 0.495  # the author's, before the change and with the changed cache
GAIN = 1 - CACHE_S / BEFORE_S
NONE = "none"  # without a cache
QUESTION = "C12"
SENTENCES = {
    "LATENCY-SHARE": f"The work inside each cache is a smaller part of a request's latency than the {GAIN:.0%} that a changed cache is "
    "claimed to save.",
    "LATENCY-ALIKE": f"Median latencies with two caches differ by less than {GAIN:.0%}.",
    "LATENCY-HITS": "Latency is shorter with each cache than without one.",
}
COMMAND = "radixcheck live --latency --python PYTHON --store radixcheck-results/latency.json"
LIMITS = (
    "The change of 2025 is not in this engine: `classic` is the cache that it was made for, as it is today.",
    "On a GPU a step is shorter, and the same microseconds are a larger part of it: nothing here is about a GPU.",
    "Requests come one at a time: what a cache costs while others wait is not in these latencies.",
    "A difference within the spread of the repetitions is a tie: it is not known which cache is faster, nor that they are equal.",
)


def decided(measured: Measured, holds: bool) -> tuple[Claim, ...]:
    """Return the claims for which there are rows, decided; NOT MEASURED if a check of the measurement does not hold."""
    rows = measured.rows()
    caches = [row for row in rows if row.cache != NONE]
    enough = holds and all(row.repetitions >= REPEAT_MIN for row in rows)
    words = {(each.requests, each.one, each.other): each.word for each in measured.comparisons() if each.figure == TOTAL}
    found = (_share(caches), _alike(caches, words), _hits(caches, [row for row in rows if row.cache == NONE]))
    return tuple(Claim(id_, QUESTION, SENTENCES[id_], verdict if enough else NOT_MEASURED, text) for id_, verdict, text in found if text)


def _share(caches: list[Row]) -> tuple[str, Verdict, str]:
    verdict = MEASURED if all(row.share.greatest < GAIN for row in caches) else REFUTED
    text = "; ".join(
        f"{row.requests} requests, {row.cache}: {row.cache_us.median:,.0f} us of {row.total.median:,.0f} ms ({row.share.median:.3%})"
        for row in caches
    )
    return "LATENCY-SHARE", verdict, text


def _pairs(caches: list[Row]) -> Iterator[tuple[Row, Row]]:
    """Yield every two caches that served the same requests."""
    yield from ((one, other) for one, other in combinations(caches, 2) if one.requests == other.requests)


def _alike(caches: list[Row], words: Mapping[tuple[int, str, str], str]) -> tuple[str, Verdict, str]:
    """Compare the medians. Where they are further apart than the gain, but the repetitions are not, nothing is measured."""
    verdicts, texts = set(), []
    for one, other in _pairs(caches):
        a, b = one.of(TOTAL), other.of(TOTAL)
        far = 1 - min(a.median, b.median) / max(a.median, b.median) >= GAIN
        verdicts.add(MEASURED if not far else REFUTED if a.below(b) or b.below(a) else NOT_MEASURED)
        word = words[one.requests, one.cache, other.cache]
        texts.append(f"{one.requests} requests, {one.cache} and {other.cache}: {a} and {b} ms, {word}")
    return "LATENCY-ALIKE", _worst(verdicts), "; ".join(texts)


def _hits(caches: list[Row], without: list[Row]) -> tuple[str, Verdict, str]:
    verdicts, texts = set(), []
    for base in without:
        for row in (row for row in caches if row.requests == base.requests):
            a, b = row.of(TOTAL), base.of(TOTAL)
            verdicts.add(MEASURED if a.below(b) else REFUTED if b.below(a) else NOT_MEASURED)
            texts.append(f"{row.requests} requests, {row.cache}: {a} ms against {b} without a cache ({a.median / b.median:.2f}x)")
    return "LATENCY-HITS", _worst(verdicts), "; ".join(texts)


def _worst(verdicts: set[Verdict]) -> Verdict:
    return next((each for each in (REFUTED, NOT_MEASURED) if each in verdicts), MEASURED)
