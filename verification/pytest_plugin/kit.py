"""The fixtures, which search a cache, run its state machine, or perform a trace within a test."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from radixcheck.verification.core.found import Config, Found
from radixcheck.verification.core.printable import value_text
from radixcheck.verification.core.status import Status
from radixcheck.verification.core.subject import Given, Subject
from radixcheck.verification.core.tier_pool import HostPool, TierPool
from radixcheck.verification.core.traces import Recorded, operation, read
from radixcheck.verification.core.usage import UsageError
from radixcheck.verification.core.watched_copier import WatchedCopier
from radixcheck.verification.core.watched_pool import WatchedPool
from radixcheck.verification.operations import Op
from radixcheck.verification.protocol import Setup
from radixcheck.verification.pytest_plugin.settings import Settings
from radixcheck.verification.pytest_plugin.texts import summary
from radixcheck.verification.pytest_plugin.usage_errors import failed, usage
from radixcheck.verification.report import console, verify_view
from radixcheck.verification.runs.checked_bounds import bounds_for, check_config
from radixcheck.verification.runs.scene import scene
from radixcheck.verification.runs.verify_job import VerifyRequest, search_subject
from radixcheck.verification.search.machine import machine_run, never_fired
from radixcheck.verification.search.run import new_checker, replay
from radixcheck.verification.search.search_results import Report
from radixcheck.verification.subjects.registry import resolve

POOL_PAGES = 16  # of a trace, and of a new cache, for which no other pool is given
Operation = Op | Mapping[str, Any]  # as JSON: {"op": "insert", "tokens": [1, 2]}


@dataclass(frozen=True, slots=True)
class Kit:
    """The fixture `radixcheck`. Each method takes a factory, or a name as `--radixcheck-subject` does.

    An argument that is left out is taken from the marker of the test, then from the options. A violation, or an undecided result, raises
    AssertionError with the trace; wrong use fails the test with one sentence.
    """

    settings: Settings

    def verify(
        self,
        subject: Given,
        *,
        policies: Sequence[str] = (),
        page_sizes: Sequence[int] = (),
        seconds: float | None = None,
        seed: int | None = None,
        modes: Sequence[str] = (),
        host_pool: int | None = None,
    ) -> Report:
        """Search for a number of seconds and return the report, in which each property is TESTED or NOT OBSERVABLE.

        Without policies, page sizes or modes of a host tier: all that the subject supports. Raise AssertionError if a property is refuted
        or not exercised.
        """
        __tracebackhide__ = True
        request = self._request(subject, policies, page_sizes, seed, seconds, modes, host_pool)
        with usage(failed):
            outcome = search_subject(request)
        if outcome.report.status != Status.HOLDS:
            raise AssertionError(summary(outcome))
        return outcome.report

    def state_machine(
        self,
        subject: Given,
        *,
        policies: Sequence[str] = (),
        page_sizes: Sequence[int] = (),
        examples: int = 100,
        steps: int = 50,
        seed: int | None = None,
        modes: Sequence[str] = (),
    ) -> None:
        """Run the Hypothesis state machine: `examples` examples of at most `steps` operations each.

        Raise AssertionError with the first violation, shrunk, or if a rule of the machine never fired.
        """
        __tracebackhide__ = True
        request = self._request(subject, policies, page_sizes, seed, modes=modes)
        bounds = request.bounds
        try:
            result = machine_run(request.subject, bounds.policies, bounds.page_sizes, bounds.seed, examples, steps, bounds.modes)
        except AssertionError as fault:
            raise AssertionError(str(fault)) from None  # without the steps of Hypothesis: the message lists the operations
        idle = never_fired(result)
        if idle:
            raise AssertionError(f"undecided: rules that never fired: {', '.join(idle)}; give it more examples")

    def trace(
        self,
        subject: Given,
        operations: Iterable[Operation] | Path | str,
        *,
        policy: str = "",
        page_size: int = 1,
        pool: int | None = None,
        host_pool: int = 0,
        mode: str = "",
    ) -> None:
        """Perform operations on a fresh cache and check every property after each. The pools are in tokens; with a mode it has a host tier.

        Without a policy: lru, or else the first that the subject supports.
        The path of a file names a recorded trace, which holds its own configuration. Raise AssertionError at the first operation that
        breaks a property or cannot be called.
        """
        __tracebackhide__ = True
        with usage(failed):
            cache = resolve(subject)
            if isinstance(operations, Path | str):
                recorded = read(Path(operations))
            else:
                trace = tuple(_operation(number, op) for number, op in enumerate(operations, 1))
                chosen = policy or ("lru" if "lru" in cache.supports.policies else cache.supports.policies[0])
                recorded = Recorded(Config(chosen, page_size, pool or POOL_PAGES * page_size, "cpu", host_pool, mode), trace)
            check_config(cache, recorded.config)
        _perform(cache, recorded.config, recorded.trace)

    def _request(
        self,
        given: Given,
        policies: Sequence[str],
        page_sizes: Sequence[int],
        seed: int | None,
        seconds: float | None = None,
        modes: Sequence[str] = (),
        host_pool: int | None = None,
    ) -> VerifyRequest:
        __tracebackhide__ = True
        s = self.settings
        with usage(failed):
            subject = resolve(given)
            seed, seconds = s.seed if seed is None else seed, seconds or s.seconds
            tier: dict[str, Any] = {"modes": modes or s.modes, "host_pool": s.host_pool if host_pool is None else host_pool}
            bounds = bounds_for(subject, policies or s.policies, page_sizes or s.page_sizes, seed=seed, seconds=seconds, **tier)
            return VerifyRequest(subject, bounds)


@dataclass(frozen=True, slots=True)
class Case:
    """The fixture `radixcheck_subject`: one cache under one policy and page size."""

    subject: Subject
    policy: str
    page_size: int  # tokens
    settings: Settings

    def __str__(self) -> str:
        return f"{self.subject.name}-{self.policy}-{self.page_size}"

    def new(self, pool: int | None = None, host_pool: int = 0, mode: str = "") -> Any:
        """Return a fresh cache over an instrumented pool of this many tokens; with a mode also over a host pool and a copier."""
        size, tokens = self.page_size, pool or POOL_PAGES * self.page_size
        if not mode:
            return self.subject(Setup(size, self.policy, WatchedPool(tokens, size)))
        device, host = TierPool(tokens, size), HostPool(host_pool, size)
        return self.subject(Setup(size, self.policy, device, "cpu", host, WatchedCopier(device, host), mode))

    def verify(self, **given: Any) -> Report:
        """As `Kit.verify`, under this policy and page size."""
        __tracebackhide__ = True
        return Kit(self.settings).verify(self.subject, policies=(self.policy,), page_sizes=(self.page_size,), **given)

    def state_machine(self, **given: Any) -> None:
        """As `Kit.state_machine`, under this policy and page size."""
        __tracebackhide__ = True
        Kit(self.settings).state_machine(self.subject, policies=(self.policy,), page_sizes=(self.page_size,), **given)

    def trace(self, operations: Iterable[Operation], *, pool: int | None = None, host_pool: int = 0, mode: str = "") -> None:
        """As `Kit.trace`, under this policy and page size."""
        __tracebackhide__ = True
        tier: dict[str, Any] = {"host_pool": host_pool, "mode": mode}
        Kit(self.settings).trace(self.subject, operations, policy=self.policy, page_size=self.page_size, pool=pool, **tier)


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A subject that does not support what its test wants, in place of its cases: the test fails with the sentence."""

    name: str
    sentence: str

    def __str__(self) -> str:
        return self.name


def _operation(number: int, given: Operation) -> Op:
    """Return an operation. Raise UsageError, as for one in a trace file."""
    if isinstance(given, Op):
        return given
    if not isinstance(given, Mapping):
        raise UsageError(f'operation {number} is {value_text(given, 60)}: give an object such as {{"op": "match", "tokens": [1]}}')
    try:
        return operation({name: list(value) if isinstance(value, tuple | range) else value for name, value in given.items()})
    except ValueError as error:
        raise UsageError(f"operation {number}: {error}") from error


def _perform(subject: Subject, config: Config, trace: tuple[Op, ...]) -> None:
    """Perform a trace, then repeat it on a second replica."""
    __tracebackhide__ = True
    checker = new_checker(subject, config, stride=1)
    for number, op in enumerate(trace, 1):
        if not checker.allowed(op):
            raise AssertionError(f"undecided: operation {number} ({op}) cannot be called on {subject.name} after those before it")
        broken = [v for v in checker.step(op) if not v.follows_from]
        if broken:
            raise AssertionError(_fault_text(subject, [Found(v, trace[:number], config) for v in broken]))
    repeated = replay(subject, config, trace, replicas=2)
    if repeated.found:
        raise AssertionError(_fault_text(subject, list(repeated.found.values())))


def _fault_text(subject: Subject, found: list[Found]) -> str:
    trace = found[0].trace
    return f"operation {len(trace)} ({trace[-1]}):\n" + console.plain(verify_view.fault(found, scene(subject, found[0])))
