"""Replays a trace of requests through a cache, with every operation checked.

Requests arrive in the order of the trace. If too many would run, the oldest one finishes. Then each running request generates its share
of output, token by token, and the new request starts (match, lock, slots for the rest) and caches its prompt at once (chunk), as prefill
does. A request that finishes caches its output too. At the end of the trace all running requests finish.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from time import perf_counter

from radixcheck.spec.values import pages_for
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op
from radixcheck.verification.subjects.reference_host_subject import reference_host_subject
from radixcheck.verification.subjects.reference_subject import reference_subject
from radixcheck.verification.trace_replay.mooncake import TraceError, TraceRequest, output_length
from radixcheck.verification.trace_replay.replay_results import Replayed, Settings
from radixcheck.verification.trace_replay.replay_run import TOKENS_PER_ID_MAX, Run
from radixcheck.verification.trace_replay.tiered_run import TieredRun


def replay(
    trace: Sequence[TraceRequest],
    factory: Factory,
    settings: Settings | None = None,
    second: Factory | None = reference_subject,
    progress: Callable[[int, int], None] = lambda done, total: None,
    record: Callable[[Op], None] = lambda op: None,
) -> Replayed:
    """Replay a trace through the subject that `factory` makes, next to the model and to a second cache.

    The second cache runs in a new process: a script calls this under `if __name__ == "__main__"`, and `second` must be importable by
    name; with a host tier the default is a reference that has one. `record` is called with every operation before it is performed. The
    replay stops at the first finding. Raise TraceError if a request does not fit into the empty pool, or if the subject has no request
    operations.
    """
    settings = settings or Settings()
    check_fits(trace, settings)
    if settings.mode and second is reference_subject:
        second = reference_host_subject
    run = (TieredRun if settings.mode else Run)(factory, settings, None if second is factory else second, record)
    begun = perf_counter()
    with _no_collections(), closing(run):
        for i, request in enumerate(trace):
            if run.fault:
                break
            run.arrive(request)
            progress(i + 1, len(trace))
        run.drain()
    return run.result(perf_counter() - begun)


@contextmanager
def _no_collections() -> Iterator[None]:
    """Disable the garbage collector: it would traverse millions of positions repeatedly and free almost nothing."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def check_fits(trace: Sequence[TraceRequest], settings: Settings) -> None:
    """Raise TraceError for the first request that needs more slots than the pool has."""
    scale, size = settings.tokens_per_id, settings.page_size
    if not 1 <= scale <= TOKENS_PER_ID_MAX:
        raise TraceError("the replay", 0, f"{scale} tokens for a hash id: give 1 to {TOKENS_PER_ID_MAX}")
    for tokens in (settings.pool, settings.host_pool):
        if size < 1 or tokens % size:
            raise TraceError("the replay", 0, f"a pool of {tokens} tokens is not a multiple of the page size {size}")
    if settings.running < 1:
        raise TraceError("the replay", 0, f"{settings.running} running requests: give at least 1")
    for i, request in enumerate(trace, 1):
        need = pages_for(len(request.hash_ids) * scale + output_length(request, scale, settings.recorded_per_id), size) * size
        if need > settings.pool:
            reason = f"request {i} needs {need} slots at {scale} tokens for a hash id, the pool has {settings.pool}"
            raise TraceError("the replay", 0, reason)
