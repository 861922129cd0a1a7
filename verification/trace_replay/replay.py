"""Replays a trace of requests through a cache, with every operation checked.

Requests arrive in the order of the trace. If too many would run, the oldest one finishes. Then each running request generates its share
of output, token by token, and the new request starts (match, lock, slots for the rest) and caches its prompt at once (chunk), as prefill
does. A request that finishes caches its output too. At the end of the trace all running requests finish.
"""

import gc
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from time import perf_counter

from radixcheck.spec.values import Key, NoRoom, Sizes, pages_for
from radixcheck.verification.checker.engine import SubjectFailed
from radixcheck.verification.checker.incremental.incremental_checker import IncrementalChecker
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import REQUEST_OPERATIONS, Op
from radixcheck.verification.subjects.reference_subject import reference_subject
from radixcheck.verification.trace_replay.mooncake import ID_MAX, TraceError, TraceRequest, output_length, prompt
from radixcheck.verification.trace_replay.replay_results import Fault, Replayed, Settings
from radixcheck.verification.trace_replay.shadow_replica import ShadowReplica

TOKENS_PER_ID_MAX = 2**16
FIRST_OUTPUT = ID_MAX * TOKENS_PER_ID_MAX  # generated tokens are numbered from here, so that no prompt has them


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
    name. `record` is called with every operation before it is performed. The replay stops at the first finding. Raise TraceError if a
    request does not fit into the empty pool, or if the subject has no request operations.
    """
    settings = settings or Settings()
    check_fits(trace, settings)
    run = _Run(factory, settings, None if second is factory else second, record)
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
    if size < 1 or settings.pool % size:
        raise TraceError("the replay", 0, f"a pool of {settings.pool} tokens is not a multiple of the page size {size}")
    if settings.running < 1:
        raise TraceError("the replay", 0, f"{settings.running} running requests: give at least 1")
    for i, request in enumerate(trace, 1):
        need = pages_for(len(request.hash_ids) * scale + output_length(request, scale), size) * size
        if need > settings.pool:
            reason = f"request {i} needs {need} slots at {scale} tokens for a hash id, the pool has {settings.pool}"
            raise TraceError("the replay", 0, reason)


@dataclass(slots=True)
class _Running:
    """A running request."""

    name: int
    left: int  # tokens yet to be generated
    share: int  # tokens generated at each arrival


class _Run:
    """Does what an engine does: schedules the requests and calls the cache."""

    def __init__(self, factory: Factory, settings: Settings, second: Factory | None, record: Callable[[Op], None]) -> None:
        s = self.settings = settings
        self.record = record
        self.checker = IncrementalChecker(factory, s.policy, s.page_size, s.pool, s.stride, s.device, s.window)
        if not set(REQUEST_OPERATIONS) <= set(self.checker.supports.operations):
            raise TraceError("the replay", 0, "the subject lacks request operations, which a trace of requests needs")
        self.shadow = ShadowReplica(second, self.checker, s.pool) if second else None
        self.running: deque[_Running] = deque()
        self.fault: Fault | None = None
        self.operations: Counter[str] = Counter()
        self.arrived = self.requests = self.prompt_tokens = self.hit_tokens = 0
        self.victims = self.evicted_pages = self.refused = 0
        self._output = count(FIRST_OUTPUT)

    def close(self) -> None:
        """End the process of the second cache."""
        if self.shadow:
            self.shadow.close()

    def arrive(self, request: TraceRequest) -> None:
        """Start the next request of the trace."""
        self.arrived += 1
        if len(self.running) >= self.settings.running:
            self.finish_oldest()
        for one in self.running:
            self._grow(one)
        scale = self.settings.tokens_per_id
        start = Op("start", Key(prompt(request, scale)), self.arrived)
        while not self.call(start):
            if self.fault or not self.running:
                return
            self.finish_oldest()
        self.requests += 1
        self.prompt_tokens += len(start.key.tokens)
        self.hit_tokens += self.checker.answer.length or 0
        self.call(Op("chunk", holder=self.arrived))
        output = output_length(request, scale)
        self.running.append(_Running(self.arrived, output, pages_for(output, self.settings.running)))

    def _grow(self, one: _Running) -> None:
        """Generate its share of output; what finds no room is tried again at the next arrival."""
        for _ in range(min(one.share, one.left)):
            if not self.call(Op("decode", holder=one.name, amount=next(self._output))):
                return
            one.left -= 1

    def finish_oldest(self) -> None:
        """Finish the request that has run longest."""
        self.call(Op("finish", holder=self.running.popleft().name))

    def drain(self) -> None:
        """Finish all requests, compare the whole state once more, and wait for the second cache."""
        while self.running and not self.fault:
            self.finish_oldest()
        if not self.fault and self.checker.transparent:
            self._judge(self.checker.check_all(), Op("peek"))
        if self.shadow:
            self.fault = self.shadow.finish() or self.fault  # the second one is earlier: operations after a finding were not sent

    def call(self, op: Op) -> bool:
        """Perform an operation on the subject, the model and the second cache. Return False if it was refused or shows a fault."""
        if self.fault:
            return False
        self.operations[op.name] += 1
        self.record(op)
        self._judge(self.checker.step(op), op)
        if not self.fault and self.shadow:
            self.fault = self.shadow.step(op, self.arrived)
        if self.fault:
            return False
        if isinstance(self.checker.answer.error, NoRoom):
            self.refused += 1
            return False
        call = self.checker.oracle.call
        self.victims += len(call.victims)
        if call.victims:
            self.evicted_pages += len(call.freed)
        return True

    def _judge(self, found: Sequence[Violation], op: Op) -> None:
        if found:
            steps = sum(self.operations.values())
            self.fault = Fault(found[0], self.arrived, steps, f"{op.name} of request {op.holder}")

    def _sizes(self) -> Sizes:
        """Return the sizes at the end. If they cannot be had, that is a fault."""
        try:
            return self.checker.engine.sizes()
        except SubjectFailed as failed:
            if not self.fault:
                self._judge([Violation("REFINEMENT", str(failed))], Op("peek"))
            return Sizes(0, 0, 0)

    def result(self, seconds: float) -> Replayed:
        """Return the result."""
        checker, sizes = self.checker, self._sizes()
        owned = sizes.available + sizes.evictable + sizes.protected
        looked = dict(checker.looked)
        if self.shadow:
            looked["victims of the second cache"] = self.shadow.victims
        return Replayed(
            requests=self.requests,
            operations=dict(self.operations),
            prompt_tokens=self.prompt_tokens,
            hit_tokens=self.hit_tokens,
            victims=self.victims,
            evicted_tokens=self.evicted_pages * self.settings.page_size,
            refused=self.refused,
            leaked=0 if self.fault else self.settings.pool - owned,
            protected=0 if self.fault else sizes.protected,
            fault=self.fault,
            local=checker.local,
            looked=looked,
            formulas=dict(checker.tally.checked),
            seconds=seconds,
        )
