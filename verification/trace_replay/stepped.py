"""Performs a trace step by step with everything checked after each step, for `replay` of a trace file, `show` and the report."""

from collections.abc import Iterable, Iterator

from radixcheck.spec.values import CacheError
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.short_text import numbers
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.operations import Op, is_misuse
from radixcheck.verification.search.run import new_checker, replay
from radixcheck.verification.search.shrink import REPLICAS
from radixcheck.verification.trace_replay.replay_results import Step

DETERMINISM = "DETERMINISM"  # a property that one run cannot show
NOT_PERFORMED = "not performed: its guard does not hold now, or the cache has no such operation"
# What the number in an answer counts.
COUNTED = {"evict": "freed {}", "evict_host": "freed {}", "insert": "{} present", "start": "{} cached", "chunk": "{} cached"}


def stepped(checker: Checker, trace: Iterable[Op]) -> Iterator[Step]:
    """Yield a step for each operation, until the checker stops."""
    for number, op in enumerate(trace, 1):
        if checker.stopped:
            return
        if not checker.allowed(op):
            yield Step(number, op, False, NOT_PERFORMED, ())
            continue
        broken = tuple(checker.step(op))
        yield Step(number, op, True, _answer(checker, op, broken), broken)


def replicas(factory: Factory, recorded: Recorded) -> tuple[int, Violation] | None:
    """Return the number of the first operation that replicas answer differently, and the violation.

    Return None if there is none, or if the trace was not recorded for DETERMINISM.
    """
    if recorded.property != DETERMINISM:
        return None
    found = replay(factory, recorded.config, recorded.trace, REPLICAS).broken(DETERMINISM)
    if found is None:
        return None
    steps = stepped(new_checker(factory, recorded.config, stride=1), recorded.trace)
    performed = [step.number for step in steps if step.performed]
    return performed[len(found.trace) - 1], found.violation


def _answer(checker: Checker, op: Op, broken: tuple[Violation, ...]) -> str:
    if is_misuse(op.name):
        return "not refused, as it must be" if broken else "refused, or not possible now; nothing changed"
    _, length, slots, error, *of_host, _ = checker.answers[-1]
    if isinstance(error, type) and issubclass(error, Exception):
        return f"{'refused' if issubclass(error, CacheError) else 'raised'}: {error.__name__}"
    words = [COUNTED.get(op.name, "{} tokens").format(length)] if length is not None else []
    if isinstance(slots, tuple) and slots:
        words.append(f"slots {numbers(slots)}")
    words += _of_tier(op, *of_host)
    return ", ".join(words) or "done"


def _of_tier(op: Op, host_length: object = None, moved: object = None, tickets: object = (), freed: object = ()) -> list[str]:
    """Return what a cache with a host tier answered besides, in words."""
    words = [f"{host_length} tokens on the host alone"] if host_length else []
    words += [f"copies of {moved} tokens issued"] if moved is not None else []
    if isinstance(tickets, tuple) and tickets:
        words.append(f"{'handled' if op.name == 'poll' else 'waits for'} copies {numbers(tickets)}")
    if isinstance(freed, tuple) and freed and op.name != "evict_host":
        words.append(f"freed host pages {numbers(freed)}")
    return words
