"""Takes one dimension of a cache past its thresholds, with every answer checked."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from time import monotonic, process_time
from typing import Protocol

from radixcheck.spec.values import pages_for
from radixcheck.verification.checker.incremental.incremental_checker import IncrementalChecker
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.envelope import Reach
from radixcheck.verification.core.found import Config
from radixcheck.verification.core.subject import Subject
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.stretch.dimensions import DIMENSIONS, Dimension, lacks
from radixcheck.verification.stretch.world import World

STRIDE = 10**9  # the whole state is compared once, at the end
LIMIT = 2.0  # times the nominal seconds of a dimension, after which it is given up
LIMIT_ELSEWHERE = 6.0  # the same for a cache in another process, whose time includes the messages
LIMIT_MIN = 2.0  # seconds
CLOCK_EVERY = 32  # operations
TOO_SLOW = "the cache is too slow"


class Bounded(Protocol):
    """The policies and page sizes to choose from, and the device."""

    @property
    def policies(self) -> tuple[str, ...]:
        """Policies that the cache has."""

    @property
    def page_sizes(self) -> tuple[int, ...]:
        """In tokens."""

    @property
    def device(self) -> str:
        """Of the slots."""


def stretched(subject: Subject, name: str, bounds: Bounded, seed: int = 0, times: float = 1.0) -> RunResult:
    """Take the dimension `name` past its thresholds. The result has its reach and, if a property breaks, the trace up to there.

    `times`: of the time that it is usually given, after which it is given up.
    """
    dimension, supports = DIMENSIONS[name], subject.supports
    reason = lacks(dimension, supports, bounds.policies)
    if reason:
        return RunResult(reaches={name: Reach(0, dimension.target, dimension.unit, reason)})
    dimension = replace(dimension, target=dimension.goal(bounds.policies))
    with _few_collections():
        run = _Run(subject, replace(dimension, seconds=times * dimension.seconds), _config(dimension, bounds), seed)
        run.perform()
        return run.shorter().result if run.result.found else run.result


@contextmanager
def _few_collections() -> Iterator[None]:
    """Collect what runs before this one have left, and keep the garbage collector from what is alive: a call must not seem to hang."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _config(dimension: Dimension, bounds: Bounded) -> Config:
    policy = next((p for p in dimension.policies or ("lru",) if p in bounds.policies), bounds.policies[0])
    size = min((s for s in bounds.page_sizes if s >= dimension.page_size), default=max(bounds.page_sizes))
    return Config(policy, size, (dimension.pages + pages_for(dimension.room, size)) * size, bounds.device)


class _Run:
    """One run of a scenario."""

    def __init__(
        self, subject: Subject, dimension: Dimension, config: Config, seed: int, quiet_until: int = 0, operations: Trace = ()
    ) -> None:
        self._subject, self._dimension, self._config, self._seed = subject, dimension, config, seed
        self._operations = operations  # to be performed; empty: those of the scenario
        self._episode = 0  # operations before the last one that the scenario began from an empty cache
        self._checker = checker = IncrementalChecker(subject, config.policy, config.page_size, config.pool, STRIDE, config.device, window=0)
        state, pages = checker.oracle.model.state, config.pool // config.page_size
        self._world = World(subject.supports, config.page_size, pages, state, Random(f"{dimension.name} {seed}"), quiet_until)
        self.result = RunResult(runs=1, tally=checker.tally)

    def perform(self) -> None:
        """Perform the operations up to the first violation, or until the time is over."""
        dimension, checker, world, trace = self._dimension, self._checker, self._world, list[Op]()
        reason, left = "", self._time_left()
        for op in self._operations or dimension.scenario(world, dimension.target):
            if world.restarted:
                world.restarted, self._episode = False, len(trace)
            if not checker.allowed(op):
                raise ValueError(f"{dimension.name}: a caller cannot perform {op} here, after {len(trace)} operations")
            trace.append(op)
            self.result.fired[op.name] += 1
            self.result.record(checker.step(op), trace, self._config)
            if self.result.found or checker.stopped:
                break
            if len(trace) % CLOCK_EVERY == 0 and left() <= 0:
                reason = TOO_SLOW
                break
        else:
            self._judge_end(trace)
        self.result.steps, self.result.envelope = checker.steps, checker.envelope
        self.result.lost = int(checker.engine.lost)
        refuted = bool(self.result.found)
        reached = world.reached if reason or refuted else dimension.target
        self.result.reaches[dimension.name] = Reach(reached, dimension.target, dimension.unit, reason, refuted)

    def _judge_end(self, trace: list[Op]) -> None:
        if self._checker.transparent:
            self.result.record(self._checker.check_all(), trace, self._config)

    def _time_left(self) -> Callable[[], float]:
        """Return the clock of this run: processor time of a cache in this process, wall time of any other."""
        clock, limit = (process_time, LIMIT) if self._subject.supports.here else (monotonic, LIMIT_ELSEWHERE)
        end = clock() + max(LIMIT_MIN, limit * self._dimension.seconds)
        return lambda: end - clock()

    def shorter(self) -> "_Run":
        """Return a run of fewer operations that breaks the same property; this run if none is found.

        Two are tried: the operations since the scenario last began from an empty cache, and the scenario without the checks before the
        last one.
        """
        (found,) = [*self.result.found.values()][:1]
        attempts: list[_Run] = []
        if self._episode:
            attempts.append(_Run(self._subject, self._dimension, self._config, self._seed, operations=found.trace[self._episode :]))
        attempts.append(_Run(self._subject, self._dimension, self._config, self._seed, quiet_until=self._world.reached))
        for attempt in attempts:
            attempt.perform()
            if attempt.result.found.keys() == self.result.found.keys() and attempt.operations < self.operations:
                attempt.result.reaches = self.result.reaches
                return attempt
        return self

    @property
    def operations(self) -> int:
        """How many operations the violations took."""
        return sum(len(found.trace) for found in self.result.found.values())
