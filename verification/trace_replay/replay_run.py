"""One replay: what an engine does with requests, and the cache that it calls."""

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

from radixcheck.spec.values import Key, NoRoom, Sizes, pages_for
from radixcheck.verification.checker.engine import SubjectFailed
from radixcheck.verification.checker.incremental.incremental_checker import IncrementalChecker
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import REQUEST_OPERATIONS, Op
from radixcheck.verification.trace_replay.mooncake import ID_MAX, TraceError, TraceRequest, output_length, prompt
from radixcheck.verification.trace_replay.replay_results import Fault, Replayed, Settings, TierReplayed
from radixcheck.verification.trace_replay.shadow_replica import ShadowReplica

TOKENS_PER_ID_MAX = 2**16
TIER_STRIDES = 10  # with a host tier the whole state is compared from scratch, which takes longer, and so less often
FIRST_OUTPUT = ID_MAX * TOKENS_PER_ID_MAX  # generated tokens are numbered from here, so that no prompt has them


@dataclass(slots=True)
class Running:
    """A running request."""

    name: int
    left: int  # tokens yet to be generated
    share: int  # tokens generated at each arrival


class Run:
    """Does what an engine does: schedules the requests and calls the cache."""

    def __init__(self, factory: Factory, settings: Settings, second: Factory | None, record: Callable[[Op], None]) -> None:
        s = self.settings = settings
        self.record = record
        stride = s.stride * (TIER_STRIDES if s.mode else 1)
        self.checker = IncrementalChecker(factory, s.policy, s.page_size, s.pool, stride, s.device, s.window, s.config.tier)
        if not set(REQUEST_OPERATIONS) <= set(self.checker.supports.operations):
            raise TraceError("the replay", 0, "the subject lacks request operations, which a trace of requests needs")
        self.shadow = ShadowReplica(second, self.checker, s.config) if second else None
        self.running: deque[Running] = deque()
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
            self.grow(one)
        scale = self.settings.tokens_per_id
        start = Op("start", Key(prompt(request, scale)), self.arrived)
        while not self.call(start):
            if self.fault or not self.make_room():
                return
        self.requests += 1
        self.prompt_tokens += len(start.key.tokens)
        self.hit_tokens += self.checker.answer.length or 0
        output = output_length(request, scale, self.settings.recorded_per_id)
        self.running.append(Running(self.arrived, output, pages_for(output, self.settings.running)))
        self.prefill(self.arrived)

    def make_room(self) -> bool:
        """Finish a request, so that another may find room. Return False if none runs."""
        if self.running:
            self.finish_oldest()
            return True
        return False

    def prefill(self, name: int) -> None:
        """Compute the prompt of a request and cache it."""
        self.call(Op("chunk", holder=name))

    def grow(self, one: Running) -> None:
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
        self.settle()
        if not self.fault and self.checker.transparent:
            self._judge(self.checker.check_all(), Op("peek"))
        if self.shadow:
            self.fault = self.shadow.finish() or self.fault  # the second one is earlier: operations after a finding were not sent

    def settle(self) -> None:
        """Bring what is in flight to an end."""

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
        if self.checker.answer.refused:
            self.refused += isinstance(self.checker.answer.error, NoRoom)
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
            tier=self.tier_figures(),
        )

    def tier_figures(self) -> TierReplayed | None:
        """Return what was done with the host tier; None: there is none."""
        return None
