"""The fixtures: a cache searched, put under the state machine, or led along a trace, from within a test."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixcheck.verification.core.traces import Recorded, read
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Setup
from radixcheck.verification.pytest_plugin.settings import Settings
from radixcheck.verification.pytest_plugin.texts import whole
from radixcheck.verification.pytest_plugin.usage_errors import failed, usage
from radixcheck.verification.report import console, tables
from radixcheck.verification.report.pictures import scene
from radixcheck.verification.runs.outcome import Request, verified
from radixcheck.verification.runs.request import asked_of
from radixcheck.verification.search.machine import machine_run, never_fired
from radixcheck.verification.search.run import Config, Factory, Found, new_checker, replay
from radixcheck.verification.search.verify import Report
from radixcheck.verification.subjects.registry import Subject, name_of, resolve

POOL_PAGES = 16  # of a trace, and of a new cache, for which no other pool is given
Operation = Op | Mapping[str, Any]  # as JSON: {"op": "insert", "tokens": [1, 2]}


@dataclass(frozen=True, slots=True)
class Kit:
    """The fixture `radixcheck`. Each method takes a factory, or a name as `--radixcheck-subject` does.

    What a call does not say is taken from the marker of the test, then from the options. A fault, and what is undecided, is an
    AssertionError that says the trace; wrong use fails the test with one sentence.
    """

    settings: Settings

    def verify(
        self,
        subject: Subject,
        *,
        policies: Sequence[str] = (),
        page_sizes: Sequence[int] = (),
        seconds: float | None = None,
        seed: int | None = None,
    ) -> Report:
        """Search for so many seconds and judge every property; in the report that is returned each is TESTED or NOT OBSERVABLE.

        Without policies or page sizes: all that the subject supports. Raises AssertionError if a property is refuted or was never
        exercised.
        """
        __tracebackhide__ = True
        request = self._request(subject, policies, page_sizes, seed)
        with usage(failed):
            outcome = verified(subject, request, seconds or self.settings.seconds, False, console.silence)
        if outcome.report.status != 0:
            raise AssertionError(whole(outcome))
        return outcome.report

    def state_machine(
        self,
        subject: Subject,
        *,
        policies: Sequence[str] = (),
        page_sizes: Sequence[int] = (),
        examples: int = 100,
        steps: int = 50,
        seed: int | None = None,
    ) -> None:
        """Run so many examples of the Hypothesis state machine, of so many operations each at most.

        Raises AssertionError at the first fault, shrunk, and if a rule of the machine never fired.
        """
        __tracebackhide__ = True
        request = self._request(subject, policies, page_sizes, seed)
        factory = resolve(subject)
        try:
            result = machine_run(factory, request.policies, request.page_sizes, request.seed, examples, steps)
        except AssertionError as fault:
            raise AssertionError(str(fault)) from None  # without the steps of Hypothesis: it says the operations itself
        idle = never_fired(result)
        if idle:
            raise AssertionError(f"undecided: rules that never fired: {', '.join(idle)}; give it more examples")

    def trace(
        self, subject: Subject, operations: Iterable[Operation] | Path, *, policy: str = "lru", page_size: int = 1, pool: int | None = None
    ) -> None:
        """Lead a fresh cache along operations, with every property checked after each; the pool is in tokens.

        A path is that of a recorded trace, which says under what it runs.

        Raises AssertionError at the first that breaks a property, and at one that cannot be called.
        """
        __tracebackhide__ = True
        with usage(failed):
            if isinstance(operations, Path):
                recorded = read(operations)
            else:
                trace = tuple(op if isinstance(op, Op) else Op.from_json(op) for op in operations)
                recorded = Recorded(Config(policy, page_size, pool or POOL_PAGES * page_size), trace)
            asked_of(subject, (recorded.config.policy,), (recorded.config.page_size,))
        _lead(subject, recorded.config, recorded.trace)

    def _request(self, subject: Subject, policies: Sequence[str], page_sizes: Sequence[int], seed: int | None) -> Request:
        __tracebackhide__ = True
        s = self.settings
        with usage(failed):
            return asked_of(subject, policies or s.policies, page_sizes or s.page_sizes, seed=s.seed if seed is None else seed)


@dataclass(frozen=True, slots=True)
class Case:
    """The fixture `radixcheck_subject`: one cache under one policy and page size, as the marker of the test asks for."""

    subject: Subject
    policy: str
    page_size: int  # tokens
    settings: Settings

    def __str__(self) -> str:
        return f"{name_of(self.subject)}-{self.policy}-{self.page_size}"

    def new(self, pool: int | None = None) -> Any:
        """A fresh cache, over a pool of so many tokens that sees double frees."""
        return resolve(self.subject)(Setup(self.page_size, self.policy, WatchedPool(pool or POOL_PAGES * self.page_size, self.page_size)))

    def verify(self, **asked: Any) -> Report:
        """As of the fixture `radixcheck`, under this policy and page size."""
        __tracebackhide__ = True
        return Kit(self.settings).verify(self.subject, policies=(self.policy,), page_sizes=(self.page_size,), **asked)

    def state_machine(self, **asked: Any) -> None:
        """As of the fixture `radixcheck`, under this policy and page size."""
        __tracebackhide__ = True
        Kit(self.settings).state_machine(self.subject, policies=(self.policy,), page_sizes=(self.page_size,), **asked)

    def trace(self, operations: Iterable[Operation], *, pool: int | None = None) -> None:
        """As of the fixture `radixcheck`, under this policy and page size."""
        __tracebackhide__ = True
        Kit(self.settings).trace(self.subject, operations, policy=self.policy, page_size=self.page_size, pool=pool)


def _lead(subject: Subject, config: Config, trace: tuple[Op, ...]) -> None:
    """One trace, then the same on a second replica."""
    __tracebackhide__ = True
    factory = resolve(subject)
    checker = new_checker(factory, config, stride=1)
    for number, op in enumerate(trace, 1):
        if not checker.allowed(op):
            raise AssertionError(f"undecided: operation {number} ({op}) cannot be called on {name_of(subject)} after those before it")
        broken = [v for v in checker.step(op) if not v.follows_from]
        if broken:
            raise AssertionError(_shown(factory, [Found(v, trace[:number], config) for v in broken]))
    apart = replay(factory, config, trace, replicas=2)
    if apart.found:
        raise AssertionError(_shown(factory, list(apart.found.values())))


def _shown(factory: Factory, found: list[Found]) -> str:
    trace = found[0].trace
    return f"operation {len(trace)} ({trace[-1]}):\n" + console.plain(tables.fault(found, scene(factory, found[0])))
