"""Shrinking: from the trace that first showed a fault to one that says nothing else (delta debugging, operations first, then keys)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from time import monotonic
from typing import Protocol, TypeVar

from radixcheck.spec.values import Key
from radixcheck.verification.core.catalogue import PROBED
from radixcheck.verification.core.config import Config
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.search.run import replay

REPLICAS = 6  # of a trace whose answers differ from run to run: some pairs agree by chance


class HasTrace(Protocol):
    """Something that a trace shows."""

    @property
    def trace(self) -> Trace:
        """The operations; the last one shows it."""


Shown = TypeVar("Shown", bound=HasTrace)


def minimise(best: Shown, again: Callable[[Trace], Shown | None], page_size: int, seconds: float) -> Shown:
    """The best that `again` finds for shorter and plainer traces, when nothing is shorter or the time is over."""
    deadline = monotonic() + seconds
    progress = True
    while progress and monotonic() < deadline:
        progress = False
        for candidate in _candidates(best.trace, page_size):
            if monotonic() > deadline:
                break
            found = again(candidate)
            if found is not None and _measure(found.trace) < _measure(best.trace):
                best, progress = found, True
                break
    return best


def shrink(factory: Factory, found: Found, seconds: float) -> Found:
    """A shorter trace with the same broken property."""
    id_ = found.violation.property
    if id_ in PROBED:
        return found
    found = _in_pages_of_one(factory, found) or found
    found = _in_less_room(factory, found)
    return minimise(found, lambda trace: _again(factory, found.config, trace, id_), found.config.page_size, seconds)


def _again(factory: Factory, config: Config, trace: Iterable[Op], id_: str) -> Found | None:
    """What the trace shows of the property."""
    return replay(factory, config, trace, REPLICAS if id_ == "DETERMINISM" else 1).broken(id_)


def _in_pages_of_one(factory: Factory, found: Found) -> Found | None:
    """The same trace with each page as one token, if it shows the same: easier to read."""
    if found.config.page_size == 1:
        return None
    try:
        return _again(factory, *in_pages_of_one(found.config, found.trace), found.violation.property)
    except Exception:  # a subject may refuse a page size when it is made
        return None


def in_pages_of_one(config: Config, trace: Trace) -> tuple[Config, Trace]:
    """The same operations with each page of a key as one token, equal tokens for equal pages."""
    size = config.page_size
    pages: dict[tuple[int, ...], int] = {}

    def plain(op: Op) -> Op:
        tokens = op.key.tokens
        whole = (tokens[i : i + size] for i in range(0, len(tokens) // size * size, size))
        key = Key(tuple(pages.setdefault(page, len(pages)) for page in whole), op.key.namespace)
        return replace(op, key=key, amount=-(-op.amount // size) if op.name == "evict" else op.amount)

    return replace(config, page_size=1, pool=config.pool // size), tuple(map(plain, trace))


def _in_less_room(factory: Factory, found: Found) -> Found:
    """The same trace in the smallest pool, of half the size again and again, that shows the same: fewer operations fill it."""
    size = found.config.page_size
    while pool := found.config.pool // (2 * size) * size:
        try:
            smaller = _again(factory, replace(found.config, pool=pool), found.trace, found.violation.property)
        except Exception:  # a subject may refuse a pool when it is made
            return found
        if smaller is None:
            return found
        found = smaller
    return found


def share(factory: Factory, found: list[Found]) -> list[Found]:
    """One trace for several properties where it shows them all and is no longer than theirs."""
    chosen: list[Found] = []
    for one in sorted(found, key=lambda f: _measure(f.trace)):
        id_ = one.violation.property
        others = (f for f in chosen if len(f.trace) <= len(one.trace) and id_ not in PROBED)
        shared = (_again(factory, f.config, f.trace, id_) for f in others)
        chosen.append(next((s for s in shared if s is not None), one))
    return chosen


def _measure(trace: Trace) -> tuple[int, int, int]:
    """Fewer operations first, then fewer tokens, then plainer arguments."""
    plain = sum(max(op.key.tokens, default=0) + op.amount + op.priority + 5 * len(op.key.namespace) for op in trace)
    return len(trace), sum(len(op.key.tokens) for op in trace), plain


def _candidates(trace: Trace, page_size: int) -> Iterator[Trace]:
    """Shorter traces, large cuts first."""
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
    for cut in (len(tokens) // page_size * page_size, max(0, len(tokens) - page_size)):
        if 0 < cut < len(tokens):
            yield Key(tokens[:cut], key.namespace)
    if len(tokens) > page_size:
        yield Key(tokens[page_size:], key.namespace)
