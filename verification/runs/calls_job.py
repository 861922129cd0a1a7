"""The job of `radixcheck live --calls`: what caches cost at SGLang's own calls, without an engine."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.status import Verdict
from radixcheck.verification.core.timeouts import Timeout
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.live.calls_results import CallsOutcome, Cost
from radixcheck.verification.live.doctor import found_interpreter
from radixcheck.verification.live.launch import plugin_folder, started
from radixcheck.verification.live.live_results import Check
from radixcheck.verification.remote.process import SubjectLost

CACHES = ("default", "classic", "radixcheck", "radixcheck-l5")
CALL_SECONDS = 900.0  # of one repetition of one cache


@dataclass(frozen=True, slots=True)
class CallsRequest:
    """What to measure."""

    python: str
    page_sizes: tuple[int, ...] = (1, 16)
    requests: int = 2_000
    pool: int = 24_000
    policy: str = "lru"
    repeat: int = 3
    seed: int = 0


def same(costs: Sequence[Cost]) -> Iterator[Check]:
    """Check that the caches did the same: hits as the classic cache, nothing lost, nothing locked."""
    first = {(cost.page_size, cost.cache): cost for cost in costs}
    for (page, name), cost in first.items():
        bad = [each for each in costs if (each.page_size, each.cache) == (page, name) and (each.lost or each.protected)]
        text = f"{bad[0].lost} tokens lost, {bad[0].protected} locked" if bad else "nothing is lost or locked at the end"
        yield Check(name, page, "slots", Verdict.REFUTED if bad else Verdict.TESTED, text)
        if name in ("radixcheck", "classic"):
            continue
        other = first[page, "classic"].hits
        equal = sum(a == b for a, b in zip(cost.hits, other, strict=True))
        text = f"{equal:,} of {len(other):,} requests hit as with classic"
        verdict = Verdict.REFUTED if equal < len(other) else Verdict.TESTED if sum(other) else Verdict.NOT_EXERCISED
        yield Check(name, page, "equal hits", verdict, text)


def measure_calls(request: CallsRequest, progress: Progress = silent) -> CallsOutcome:
    """Measure, repetitions interleaved. Raise UsageError if the interpreter cannot do it."""
    found_interpreter(request.python)
    jobs = [(page, name) for _ in range(request.repeat) for page in request.page_sizes for name in CACHES]
    costs, version = [], ""
    with TemporaryDirectory(prefix="radixcheck-live-") as folder, progress("calls") as tell:
        path = plugin_folder(Path(folder) / "path")
        try:
            process = started(request.python)
            for number, (page, name) in enumerate(jobs):
                tell(number / len(jobs), f"{name}, pages of {page}")
                about = {"policy": request.policy, "requests": request.requests, "pool": request.pool, "seed": request.seed}
                message = {"do": "calls", "path": [str(path)], "drives": [{"name": name, "page_size": page, **about}]}
                answer = process.ask(message, Timeout(CALL_SECONDS))
                (row,) = answer["rows"]
                version = answer["version"]
                costs.append(Cost(name, page, row["us_per_request"], tuple(row["hits"]), row["lost"], row["protected"]))
            process.lose(SubjectLost("is no longer needed"))
        except SubjectLost as lost:
            raise UsageError(
                f"{request.python} cannot run the caches: it {lost}; see radixcheck doctor --python {request.python}"
            ) from lost
    return CallsOutcome(f"SGLang {version}", request.python, asdict(request), tuple(costs), tuple(same(costs)))
