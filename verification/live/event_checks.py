"""What the recorded KV events of a live run show: whether they are right by themselves, and whether the engine's hits are what they say."""

from collections.abc import Iterator
from pathlib import Path

from radixcheck.verification.core.status import Status, Verdict
from radixcheck.verification.event_streams import stream
from radixcheck.verification.event_streams.recording import read
from radixcheck.verification.event_streams.stream_results import StreamFolded, place
from radixcheck.verification.live.event_hits import Predicted, Served, predicted
from radixcheck.verification.live.live_results import Check, LiveRun
from radixcheck.verification.live.vllm_compare import possible_hits
from radixcheck.verification.live.workload import Conversations, Load

EVENTS, HITS = "events", "hits as events say"


def event_checks(run: LiveRun, load: Load, recording: Path) -> Iterator[Check]:
    """Fold the recording of a run that came to its end, and look its requests up. Raise UsageError if the file cannot be opened."""
    folded, requests = stream.folded(read(recording)), predicted(list(served_requests(run, load)), read(recording))
    undecided = f"the recording ended early: {run.recording_stopped}" if run.recording_stopped else why_undecided(folded)
    yield Check(run.backend, run.page_size, EVENTS, *_events(folded, undecided))
    yield Check(run.backend, run.page_size, HITS, *_hits(requests, undecided))


def served_requests(run: LiveRun, load: Load) -> Iterator[Served]:
    """Yield the requests of a run, which are drawn again, with its hits."""
    talks, most, at = Conversations(load), possible_hits(load, run.answers, run.page_size), 0
    for round_ in run.rounds:
        prompts = talks.round()
        answers = run.answers[at : at + round_.requests]
        for number, (prompt, answer) in enumerate(zip(prompts, answers, strict=True), at):
            yield Served(tuple(prompt), answer.cached, most[number], round_.begun, round_.ended)
        talks.answered([answer.tokens for answer in answers])
        at += round_.requests


def why_undecided(folded: StreamFolded) -> str:
    """Return why a stream decides nothing, faults apart; empty if it is complete and could be judged."""
    if folded.doubts:
        return f"{folded.doubts[0].why}; what would decide it: {folded.doubts[0].decides}"
    return "" if folded.complete else folded.unnoticed or "the recording has no mark of completeness"


def _events(folded: StreamFolded, undecided: str) -> tuple[Verdict, str]:
    faults = sum(folded.fault_counts.values())
    pages = ", ".join(f"{count:,} pages {kind}" for kind, count in folded.pages.items())
    count = "1 fault" if faults == 1 else f"{faults:,} faults"
    text = f"{folded.batches:,} batches, {pages or 'no page'}: {count}"
    if faults:
        first = folded.faults[0]
        return Verdict.REFUTED, f"{text}; the first at {place(first)}: {first.sentence}"
    if undecided or folded.status != Status.HOLDS:
        return Verdict.UNDECIDED, f"{text}; {undecided}"
    return Verdict.TESTED, f"{text}; the stream is complete"


def _hits(requests: list[Predicted], undecided: str) -> tuple[Verdict, str]:
    if undecided:
        return Verdict.UNDECIDED, undecided
    wrong = [number for number, request in enumerate(requests, 1) if not request.agrees]
    first = sum(request.first == request.served.hit for request in requests)
    tokens, hits = sum(request.first for request in requests), sum(request.served.hit for request in requests)
    text = (
        f"{len(requests) - len(wrong):,} of {len(requests):,} requests hit what the events say, {first:,} as when their round began: "
        f"then a router predicts {tokens:,} tokens; {hits:,} are hit"
    )
    if wrong:
        one = requests[wrong[0] - 1]
        return Verdict.REFUTED, f"{text}; request {wrong[0]} hits {one.served.hit}, {one.first} when its round began"
    return (Verdict.TESTED if hits else Verdict.NOT_EXERCISED), text


def control_check(control: LiveRun, checks: list[Check]) -> Check:
    """Return whether a cache that leaves out events was caught: by the hits, as its stream by itself is what a right cache might send."""
    hits = next((check for check in checks if check.check == HITS), None)
    if hits is None:
        return Check(control.backend, control.page_size, "must fail", Verdict.UNDECIDED, control.lost)
    verdicts = {Verdict.REFUTED: Verdict.KILLED, Verdict.UNDECIDED: Verdict.UNDECIDED}
    return Check(control.backend, control.page_size, "must fail", verdicts.get(hits.verdict, Verdict.SURVIVED), hits.text)
