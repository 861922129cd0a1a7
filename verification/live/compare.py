"""What the answers of live runs show: each backend against none, and against a cache that SGLang has.

Caches whose hits agree must give the same bits. With a cache and without one, sums are made in another order: tokens must be equal, and
log-probabilities within TOLERANCE.
"""

from collections.abc import Iterator, Mapping, Sequence

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.live.launch import DEFAULT, NO_CACHE
from radixcheck.verification.live.live_results import Answer, Check, LiveRun

TOLERANCE = 1e-4
OURS, IMITATION, CLASSIC = "radixcheck", "radixcheck-l5", "classic"
MISCOUNTING, WRONG_SLOT, SILENT = "control-miscounting", "control-wrong-slot", "control-silent-events"
Runs = Mapping[str, LiveRun]


def base_of(runs: Runs) -> LiveRun | None:
    """Return the run of SGLang's own cache with which hits are compared, if one came to its end."""
    return next((runs[name] for name in (CLASSIC, DEFAULT) if name in runs and not runs[name].lost), None)


def unequal(one: Sequence[Answer], other: Sequence[Answer], field: str) -> list[int]:
    """Return the numbers of the requests, from 1, in which a field differs."""
    return [number for number, (a, b) in enumerate(zip(one, other, strict=True), 1) if getattr(a, field) != getattr(b, field)]


def needs_imitation(runs: Runs) -> bool:
    """Return whether our hits differ from those of SGLang's cache: L5 may explain that."""
    base, ours = base_of(runs), runs.get(OURS)
    return base is not None and ours is not None and not ours.lost and bool(unequal(ours.answers, base.answers, "cached"))


def checks(runs: Runs) -> Iterator[Check]:
    """Compare the runs of one page size."""
    base, nothing = base_of(runs), runs.get(NO_CACHE)
    for run in runs.values():
        if run.lost:
            verdict = Verdict.REFUTED if run.leak else Verdict.UNDECIDED
            yield Check(run.backend, run.page_size, "runs to its end", verdict, run.lost)
            continue
        yield _hit_count(run)
        if nothing is not None and not nothing.lost and run is not nothing:
            yield _tokens(run, nothing)
            yield _near(run, nothing)
        if base is not None and run not in (base, nothing):
            yield from _agreement(run, base, runs.get(IMITATION))


def _hit_count(run: LiveRun) -> Check:
    """A cache must hit, and no cache must not: a comparison of two runs without hits would show nothing."""
    text = f"{run.cached:,} tokens of {len(run.answers):,} requests were cached"
    if run.backend.endswith(NO_CACHE):  # of any engine
        return Check(run.backend, run.page_size, "hits nothing", Verdict.REFUTED if run.cached else Verdict.TESTED, text)
    return Check(run.backend, run.page_size, "hits", Verdict.TESTED if run.cached else Verdict.NOT_EXERCISED, text)


def _tokens(run: LiveRun, nothing: LiveRun) -> Check:
    wrong = unequal(run.answers, nothing.answers, "tokens")
    text = f"{len(run.answers) - len(wrong):,} of {len(run.answers):,} requests get the tokens that they get without a cache"
    first = f"; the first that does not is request {wrong[0]}" if wrong else ""
    return Check(run.backend, run.page_size, "equal tokens", Verdict.REFUTED if wrong else Verdict.TESTED, text + first)


def largest_difference(one: Sequence[Answer], other: Sequence[Answer]) -> float:
    """Return the largest difference of two log-probabilities of the same token; infinity if they are not as many."""
    pairs = [(a.log_probabilities, b.log_probabilities) for a, b in zip(one, other, strict=True) if a.tokens == b.tokens]
    if any(len(a) != len(b) for a, b in pairs):
        return float("inf")
    return max((abs(x - y) for a, b in pairs for x, y in zip(a, b, strict=True)), default=0.0)


def _near(run: LiveRun, nothing: LiveRun) -> Check:
    most = largest_difference(run.answers, nothing.answers)
    text = f"log-probabilities differ by {most:.2g} at most from those without a cache; {TOLERANCE:g} is allowed"
    return Check(run.backend, run.page_size, "near log-probabilities", Verdict.TESTED if most <= TOLERANCE else Verdict.REFUTED, text)


def _agreement(run: LiveRun, base: LiveRun, imitation: LiveRun | None) -> Iterator[Check]:
    """Hits as those of SGLang's cache, then the same bits; where ours hit otherwise, the imitation of L5 stands in for both."""
    other = unequal(run.answers, base.answers, "cached")
    count = f"{len(run.answers) - len(other):,} of {len(run.answers):,} requests hit as with {base.backend}"
    if not other:
        yield Check(run.backend, run.page_size, "equal hits", Verdict.TESTED, count)
        yield _bits(run, base)
        return
    count += f" ({run.cached - base.cached:+,} tokens)"
    if run.backend != OURS or imitation is None or imitation.lost:
        yield Check(run.backend, run.page_size, "equal hits", Verdict.REFUTED, f"{count}; the first that does not is request {other[0]}")
    elif left := unequal(imitation.answers, base.answers, "cached"):
        yield Check(run.backend, run.page_size, "equal hits", Verdict.REFUTED, f"{count}; L5 does not explain request {left[0]}")
    else:
        yield Check(run.backend, run.page_size, "equal hits", Verdict.TESTED, f"{count}; L5 explains each difference: with it all agree")


def _bits(run: LiveRun, base: LiveRun) -> Check:
    wrong = unequal(run.answers, base.answers, "log_probabilities")
    text = f"{len(run.answers) - len(wrong):,} of {len(run.answers):,} requests have the bits that they have with {base.backend}"
    first = f"; the first that does not is request {wrong[0]}" if wrong else ""
    return Check(run.backend, run.page_size, "equal bits", Verdict.REFUTED if wrong else Verdict.TESTED, text + first)


def control_check(control: LiveRun, runs: Runs) -> Check:
    """Return whether a control was caught: the miscounting one by SGLang's check of its pool, the other one by what requests got."""
    name, page = control.backend, control.page_size
    if name == MISCOUNTING:
        if control.leak:
            return Check(name, page, "must fail", Verdict.KILLED, control.lost)
        verdict = Verdict.UNDECIDED if control.lost else Verdict.SURVIVED
        return Check(name, page, "must fail", verdict, control.lost or f"{len(control.answers)} requests went on with a wrong count")
    if control.lost:
        return Check(name, page, "must fail", Verdict.UNDECIDED, control.lost)
    others = [other for other in (runs.get(NO_CACHE), base_of(runs)) if other is not None and not other.lost]
    if not others:
        return Check(name, page, "must fail", Verdict.UNDECIDED, "no run is left to compare it with")
    for other in others:
        answers = other.answers[: len(control.answers)]
        if wrong := unequal(control.answers, answers, "tokens"):
            text = f"{len(wrong)} of {len(answers)} requests get other tokens than with {other.backend}"
            return Check(name, page, "must fail", Verdict.KILLED, text)
        if (most := largest_difference(control.answers, answers)) > TOLERANCE:
            return Check(name, page, "must fail", Verdict.KILLED, f"log-probabilities differ by {most:.2g} from those of {other.backend}")
    return Check(name, page, "must fail", Verdict.SURVIVED, f"{len(control.answers)} requests show no difference")
