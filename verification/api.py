"""The Python API. Each function does what a command does, and imports what it needs when it is called."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.status import Outcome, Status
from radixcheck.verification.core.subject import Given
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.protocol import Setup, Supports

if TYPE_CHECKING:
    from radixcheck.verification.runs.run_results import DiffOutcome, VerifyOutcome
    from radixcheck.verification.runs.trace_results import ReplayOutcome, TraceOutcome

__all__ = ["Outcome", "Setup", "Status", "Supports", "UsageError", "diff", "replay", "verify"]


def verify(
    subject: Given,
    *,
    policies: Sequence[str] | None = None,
    page_sizes: Sequence[int] | None = None,
    pool: int | None = None,
    device: str = "cpu",
    seed: int = 0,
    seconds: float = 90,
    operations: int | None = None,
    stretch: bool = True,
    modes: Sequence[str] | None = None,
    host_pool: int | None = None,
    progress: Progress | None = None,
) -> "VerifyOutcome":
    """Check a subject against the specification. If nothing is refuted, compare it with the reference and replay the sample trace.

    Without policies or page sizes (tokens): all that the subject supports, of page sizes at most twelve. Without a pool (tokens): several
    small pools. `seconds` determine how much is searched (`operations`: how many random operations), and with some more the ceiling: a
    search that has not ended by then is UNDECIDED. `stretch`: also take counts and values past thresholds. `modes`: of a host tier (if the
    subject has one, default: all of them); `host_pool`: its tokens (default: several small pools). A subject given by name is checked in
    worker processes: a script calls this under `if __name__ == "__main__"`. Raise UsageError if the subject cannot be made or does not
    support these bounds.
    """
    from radixcheck.verification.runs.checked_bounds import bounds_for
    from radixcheck.verification.runs.verify_job import VerifyRequest, verify_subject
    from radixcheck.verification.subjects.registry import resolve

    cache = resolve(subject, device)
    how: dict[str, Any] = {"pool": pool, "device": device, "seed": seed, "seconds": seconds, "modes": modes or (), "host_pool": host_pool}
    bounds = bounds_for(cache, policies or (), page_sizes or (), operations=operations, stretch=stretch, **how)
    return verify_subject(VerifyRequest(cache, bounds), progress or silent)


def diff(
    left: Given,
    right: Given,
    *,
    policies: Sequence[str] | None = None,
    page_sizes: Sequence[int] | None = None,
    pool: int | None = None,
    device: str = "cpu",
    seed: int = 0,
    seconds: float = 30,
    modes: Sequence[str] | None = None,
    host_pool: int | None = None,
    progress: Progress | None = None,
) -> "DiffOutcome":
    """Run two subjects side by side, and compare every answer, refusal, size and victim.

    The arguments are those of `verify`. Operations are planned for so many `seconds`, and cut off some time after them. Raise UsageError if
    the two share no policy or no page size.
    """
    from radixcheck.verification.runs.checked_bounds import shared_bounds
    from radixcheck.verification.runs.diff_job import DiffRequest, compare
    from radixcheck.verification.subjects.registry import resolve

    a, b = resolve(left, device), resolve(right, device)
    how: dict[str, Any] = {"pool": pool, "device": device, "seed": seed, "seconds": seconds, "modes": modes or (), "host_pool": host_pool}
    return compare(DiffRequest(a, b, shared_bounds(a, b, policies or (), page_sizes or (), **how)), progress or silent)


def replay(
    trace: Path | str | None, subject: Given, *, device: str = "cpu", progress: Progress | None = None, **settings: Any
) -> "ReplayOutcome | TraceOutcome":
    """Replay a trace file through a subject, with every operation checked. Without a file: the sample trace.

    A trace of operations has its configuration in its first line. For a trace of requests give, if need be, the options of
    `radixcheck replay` by name: `policy`, `page_size`, `pool`, `tokens_per_id` (tokens) and `running` (requests). Raise UsageError if the
    trace cannot be read or the subject does not support its configuration.
    """
    from radixcheck.verification.core import traces
    from radixcheck.verification.runs.checked_bounds import check_config
    from radixcheck.verification.runs.replay_job import ReplayRequest, replay_requests, settings_for
    from radixcheck.verification.runs.trace_job import TraceRequest, replay_operations
    from radixcheck.verification.subjects.registry import resolve

    path = None if trace is None else Path(trace)
    if path is None or not traces.is_trace(path):
        cache = resolve(subject, device)
        return replay_requests(ReplayRequest(cache, path, settings_for(cache, path, device=device, **settings)), progress or silent)
    if settings:
        raise UsageError(f"{path} has its configuration in its first line: leave {', '.join(settings)} out")
    recorded = traces.read(path)
    cache = resolve(subject, recorded.config.device)
    check_config(cache, recorded.config)
    return replay_operations(TraceRequest(cache, path.name, recorded), progress or silent)
