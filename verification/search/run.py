"""Runs of the checker: random operations, or a given trace, under one configuration."""

from collections.abc import Iterable, Iterator, Sequence
from operator import length_hint
from random import Random
from typing import Any

from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.coverage import CoverageRecorder, Origin
from radixcheck.verification.checker.engine import LARGE_POOL
from radixcheck.verification.checker.incremental.incremental_checker import IncrementalChecker
from radixcheck.verification.checker.misuse import drawn
from radixcheck.verification.checker.run_result import RunResult
from radixcheck.verification.core.found import Config, Violation
from radixcheck.verification.core.printable import printable
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.search.generate import PAGES_MAX, PROFILES, operations

MISUSED = 0.2  # misuses for each other operation, where they are made
REPLICATED = 0.125  # share of clean runs that a second replica repeats


LONG_TRACE = 2_000  # operations
STRIDE_LONG = 10**9  # operations of a long trace between two comparisons of the whole state


def new_checker(factory: Factory, config: Config, stride: int) -> Checker:
    """Return a checker of a fresh subject. Formulas are evaluated after every `stride` operations."""
    return Checker(factory, config.policy, config.page_size, config.pool, stride, config.device, config.tier)


def trace_checker(factory: Factory, config: Config, operations: int, stride: int = 1) -> Checker:
    """Return a checker for a trace of so many operations; 0: not known.

    Over a long trace, or a large pool, the whole state is not compared after every operation, as in the stretch phase.
    """
    if operations <= LONG_TRACE and config.pool // config.page_size <= LARGE_POOL:
        return new_checker(factory, config, stride)
    return IncrementalChecker(factory, config.policy, config.page_size, config.pool, STRIDE_LONG, config.device, 0, config.tier)


def random_run(
    factory: Factory,
    config: Config,
    seed: int,
    steps: int = 120,
    stride: int = 8,
    misused: bool = False,
    replicated: float = REPLICATED,
    longest: int = PAGES_MAX,
    covered: bool = False,
    trace: list[Op] | None = None,
    forks: Sequence[tuple[int, int]] = (),
) -> RunResult:
    """Run random operations. Profile and keys follow from the seed, so that the same call does the same again.

    `covered`: record the coverage too. `trace`: a list to which the operations are added. `forks`: after so many operations it goes on with
    this other seed.
    """
    checker = new_checker(factory, config, stride)
    checker.coverage = CoverageRecorder() if covered else None
    trace = [] if trace is None else trace
    result = RunResult(runs=1, tally=checker.tally, edges=checker.edges.taken)
    random = Random()  # replaced before the first operation
    for random, op in _drawn(checker, config, ((0, seed), *forks), longest, trace):
        result.fired[op.name] += 1
        trace.append(op)
        if checker.coverage is not None:
            checker.coverage.begin()
        result.record(checker.step(op), trace, config)
        if misused and random.random() < MISUSED and not checker.stopped:
            trace.append(Op(drawn(checker, random)))
            if checker.coverage is not None:
                checker.coverage.begin()
            result.record(checker.step(trace[-1]), trace, config)
        if checker.stopped or len(trace) >= steps:
            break
    result.steps, result.envelope = checker.steps, checker.envelope
    if checker.coverage is not None:
        reached = checker.coverage.reached(result.envelope)
        result.coverage.add({mark: Origin(config, seed, operations_, stride, longest, tuple(forks)) for mark, operations_ in reached})
    if not checker.stopped and random.random() < replicated:
        _second_replica(factory, config, trace, checker, result)
    return result


def _drawn(
    checker: Checker, config: Config, seeds: Sequence[tuple[int, int]], longest: int, trace: Sequence[Op]
) -> Iterator[tuple[Random, Op]]:
    """Yield operations without end, each with the source of chance of its part. A part begins after so many operations, with its seed."""
    ends = (*(begins for begins, _ in seeds[1:]), None)
    for (_, seed), end in zip(seeds, ends, strict=True):
        random = Random(f"{config} {seed}")
        profile = PROFILES[random.choice(sorted(PROFILES))]
        for op in operations(checker, random, profile, longest, tuple(trace)):
            yield random, op
            if end is not None and len(trace) >= end:
                break


def retraced(factory: Factory, origin: Origin, misused: bool = False) -> Trace:
    """Return the operations of a random run whose coverage was recorded."""
    trace, how = list[Op](), (origin.config, origin.seed, origin.operations, origin.stride, misused, 0.0, origin.longest)
    random_run(factory, *how, trace=trace, forks=origin.forks)
    return tuple(trace[: origin.operations])


def _second_replica(factory: Factory, config: Config, trace: Sequence[Op], checker: Checker, result: RunResult) -> None:
    """Perform the same operations on a second replica: answers and victims must be the same."""
    replica = new_checker(factory, config, stride=len(trace) + 1)
    result.tally.count("DETERMINISM", any(freed for *_, freed in checker.answers))
    for k, op in enumerate(trace):
        replica.step(op)
        if replica.answers != checker.answers[: len(replica.answers)]:
            second, first = _answer_text(replica.answers[-1]), _answer_text(checker.answers[len(replica.answers) - 1])
            text = f"after the same operations a second replica answered this {op.name} with {second}; the first with {first}"
            return result.record([Violation("DETERMINISM", text)], trace[: k + 1], config)
    return None


def _answer_text(answer: Sequence[Any]) -> str:
    """Return an answer, as a run keeps it, in words."""
    _, length, pages, error, *of_host, freed = answer
    words = [f"a refusal ({printable(error.__name__)})"] if isinstance(error, type) and issubclass(error, Exception) else []
    words += [str(length)] if length is not None else []
    words += [f"pages {list(pages)}"] if pages else []
    words += [f"{list(each) if isinstance(each, tuple) else each} on the host" for each in of_host if each]
    return ", ".join([*words, f"freed pages {list(freed)}"] if freed else words or ["nothing"])


def replay(factory: Factory, config: Config, trace: Iterable[Op], replicas: int = 1) -> RunResult:
    """Run a trace with every formula evaluated after every operation. Operations whose guard does not hold are left out.

    With more replicas the trace is repeated on each of them, until one answers differently.
    """
    checker = trace_checker(factory, config, length_hint(trace))
    result, done = RunResult(runs=1, tally=checker.tally, edges=checker.edges.taken), list[Op]()
    for op in trace:
        if checker.stopped:
            break
        if checker.allowed(op):
            done.append(op)
            result.fired[op.name] += 1
            result.record(checker.step(op), done, config)
    for _ in range(replicas - 1):
        if not result.found:
            _second_replica(factory, config, done, checker, result)
    result.steps, result.envelope = checker.steps, checker.envelope
    return result
