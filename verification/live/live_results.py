"""What live runs gave: the answers of each backend, and what a comparison of them shows."""

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from radixcheck.verification.core.status import Outcome, Status, Verdict, worst


@dataclass(frozen=True, slots=True)
class Answer:
    """One served request."""

    prompt: int  # tokens
    cached: int  # of them, tokens that were not computed
    tokens: tuple[int, ...]
    log_probabilities: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Round:
    """Requests that were served together, in seconds of the engine's clock on the wall."""

    requests: int
    begun: float
    ended: float


@dataclass(frozen=True, slots=True)
class LiveRun:
    """One backend in one engine."""

    backend: str
    page_size: int
    answers: tuple[Answer, ...]
    start_seconds: float = 0.0
    seconds: float = 0.0
    lost: str = ""  # how the engine ended before its time
    leak: bool = False  # the engine's own check of its pool has ended it
    rounds: tuple[Round, ...] = ()
    recording: str = ""  # the file of its KV events; empty: they were not recorded
    recording_stopped: str = ""  # why the recording ended early

    @property
    def cached(self) -> int:
        """Tokens that were not computed."""
        return sum(answer.cached for answer in self.answers)

    def to_json(self) -> dict[str, Any]:
        """Return counts and times as a JSON object."""
        prompts = sum(answer.prompt for answer in self.answers)
        counts = {"requests": len(self.answers), "prompt_tokens": prompts, "cached_tokens": self.cached}
        times = {"start_seconds": round(self.start_seconds, 2), "seconds": round(self.seconds, 2)}
        ended = {"lost": self.lost, "leak": self.leak, "recording": self.recording}
        return {"backend": self.backend, "page_size": self.page_size, **counts, **times, **ended}


@dataclass(frozen=True, slots=True)
class Check:
    """What one comparison shows."""

    backend: str
    page_size: int
    check: str
    verdict: Verdict
    text: str

    @property
    def status(self) -> Status:
        """The status of the verdict."""
        if self.verdict in (Verdict.TESTED, Verdict.KILLED):
            return Status.HOLDS
        return Status.REFUTED if self.verdict in (Verdict.REFUTED, Verdict.SURVIVED) else Status.UNDECIDED


@dataclass(frozen=True, slots=True)
class HitCounts:
    """The hits of another engine's cache beside those of ours, request by request: shown, not judged. They choose and evict otherwise."""

    backend: str
    page_size: int
    ours_page_size: int  # if it is another one, the two also round otherwise
    requests: int
    cached: int  # tokens
    ours_cached: int
    same: int  # requests with as many cached tokens as with ours
    more: int
    fewer: int
    same_tokens: int  # requests that get the same tokens; where they do not, later prompts differ too


@dataclass(frozen=True, slots=True)
class LiveOutcome(Outcome):
    """All runs and checks."""

    engine: str  # its name and version
    python: str
    model: str
    about: dict[str, Any]  # the workload
    runs: tuple[LiveRun, ...]
    checks: tuple[Check, ...]
    hit_counts: tuple[HitCounts, ...] = ()
    recordings: str = ""  # the folder of the recordings of events

    @property
    def status(self) -> Status:
        """The exit status of the command."""
        return worst(check.status for check in self.checks)

    def to_json(self) -> dict[str, Any]:
        """Return the result as a JSON object."""
        return {
            "status": self.status,
            "engine": self.engine,
            "python": self.python,
            "model": self.model,
            "workload": self.about,
            "runs": [run.to_json() for run in self.runs],
            "checks": [asdict(check) for check in self.checks],
            "verdicts": dict(Counter(check.verdict for check in self.checks)),
            "hit_counts": [asdict(each) for each in self.hit_counts],
        }
