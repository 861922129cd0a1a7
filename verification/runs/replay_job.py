"""The job of `radixcheck replay` for a trace of requests."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from radixcheck.verification.core.progress import Progress, silent
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.core.traces import PAGES_MAX
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.protocol import MODES
from radixcheck.verification.runs.checked_bounds import check_supported, check_tier
from radixcheck.verification.runs.shrink_job import Origin, ShrinkTo, shrink_to
from radixcheck.verification.runs.trace_results import ReplayOutcome
from radixcheck.verification.trace_replay.mooncake import TraceError
from radixcheck.verification.trace_replay.replay import replay
from radixcheck.verification.trace_replay.replay_results import Settings
from radixcheck.verification.trace_replay.request_formats import LOG, Requests, format_of, read_requests
from radixcheck.verification.trace_replay.sample import FILE as SAMPLE
from radixcheck.verification.trace_replay.shrink_replay import shrink

POOL, HOST_POOL = 320_000, 640_000  # tokens of a replay
SAMPLE_POOL = 6_000  # tokens: small enough that the sample evicts


def settings_for(
    subject: Subject,
    trace: Path | None,
    *,
    policy: str = "lru",
    page_size: int = 16,
    pool: int | None = None,
    host_pool: int | None = None,
    mode: str = "",
    **others: Any,
) -> Settings:
    """Return the settings of a replay; without a pool: the default one of a file, or of the sample trace. Raise UsageError.

    With a host pool or a mode there is a host tier.
    """
    check_supported(subject, (policy,), (page_size,))
    if mode or host_pool is not None:
        mode = mode or MODES[0]
        check_tier(subject, (mode,), host_pool)
    for option, tokens in (("--pool", pool), ("--host-pool", host_pool)):
        if tokens is not None and tokens // page_size > PAGES_MAX:
            raise UsageError(f"{option} {tokens}: is too large to be checked: give at most {PAGES_MAX * page_size}")
    if host_pool is None:
        host_pool = HOST_POOL if mode else 0
    if pool is None:
        pool = SAMPLE_POOL if trace is None else POOL
    return Settings(policy=policy, page_size=page_size, pool=pool, host_pool=host_pool, mode=mode, **others)


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """A subject, the trace of requests to replay through it, and how."""

    subject: Subject
    trace: Path | None  # None: the sample trace
    settings: Settings
    limit: int = 0  # requests to read; 0: all
    shrink: ShrinkTo | None = None  # what to do with a fault


def replay_requests(request: ReplayRequest, progress: Progress = silent) -> ReplayOutcome:
    """Replay a trace of requests and, if asked to, shrink the fault. Raise UsageError if no request can be read."""
    if request.shrink is None:
        return _replay(request, progress, _ignore)
    recorded: list[Op] = []
    outcome = _replay(request, progress, recorded.append)
    return replace(outcome, shrunk=shrink_to(request.shrink, _origin(request, outcome, tuple(recorded)), progress))


def record_requests(request: ReplayRequest, progress: Progress = silent) -> Trace:
    """Return the operations of a replay. Raise UsageError if no request can be read."""
    recorded: list[Op] = []
    _replay(request, progress, recorded.append)
    return tuple(recorded)


def is_log(path: Path) -> bool:
    """Return whether a file is a request log, whose tokens are given. Raise UsageError if it has no known format."""
    try:
        return format_of(path) == LOG
    except TraceError as error:
        raise UsageError(str(error)) from error


def _read(request: ReplayRequest) -> Requests:
    """Return the requests to replay. Raise UsageError if none can be read."""
    try:
        read_in = read_requests(request.trace or SAMPLE, request.limit)
    except TraceError as error:
        raise UsageError(str(error)) from error
    if read_in.error and not read_in.requests:
        raise UsageError(str(read_in.error))
    return read_in


def _ignore(op: Op) -> None:
    """Do not record the operation."""


def _replay(request: ReplayRequest, progress: Progress, record: Callable[[Op], None]) -> ReplayOutcome:
    """Replay the trace; `record` is called with every operation."""
    subject, path, read_in = request.subject, request.trace, _read(request)
    settings = replace(request.settings, recorded_per_id=read_in.per_id)
    if read_in.format == LOG:
        settings = replace(settings, tokens_per_id=1)
    name = path.name if path else "sample"
    try:
        with progress(f"replay {name}") as tell:
            replayed = replay(
                read_in.requests, subject, settings, progress=lambda done, total: tell(done / total, f"{done:,} requests"), record=record
            )
    except TraceError as error:
        raise UsageError(str(error)) from error
    return ReplayOutcome(subject.name, name, settings, replayed, str(read_in.error or ""), format=read_in.format)


def _origin(request: ReplayRequest, outcome: ReplayOutcome, recorded: Trace) -> Origin | None:
    """Return the fault at which the replay stopped; None if it stopped at no operation."""
    found, s = outcome.replayed.fault, outcome.settings
    if found is None:
        return None
    under = f"{s.config}, {s.running} running"
    words = f"Found in a replay of {outcome.trace} under {under}, at operation {found.step:,} ({found.operation})."
    id_, config, subject = found.violation.property, s.config, request.subject
    return Origin(subject.name, id_, subject, recorded, words, partial(shrink, subject, id_, config, recorded))
