"""What vLLM's answers show: with its cache against without, and its hits against what any cache could have and beside those of ours."""

from collections import Counter
from collections.abc import Iterator, Sequence

from radixcheck.verification.core.status import Verdict
from radixcheck.verification.live import compare
from radixcheck.verification.live.launch import NO_CACHE
from radixcheck.verification.live.live_results import Answer, Check, HitCounts, LiveRun
from radixcheck.verification.live.workload import WARM_UP, Conversations, Load


def vllm_checks(run: LiveRun, nothing: LiveRun, controls: Sequence[LiveRun], load: Load) -> Iterator[Check]:
    """Compare the runs of vLLM."""
    yield from compare.checks({run.backend: run, NO_CACHE: nothing})
    if not run.lost:
        yield _possible(run, load)
    for control in controls:
        yield compare.control_check(control, {NO_CACHE: nothing})


def _possible(run: LiveRun, load: Load) -> Check:
    """No request may hit more than was computed before or beside it, and only whole pages."""
    most = possible_hits(load, run.answers, run.page_size)
    cached = [answer.cached for answer in run.answers]
    wrong = [at for at, (hit, most_) in enumerate(zip(cached, most, strict=True), 1) if hit > most_ or hit % run.page_size]
    text = f"{sum(cached):,} of the {sum(most):,} tokens are hit that a cache could have"
    first = f"; request {wrong[0]} hits {cached[wrong[0] - 1]} of at most {most[wrong[0] - 1]}" if wrong else ""
    return Check(run.backend, run.page_size, "possible hits", Verdict.REFUTED if wrong else Verdict.TESTED, text + first)


def hit_counts(run: LiveRun, runs: Sequence[LiveRun]) -> tuple[HitCounts, ...]:
    """Count, for each run of ours, in which requests the other cache hits as much, more and less."""
    ours = [each for each in runs if each.backend == compare.OURS and not each.lost]
    return () if run.lost else tuple(_counted(run, each) for each in ours)


def _counted(run: LiveRun, ours: LiveRun) -> HitCounts:
    pairs = list(zip(run.answers, ours.answers, strict=True))
    signs = Counter((one.cached > other.cached) - (one.cached < other.cached) for one, other in pairs)
    tokens = sum(one.tokens == other.tokens for one, other in pairs)
    pages = (run.page_size, ours.page_size)
    return HitCounts(run.backend, *pages, len(pairs), run.cached, ours.cached, signs[0], signs[1], signs[-1], tokens)


def possible_hits(load: Load, answers: Sequence[Answer], page: int) -> list[int]:
    """Return for each request the most tokens that a cache can have: whole pages that another request had before, or beside it.

    The last token of a prompt is always computed, and that of an answer never.
    """
    talks, most = Conversations(load), list[int]()
    before = {WARM_UP[:end] for end in range(page, len(WARM_UP) + 1, page)}
    while talks.served < len(answers) and (prompts := talks.round()):
        parts = [[tuple(prompt[:end]) for end in range(page, len(prompt) + 1, page)] for prompt in prompts]
        at_once = Counter(part for each in parts for part in each)
        for prompt, each in zip(prompts, parts, strict=True):
            shared = (len(part) for part in each if len(part) < len(prompt) and (part in before or at_once[part] > 1))
            most.append(max(shared, default=0))
        given = [answer.tokens for answer in answers[talks.served : talks.served + len(prompts)]]
        for prompt, tokens in zip(prompts, given, strict=True):
            whole = [*prompt, *tokens[:-1]]
            before.update(tuple(whole[:end]) for end in range(page, len(whole) + 1, page))
        talks.answered(given)
    return most
