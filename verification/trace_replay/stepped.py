"""Performs a trace step by step with everything checked after each step, for `replay` of a trace file, `show` and the report."""

from collections.abc import Iterable, Iterator, Sequence

from radixcheck.spec.values import CacheError
from radixcheck.verification.checker.blame import directness
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.core.found import Found, Violation
from radixcheck.verification.core.short_text import counted, numbers
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.core.traces import Recorded
from radixcheck.verification.operations import Op, is_misuse
from radixcheck.verification.search.attribution import IMPURE, impure_peek
from radixcheck.verification.search.run import LONG_TRACE, new_checker, replay
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
        broken = tuple(sorted(checker.step(op), key=lambda v: (bool(v.follows_from), directness(v.property))))
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


def peeked(factory: Factory, recorded: Recorded, number: int, broken: Sequence[Violation]) -> tuple[int, Violation] | None:
    """Return the number of a peek that has changed the cache, and the violation: without it the first operation that is broken is not.

    `number`, `broken`: that operation, and what it breaks. Return None if there is no such peek, or if it was named already: a cache that
    shows its inside shows the change at once.
    """
    if any(v.property == IMPURE for v in broken) or number > LONG_TRACE:
        return None
    found = impure_peek(factory, Found(broken[0], recorded.trace[:number], recorded.config))
    return (found.wrong, found.violation) if found else None


def _answer(checker: Checker, op: Op, broken: tuple[Violation, ...]) -> str:
    if is_misuse(op.name):
        return "not refused, as it must be" if broken else "refused, or not possible now; nothing changed"
    _, length, slots, error, *of_host, _ = checker.answers[-1]
    if isinstance(error, type) and issubclass(error, Exception):
        return f"{'refused' if issubclass(error, CacheError) else 'raised'}: {error.__name__}"
    words = [COUNTED[op.name].format(length) if op.name in COUNTED else counted(length, "token")] if isinstance(length, int) else []
    if isinstance(slots, tuple) and slots:
        words.append(f"slots {numbers(slots)}")
    words += _of_tier(op, *of_host)
    return ", ".join(words) or "done"


def _of_tier(op: Op, host_length: object = None, moved: object = None, tickets: object = (), freed: object = ()) -> list[str]:
    """Return what a cache with a host tier answered besides, in words."""
    words = [f"{counted(host_length, 'token')} on the host alone"] if isinstance(host_length, int) and host_length else []
    words += [f"copies of {counted(moved, 'token')} issued"] if isinstance(moved, int) else []
    if isinstance(tickets, tuple) and tickets:
        words.append(f"{'handled' if op.name == 'poll' else 'waits for'} copies {numbers(tickets)}")
    if isinstance(freed, tuple) and freed and op.name != "evict_host":
        words.append(f"freed host pages {numbers(freed)}")
    return words
