"""Judges a short sequence of operations as a replay does: used by shrinking, and by the tests that shrinking writes."""

from collections.abc import Iterable
from dataclasses import dataclass

from radixcheck.verification.checker.incremental.incremental_checker import IncrementalChecker
from radixcheck.verification.core.found import Config, Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op, Trace

STRIDE = 10**9  # operations between two comparisons of the whole state: one at the end is enough


@dataclass(frozen=True, slots=True)
class Judged:
    """The operations that could be performed, up to the first finding, and the finding."""

    trace: Trace
    violations: tuple[Violation, ...]
    room: int  # free tokens before the last operation


def judge(factory: Factory, config: Config, trace: Iterable[Op]) -> Judged:
    """Perform and check the operations, in a fresh cache, up to the first finding; without one, compare the whole state."""
    checker = IncrementalChecker(factory, config.policy, config.page_size, config.pool, STRIDE, config.device, 1, config.tier)
    done: list[Op] = []
    found: list[Violation] = []
    room = config.pool
    for op in trace:
        if checker.allowed(op):
            done.append(op)
            room = checker.oracle.model.state.available
            found = checker.step(op)
            if found:
                break
    if not found and checker.transparent:
        found = checker.check_all()
    return Judged(tuple(done), tuple(found), room)
