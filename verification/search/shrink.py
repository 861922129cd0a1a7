"""Shrinks the trace that first showed a fault to a minimal one (delta debugging: operations first, then keys).

The effort is counted in operations, so that the same fault is shrunk to the same trace however slow the machine is.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import takewhile
from typing import Protocol, TypeVar

from radixcheck.spec.values import Key
from radixcheck.verification.core.catalogue import PROBED
from radixcheck.verification.core.deadline import NEVER, Deadline
from radixcheck.verification.core.found import Config, Found
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.search.run import replay

REPLICAS = 12  # runs of a trace whose answers differ from run to run: two runs may agree by chance
OPERATIONS, PER_OPERATION = 20_000, 20  # of all attempts to shrink one trace, and more for each operation of that trace
IN_TOKENS = ("evict", "evict_host", "free")  # operations with a number of tokens
TOKENS_PER_OPERATION = 32  # of a key: so many take about as long as an operation without a key


class HasTrace(Protocol):
    """Something that a trace reproduces."""

    @property
    def trace(self) -> Trace:
        """The operations. The last one shows it."""


Result = TypeVar("Result", bound=HasTrace)


class Effort:
    """The operations that attempts may still perform, and a deadline before which they end."""

    def __init__(self, operations: int, deadline: Deadline = NEVER) -> None:
        self.left, self.deadline = operations, deadline
        self._planned = max(1, operations)

    @property
    def spent(self) -> bool:
        """Return whether no further attempt may begin."""
        return self.left <= 0 or self.deadline.passed

    @property
    def share(self) -> float:
        """Return the share of the operations that was performed."""
        return 1 - max(0, self.left) / self._planned

    def performed(self, trace: Trace) -> Iterator[Op]:
        """Count the operations of an attempt, one with a long key as several, and yield them until the deadline."""
        self.left -= sum(1 + len(op.key.tokens) // TOKENS_PER_OPERATION for op in trace)
        return takewhile(lambda _: not self.deadline.passed, trace)


def minimise(best: Result, again: Callable[[Trace], Result | None], page_size: int, effort: Effort) -> Result:
    """Return the shortest and simplest result. `again(trace)` counts its effort; it returns None if the trace does not reproduce it."""
    progress = True
    while progress:
        progress = False
        for candidate in _candidates(best.trace, page_size):
            if effort.spent:
                return best
            found = again(candidate)
            if found is not None and _measure(found.trace) < _measure(best.trace):
                best, progress = found, True
                break
    return best


def shrink(factory: Factory, found: Found, deadline: Deadline = NEVER) -> Found:
    """Return a shorter trace that breaks the same property: the best that was found when the deadline passes, or earlier."""
    return shrink_within(factory, found, Effort(OPERATIONS + PER_OPERATION * len(found.trace), deadline))


def shrink_within(factory: Factory, found: Found, effort: Effort) -> Found:
    """Return the shortest trace that was found with this effort."""
    id_ = found.violation.property
    if id_ in PROBED:
        return found
    found = _in_pages_of_one(factory, found, effort) or found
    found = _in_less_room(factory, found, effort)
    return minimise(found, lambda trace: _again(factory, found.config, trace, id_, effort), found.config.page_size, effort)


def replicas_for(id_: str) -> int:
    """Return how many times a trace is run to show a property."""
    return REPLICAS if id_ == "DETERMINISM" else 1


def _again(factory: Factory, config: Config, trace: Trace, id_: str, effort: Effort) -> Found | None:
    """Return how the trace breaks the property; None if it does not, or not before the deadline."""
    return replay(factory, config, effort.performed(trace), replicas_for(id_)).broken(id_)


def _in_pages_of_one(factory: Factory, found: Found, effort: Effort) -> Found | None:
    """Return the trace with each page as one token, which is easier to read; None if that breaks the property no more."""
    if found.config.page_size == 1:
        return None
    try:
        return _again(factory, *in_pages_of_one(found.config, found.trace), found.violation.property, effort)
    except Exception:  # a subject may refuse a page size when it is made
        return None


def in_pages_of_one(config: Config, trace: Trace) -> tuple[Config, Trace]:
    """Return the operations with each page of a key as one token; equal pages become equal tokens."""
    size = config.page_size
    pages: dict[tuple[int, ...], int] = {}

    def plain(op: Op) -> Op:
        tokens = op.key.tokens
        whole = (tokens[i : i + size] for i in range(0, len(tokens) // size * size, size))
        key = Key(tuple(pages.setdefault(page, len(pages)) for page in whole), op.key.namespace)
        return replace(op, key=key, amount=-(-op.amount // size) if op.name in IN_TOKENS else op.amount)

    return replace(config, page_size=1, pool=config.pool // size, host_pool=config.host_pool // size), tuple(map(plain, trace))


def _in_less_room(factory: Factory, found: Found, effort: Effort) -> Found:
    """Halve the pool, then that of the host, while the trace still breaks the property: fewer operations fill a small pool.

    A fault that does not need the host tier is shown without it.
    """
    if found.config.mode:
        flat = replace(found.config, host_pool=0, mode="")
        found = _again(factory, flat, found.trace, found.violation.property, effort) or found
    for tier in ("pool", "host_pool"):
        found = _in_smaller(factory, found, tier, effort)
    return found


def _in_smaller(factory: Factory, found: Found, tier: str, effort: Effort) -> Found:
    size = found.config.page_size
    while (pool := getattr(found.config, tier) // (2 * size) * size) and not effort.spent:
        try:
            smaller = _again(factory, replace(found.config, **{tier: pool}), found.trace, found.violation.property, effort)
        except Exception:  # a subject may refuse a pool when it is made
            return found
        if smaller is None:
            return found
        found = smaller
    return found


def share(factory: Factory, found: list[Found], deadline: Deadline = NEVER) -> list[Found]:
    """Return the same faults with one trace for several properties, where it breaks them all and is not longer than theirs.

    A fault for which no trace was tried before the deadline keeps its own.
    """
    chosen: list[Found] = []
    for one in sorted(found, key=lambda f: _measure(f.trace)):
        id_, effort = one.violation.property, Effort(0, deadline)
        others = (f for f in chosen if len(f.trace) <= len(one.trace) and id_ not in PROBED and not deadline.passed)
        shared = (_again(factory, f.config, f.trace, id_, effort) for f in others)
        chosen.append(next((s for s in shared if s is not None), one))
    return chosen


def _measure(trace: Trace) -> tuple[int, int, int]:
    """Return the size of a trace: operations, then tokens, then the size of the arguments."""
    plain = sum(max(op.key.tokens, default=0) + op.amount + op.priority + 5 * len(op.key.namespace) for op in trace)
    plain += sum(len(op.loans) + (op.holder if op.name == "complete" else 0) for op in trace)
    return len(trace), sum(len(op.key.tokens) for op in trace), plain


def _candidates(trace: Trace, page_size: int) -> Iterator[Trace]:
    """Yield shorter and simpler traces, large cuts first."""
    size = max(1, len(trace) // 2)
    while size:
        for start in range(0, len(trace), size):
            yield trace[:start] + trace[start + size :]
        size //= 2
    for i, op in enumerate(trace):
        if op.name == "start":
            rest = tuple(o for o in trace[i + 1 :] if o.holder != op.holder)
            yield (*trace[:i], Op("insert", op.key), *rest)
        if op.name in ("alloc", "start", "decode"):
            yield (*trace[:i], Op("evict", amount=1), *trace[i + 1 :])
        if op.loans:
            yield (*trace[:i], replace(op, loans=()), *trace[i + 1 :])
            yield (*trace[:i], replace(op, loans=op.loans[:-1]), *trace[i + 1 :])
        if op.name == "complete" and op.holder:
            yield (*trace[:i], replace(op, holder=0), *trace[i + 1 :])
        for simpler in _simpler(op, page_size):
            yield (*trace[:i], simpler, *trace[i + 1 :])
    for key in dict.fromkeys(op.key for op in trace if op.key.tokens):  # in order: the same each time
        for other in _shorter_keys(key, page_size):
            yield tuple(replace(op, key=other) if op.key == key else op for op in trace)
    yield tuple(replace(op, key=Key(op.key.tokens)) for op in trace)


def _simpler(op: Op, page_size: int) -> Iterator[Op]:
    if op.priority:
        yield from (replace(op, priority=priority) for priority in (0, 1, op.priority // 2) if priority < op.priority)
    if op.amount:
        yield from (replace(op, amount=amount) for amount in (0, 1, page_size, op.amount // 2) if amount < op.amount)
    for key in _shorter_keys(op.key, page_size):
        yield replace(op, key=key)


def _shorter_keys(key: Key, page_size: int) -> Iterator[Key]:
    tokens = key.tokens
    whole = len(tokens) // page_size
    for cut in dict.fromkeys((whole // 2 * page_size, whole * page_size, max(0, len(tokens) - page_size))):
        if 0 < cut < len(tokens):
            yield Key(tokens[:cut], key.namespace)
    if len(tokens) > page_size:
        yield Key(tokens[page_size:], key.namespace)
