"""Judges a short sequence of operations as a replay does: used by shrinking, and by the tests that shrinking writes.

Such a test also judges it as `verify` does, so that it names the property that the verdict named, whichever of the two has found it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from radixcheck.verification.checker.incremental.incremental_checker import IncrementalChecker
from radixcheck.verification.core.found import Config, Found, Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.search.attribution import IMPURE, impure_peek
from radixcheck.verification.search.run import trace_checker
from radixcheck.verification.trace_replay.stepped import stepped

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


def broken_by(factory: Factory, config: Config, trace: Trace, property_: str) -> list[str]:
    """Return a sentence for each property that the operations break, that of `property_` first, and for each that cannot be performed.

    An empty list: each of them could be performed, and nothing is broken.
    """
    found = {v.property: v.text for v in violations_of(factory, config, trace, property_)}
    named = sorted(found, key=lambda id_: id_ != property_)
    return [f"{id_}: {found[id_]}" for id_ in named] or _not_performed(factory, config, trace)


def violations_of(factory: Factory, config: Config, trace: Trace, property_: str) -> list[Violation]:
    """Return what the operations break, the first violation of each property. Those that `verify` finds come first."""
    found = [v for step in stepped(trace_checker(factory, config, len(trace)), trace) for v in step.broken]
    if found and property_ == IMPURE:
        peek = impure_peek(factory, Found(found[0], trace, config))
        found += [peek.violation] if peek else []
    if property_ not in {v.property for v in found}:
        found += judge(factory, config, trace).violations
    return list({v.property: v for v in reversed(found)}.values())[::-1]


def _not_performed(factory: Factory, config: Config, trace: Trace) -> list[str]:
    steps = stepped(trace_checker(factory, config, len(trace)), trace)
    return [f"operation {step.number} ({step.op}): {step.answer}" for step in steps if not step.performed]
