"""`radixcheck live --latency`: differences are found where they are planted, a tie is a tie, and what is not measured is not claimed."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from commands import Command, Ran
from fake_engine import live_interpreter, model_folder

from radixcheck.verification.core.sources import digest
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.live import latency_launch
from radixcheck.verification.live.call_meter import METER, Meter, metered
from radixcheck.verification.live.latency_results import REPEAT_MIN, TOTAL, LatencyOutcome, Measured, Series, Timed, spread
from radixcheck.verification.review_6907.latency_claims import GAIN, LIMITS, decided
from radixcheck.verification.runs.latency_job import CACHES, LatencyRequest, checks, measure_latency

NOISE = (0.0, 4.0, -3.0, 1.0, -2.0)  # ms, of five repetitions
BASE_MS = {"default": 500.0, "classic": 502.0, "radixcheck": 499.0, "none": 900.0}


def series(cache: str, repetition: int, total: float, *, us: float = 100.0, count: int = 12) -> Series:
    """One repetition: each request takes as long."""
    hits = 0 if cache == "none" else 200
    timed = Timed(300, hits, (5, 6), total / 2, total)
    return Series(cache, count, repetition, (timed,) * count, 9 * count, us * count)


def measured(means: Mapping[str, float], noise: Sequence[float] = NOISE, us: float = 100.0) -> Measured:
    return Measured(tuple(series(cache, at, mean + more, us=us) for at, more in enumerate(noise) for cache, mean in means.items()))


def conclusion(found: Measured, one: str, other: str) -> str:
    return next(each.word for each in found.comparisons() if (each.one, each.other, each.figure) == (one, other, TOTAL))


def verdicts(found: Measured, holds: bool = True) -> dict[str, Verdict]:
    return {claim.id: claim.verdict for claim in decided(found, holds)}


def test_a_cache_that_is_slower_in_every_repetition_is_reported() -> None:
    found = measured(BASE_MS | {"classic": 510.0})

    assert conclusion(found, "classic", "radixcheck") == "radixcheck is shorter"
    assert conclusion(found, "default", "classic") == "default is shorter"
    assert conclusion(found, "default", "radixcheck") == "a tie"


def test_a_difference_within_the_spread_is_a_tie() -> None:
    found = measured(BASE_MS)

    assert {conclusion(found, "default", other) for other in ("classic", "radixcheck")} == {"a tie"}
    assert conclusion(found, "radixcheck", "none") == "radixcheck is shorter"


def test_one_slow_repetition_makes_a_tie_of_a_difference() -> None:
    caches = {"classic": 510.0, "radixcheck": 499.0}
    slow = [replace(one, served=series("radixcheck", 0, 600.0).served) for one in measured(caches).series[1:2]]
    found = Measured((measured(caches).series[0], *slow, *measured(caches).series[2:]))

    assert conclusion(measured(caches), "classic", "radixcheck") == "radixcheck is shorter"
    assert conclusion(found, "classic", "radixcheck") == "a tie"


def test_too_few_repetitions_say_nothing() -> None:
    found = measured(BASE_MS, NOISE[: REPEAT_MIN - 1])

    assert {each.word for each in found.comparisons()} == {"too few repetitions"}
    assert set(verdicts(found).values()) == {Verdict.NOT_MEASURED}
    assert [claim.text for claim in decided(measured(BASE_MS, NOISE[:1]), True) if "shorter" in claim.text] == []


def test_a_row_has_medians_and_the_share_of_the_cache() -> None:
    row = next(row for row in measured(BASE_MS).rows() if row.cache == "radixcheck")

    assert row.total == spread([499.0, 503.0, 496.0, 500.0, 497.0])
    assert (row.total.median, row.first.median, row.cache_us.median) == (499.0, 249.5, 100.0)
    assert row.share.median == pytest.approx(100 / 499_000)
    assert (row.prompt_tokens, row.cached_tokens, row.repetitions) == (3_600, 2_400, 5)


def test_the_claims_about_the_authors_figures_are_measured() -> None:
    found = measured(BASE_MS)

    assert verdicts(found) == dict.fromkeys(("LATENCY-SHARE", "LATENCY-ALIKE", "LATENCY-HITS"), Verdict.MEASURED)
    assert set(verdicts(found, holds=False).values()) == {Verdict.NOT_MEASURED}
    text = {claim.id: claim.text for claim in decided(found, True)}
    assert "12 requests, radixcheck: 100 us of 499 ms (0.020%)" in text["LATENCY-SHARE"]
    assert "classic and radixcheck: 502.0 (499.0 to 506.0) and 499.0 (496.0 to 503.0) ms, a tie" in text["LATENCY-ALIKE"]
    assert "radixcheck: 499.0 (496.0 to 503.0) ms against 900.0 (897.0 to 904.0) without a cache" in text["LATENCY-HITS"]


# The classic cache is slow, but once as fast as the others.
UNSTEADY = Measured(
    tuple(
        series("classic", one.repetition, 500.0) if (one.cache, one.repetition) == ("classic", 2) else one
        for one in measured(BASE_MS | {"classic": 600.0}).series
    )
)


@pytest.mark.parametrize(
    ("found", "claim", "verdict"),
    [
        (measured(BASE_MS, us=GAIN * 510_000), "LATENCY-SHARE", Verdict.REFUTED),
        (measured(BASE_MS | {"classic": 600.0}), "LATENCY-ALIKE", Verdict.REFUTED),
        (UNSTEADY, "LATENCY-ALIKE", Verdict.NOT_MEASURED),
        (measured(BASE_MS | {"none": 400.0}), "LATENCY-HITS", Verdict.REFUTED),
        (measured(BASE_MS | {"none": 503.0}), "LATENCY-HITS", Verdict.NOT_MEASURED),
    ],
)
def test_a_claim_about_latencies_can_come_out_otherwise(found: Measured, claim: str, verdict: Verdict) -> None:
    assert verdicts(found)[claim] == verdict


@pytest.mark.parametrize(
    ("change", "check", "verdict"),
    [
        ({"served": (Timed(300, 200, (5, 7), 1.0, 2.0),) * 12}, "the same work", Verdict.REFUTED),
        ({"served": (Timed(300, 199, (5, 6), 1.0, 2.0),) * 12}, "the same work", Verdict.REFUTED),
        ({"calls": 0}, "timed", Verdict.NOT_EXERCISED),
        ({"served": (), "lost": "the engine ended"}, "runs to its end", Verdict.UNDECIDED),
    ],
)
def test_a_repetition_that_does_other_work_is_seen(change: Mapping[str, object], check: str, verdict: Verdict) -> None:
    whole = measured(BASE_MS).series
    last = next(one for one in reversed(whole) if one.cache == "radixcheck")
    changed = [replace(one, **change) if one is last else one for one in whole]  # type: ignore[arg-type]

    clean = {(each.backend, each.check): each.verdict for each in checks(whole, 1, 5)}
    actual = {(each.backend, each.check): each.verdict for each in checks(changed, 1, 5)}
    assert set(clean.values()) == {Verdict.TESTED}
    assert {key for key, word in actual.items() if word != Verdict.TESTED} == {("radixcheck", check)}
    assert actual["radixcheck", check] == verdict


def test_a_cache_that_never_hits_shows_nothing() -> None:
    idle = [replace(one, served=tuple(replace(timed, cached=0) for timed in one.served)) for one in measured(BASE_MS).series]

    actual = {each.backend: each.verdict for each in checks(idle, 1, 5) if each.check in ("hits", "hits nothing")}
    assert actual == dict.fromkeys(("default", "classic", "radixcheck"), Verdict.NOT_EXERCISED) | {"none": Verdict.TESTED}


class Cache:
    """Two calls, one of which makes the other."""

    def evict(self, tokens: int) -> int:
        return self.checkpoint(tokens) + 1

    def checkpoint(self, tokens: int) -> int:
        return sum(range(tokens))


def test_calls_from_outside_are_counted_once_and_seen_by_another_map(tmp_path: Path) -> None:
    meter = Meter(str(tmp_path / "meter"))
    meter.calibrate()
    cache = metered(Cache(), meter)

    assert cache.evict(10_000) == cache.checkpoint(10_000) + 1
    spent = Meter(str(tmp_path / "meter")).take()
    assert spent["calls"] == 2
    assert spent["nanoseconds"] > 0
    assert meter.take() == {"calls": 0, "nanoseconds": 0.0}


def test_the_variable_of_the_meter_has_one_name() -> None:
    assert latency_launch.METER == METER


def timed(command: Command, folder: Path, *arguments: object, faults: Mapping[str, str] | None = None) -> Ran:
    python, model = live_interpreter(folder, faults), model_folder(folder / "model")
    few = ("--backends", "radixcheck,none", "--repeat", 1)
    return command("live", "--latency", "--python", python, "--model", model, *few, *arguments)


def test_the_command_measures_both_series_and_stores_them(command: Command, tmp_path: Path) -> None:
    ran = timed(command, tmp_path, "--json", "--store", tmp_path / "latency.json")

    assert ran.status == ran.json["status"] == 3  # one repetition
    assert {each["check"] for each in ran.json["checks"] if each["verdict"] != "TESTED"} == {"repetitions"}
    assert [(row["requests"], row["cache"], row["repetitions"]) for row in ran.json["rows"]] == [
        (count, cache, 1) for count in (12, 120) for cache in ("radixcheck", "none")
    ]
    assert {row["cache_us"]["median"] for row in ran.json["rows"]} == {50.0}
    assert [len(one["each_ms"]) for one in ran.json["series"]] == [12, 120, 12, 120]
    assert json.loads((tmp_path / "latency.json").read_text()) == ran.json


def test_the_table_of_latencies_says_what_can_be_concluded_and_what_not(command: Command, tmp_path: Path) -> None:
    words = timed(command, tmp_path).words

    assert "too few repetitions" in words
    assert "NOT MEASURED LATENCY-SHARE (C12): The work inside each cache is a smaller part" in words
    assert "What cannot be concluded: The change of 2025 is not in this engine" in words
    assert "6 of 8 checks hold; that all was measured is undecided" in words


@pytest.mark.parametrize(("noise", "present", "verdict"), [(NOISE, True, "MEASURED"), (NOISE, False, "OPEN"), (NOISE[:1], True, "OPEN")])
def test_what_is_stored_answers_its_question(command: Command, tmp_path: Path, noise: Sequence[float], present: bool, verdict: str) -> None:
    found = measured(BASE_MS, noise)
    seen = tuple(checks(found.series, 1, len(noise)))
    claims = decided(found, all(check.status == 0 for check in seen))
    outcome = LatencyOutcome("SGLang 0", "python", "a model", None, {}, found, seen, claims, LIMITS, digest() if present else "others")
    (tmp_path / "latency.json").write_text(json.dumps(outcome.to_json()))

    (c12,) = command("questions", "C12", "--results", tmp_path, "--json").json
    assert c12["verdict"] == verdict
    assert ("12 requests, radixcheck: 100 us of 499 ms" in c12["evidence"][0]["detail"]) == present
    assert ("`radixcheck live --latency" in c12["answer"]) == (verdict == "OPEN")


@pytest.mark.parametrize(
    ("fault", "check", "status"),
    [("end", "runs to its end", 3), ("flush", "runs to its end", 3), ("no calls", "timed", 3), ("tokens", "the same work", 1)],
)
def test_a_fault_of_an_engine_is_seen_where_it_is_timed(command: Command, tmp_path: Path, fault: str, check: str, status: int) -> None:
    ran = timed(command, tmp_path, "--json", faults={"radixcheck": fault})

    assert ran.status == status
    bad = {(each["backend"], each["check"]) for each in ran.json["checks"] if each["verdict"] not in ("TESTED", "NOT EXERCISED")}
    undecided = {(each["backend"], each["check"]) for each in ran.json["checks"] if each["verdict"] == "NOT EXERCISED"}
    assert ("radixcheck", check) in bad | undecided
    assert all(backend == "radixcheck" for backend, _ in bad)


@pytest.mark.live
@pytest.mark.slow
def test_latencies_are_measured_inside_sglang() -> None:
    """Four engines, one after another: some minutes."""
    outcome = measure_latency(LatencyRequest(os.environ["RADIXCHECK_LIVE"], counts=(8,), repeat=1))

    assert outcome.conversion is not None
    assert outcome.conversion.right
    rows = {row.cache: row for row in outcome.measured.rows()}
    assert set(rows) == set(CACHES)
    assert {check.check for check in outcome.checks if check.status != 0} == {"repetitions"}
    assert all(row.cache_us.median > 0 for row in rows.values())
    assert len({rows[name].cached_tokens for name in ("default", "classic", "radixcheck")}) == 1
