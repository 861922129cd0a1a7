"""What the watch of a live run found in its engine: findings, departures, and what it cost."""

from dataclasses import replace
from pathlib import Path

from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.live.live_results import Check, LiveRun
from radixcheck.verification.watch.watch_folder import read_outcome
from radixcheck.verification.watch.watch_results import WatchedCache, WatchOutcome

WATCH = "watch"
VERDICTS = {Status.HOLDS: Verdict.TESTED, Status.REFUTED: Verdict.REFUTED, Status.UNDECIDED: Verdict.UNDECIDED}


def watch_check(run: LiveRun, folder: Path) -> Check:
    """Read what the watch of a run left in its folder."""
    try:
        outcome = read_outcome(folder)
    except OSError as error:
        return Check(run.backend, run.page_size, WATCH, Verdict.UNDECIDED, f"{folder} cannot be read: {error.strerror or error}")
    return Check(run.backend, run.page_size, WATCH, VERDICTS[outcome.status], _text(outcome, run.seconds))


def caught(check: Check) -> Check:
    """Return the check of a control, which the watch must find wrong."""
    verdict = {Verdict.REFUTED: Verdict.KILLED, Verdict.TESTED: Verdict.SURVIVED}.get(check.verdict, check.verdict)
    return replace(check, verdict=verdict)


def _text(outcome: WatchOutcome, seconds: float) -> str:
    if outcome.undecided:
        return outcome.undecided
    if outcome.status == Status.REFUTED:
        cache, finding = outcome.findings[0]
        return f"{cache.found.total():,} findings; the first: {finding.property} at call {finding.call}, {finding.verb}: {finding.text}"
    return "; ".join(_counts(cache, seconds) for cache in outcome.caches)


def _counts(cache: WatchedCache, seconds: float) -> str:
    departures = ", ".join(f"{count:,} {property_}" for property_, count in sorted(cache.departures.items()))
    share = cache.nanoseconds / 1e9 / seconds if seconds else 0.0
    cost = f"{cache.us_per_call:.1f} us a call (budget {cache.budget_us}), {share:.1%} of the serving time"
    left = f"{cache.skipped_share:.0%} of the checks of contents left out, {cache.rounds} rounds over the tree"
    return f"{cache.calls.total():,} calls, 0 findings beside {departures or 'no'} accepted departures; {cost}; {left}"
