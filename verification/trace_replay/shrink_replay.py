"""Shrinks the thousands of operations of a replay to the few that matter (delta debugging).

It removes, in this order: all tokens of a page but one, free room in the pool, all operations of a holder, single operations, pages of
keys; then it simplifies the rest. An operation whose holder is gone is dropped. Every attempt is judged as in a replay, with one
comparison of the whole state at its end, and succeeds only if it breaks the same property. Evictions need a full pool: an attempt that
fails is repeated in a pool that has as little free room at the end.

A fault that only the comparison with a second cache shows cannot be shrunk: attempts run one cache.

Operations on long pages are translated to pages of one token, which are fewer and easier to read. Most operations of a replay are
decodes, and only one decode in each page does more than write a token: the one that takes a new page, or the one that completes it. Which
of them matters is unknown, so there are two translations. Neither is exact: the caller checks whether the fault still occurs.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import process_time

from radixcheck.spec.values import Key
from radixcheck.verification.core.found import Config, Found
from radixcheck.verification.core.progress import Tell
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.search.shrink import Effort, in_pages_of_one, minimise
from radixcheck.verification.trace_replay.judge import Judged, judge
from radixcheck.verification.trace_replay.replay_results import Shrunk


def in_short_pages(config: Config, trace: Trace) -> Iterator[tuple[Config, Trace]]:
    """Yield both translations if pages have more than one token."""
    size = config.page_size
    if size > 1:
        yield in_pages_of_one(config, tuple(_filled(trace, size)))
        yield in_pages_of_one(config, tuple(_decoded(trace, size, size - 1)))


def _filled(trace: Trace, size: int) -> Iterator[Op]:
    """Yield the operations with the last page of each key filled, and only those decodes that take a page."""
    for op in _decoded(trace, size, 0):
        tokens = op.key.tokens
        yield replace(op, key=Key(tokens + tokens[-1:] * (-len(tokens) % size), op.key.namespace))


def _decoded(trace: Trace, size: int, at: int) -> Iterator[Op]:
    """Yield the operations without the decodes that write another offset of their page than `at`."""
    length: dict[int, int] = {}  # of each request's row, in tokens
    for op in trace:
        if op.name == "start":
            length[op.holder] = len(op.key.tokens)
        if op.name == "decode":
            place = length.get(op.holder, 0)
            length[op.holder] = place + 1
            if place % size != at:
                continue
        yield op


Page = tuple[int, ...]
Parts = Callable[[Trace], Iterable[Hashable]]  # the parts of operations, in order
Without = Callable[[Trace, set[Hashable]], Trace]  # the operations without these parts


@dataclass(frozen=True, slots=True)
class _Failing:
    """An attempt that broke the property."""

    found: Found
    room: int  # free tokens before the last operation

    @property
    def trace(self) -> Trace:
        return self.found.trace

    @property
    def config(self) -> Config:
        return self.found.config


class _Search:
    """Runs attempts until the effort is spent."""

    def __init__(self, factory: Factory, property_: str, effort: Effort, tell: Tell) -> None:
        self._factory, self._property, self._tell = factory, property_, tell
        self.effort = effort
        self.attempts = 0

    @property
    def spent(self) -> bool:
        """Return whether no further attempt may begin."""
        return self.effort.spent

    def first(self, config: Config, trace: Trace) -> _Failing | None:
        """Run the recorded operations, however many they are; return None if they do not break the property again."""
        return self._shown(config, self._judge(config, trace, trace))

    def attempt(self, config: Config, room: int, trace: Trace) -> _Failing | None:
        """Run these operations, in this pool or else in one with at most `room` free tokens at the end; return None if they do not fail."""
        if self.spent:
            return None
        judged = self._counted(config, trace)
        shown = self._shown(config, judged)
        spare = (judged.room - room) // config.page_size * config.page_size
        if shown or not 0 < spare < config.pool:
            return shown
        smaller = replace(config, pool=config.pool - spare)
        return self._shown(smaller, self._counted(smaller, trace))

    def _counted(self, config: Config, trace: Trace) -> Judged:
        return self._judge(config, trace, self.effort.performed(trace))

    def _judge(self, config: Config, trace: Trace, performed: Iterable[Op]) -> Judged:
        self.attempts += 1
        self._tell(self.effort.share, f"{len(trace):,} operations, attempt {self.attempts:,}")
        try:
            return judge(self._factory, config, performed)
        except Exception:  # a subject may refuse a page size or a pool when it is made
            return Judged((), (), 0)

    def _shown(self, config: Config, judged: Judged) -> _Failing | None:
        violation = next(iter(judged.violations), None)
        if violation is None or violation.property != self._property:
            return None
        return _Failing(Found(violation, judged.trace, config), judged.room)


def shrink(factory: Factory, property_: str, config: Config, trace: Sequence[Op], effort: Effort, tell: Tell) -> Shrunk | None:
    """Return the fewest and simplest operations found with this effort; None if the recorded ones do not fail again.

    The result is the same each time, unless the deadline of the effort passes.
    """
    begun, search = process_time(), _Search(factory, property_, effort, tell)
    best = search.first(config, tuple(trace))
    if best is None:
        return None
    best = _in_less_room(search, _by_page(search, best))
    best = _leave_out(search, best, lambda trace: (op.holder for op in trace), _without_holders)
    best = _leave_out(search, best, lambda trace: range(len(trace)), _without_places)
    best = _by_page(search, best)  # if this hid the fault at first
    best = _leave_out(search, best, lambda trace: range(len(trace)), _without_places)
    size = best.config.page_size
    best = _leave_out(search, best, partial(_pages, size=size), partial(_without_pages, size=size))
    best = _simplified(search, best)
    return Shrunk(best.found, len(trace), search.attempts, process_time() - begun, not search.spent)


def _in_less_room(search: _Search, best: _Failing) -> _Failing:
    """Halve the pools while that does not delay the fault; in a small pool evictions come early."""
    for tier in ("pool", "host_pool"):
        while not search.spent:
            size = best.config.page_size
            pool = getattr(best.config, tier) // (2 * size) * size
            smaller = replace(best.config, **{tier: pool})
            shown = search.attempt(smaller, smaller.pool, best.trace) if pool else None
            if shown is None or len(shown.trace) > len(best.trace):
                break
            best = shown
    return best


def _leave_out(search: _Search, best: _Failing, parts: Parts, without: Without) -> _Failing:
    """Leave out halves of the parts, then quarters, and so on down to single parts."""
    size = len(set(parts(best.trace))) // 2
    while size:
        start = 0
        while start < len(left := list(dict.fromkeys(parts(best.trace)))):
            if search.spent:
                return best
            shown = search.attempt(best.config, best.room, without(best.trace, set(left[start : start + size])))
            if shown:
                best = shown
            else:
                start += size
        size //= 2
    return best


def _without_holders(trace: Trace, gone: set[Hashable]) -> Trace:
    return tuple(op for op in trace if op.holder not in gone)


def _without_places(trace: Trace, gone: set[Hashable]) -> Trace:
    return tuple(op for i, op in enumerate(trace) if i not in gone)


def _pages(trace: Trace, size: int) -> Iterator[Page]:
    for op in trace:
        yield from _cut(op.key, size)


def _cut(key: Key, size: int) -> list[Page]:
    return [key.tokens[i : i + size] for i in range(0, len(key.tokens), size)]


def _without_pages(trace: Trace, gone: set[Hashable], size: int) -> Trace:
    """Remove these pages from all keys; drop an operation whose key becomes empty."""
    cut = (_renamed(op, {page: () for page in _cut(op.key, size) if page in gone}, size) for op in trace)
    return tuple(new for op, new in zip(trace, cut, strict=True) if new.key.tokens or not op.key.tokens)


def _renamed(op: Op, names: dict[Page, Page], size: int) -> Op:
    tokens = (token for page in _cut(op.key, size) for token in names.get(page, page))
    return replace(op, key=Key(tuple(tokens), op.key.namespace))


def _by_page(search: _Search, best: _Failing) -> _Failing:
    """Translate to pages of one token: fewer operations, and easier to read."""
    for config, trace in in_short_pages(best.config, best.trace):
        shown = search.attempt(config, best.room // best.config.page_size, trace)
        if shown and len(shown.trace) <= len(best.trace):
            return shown
    return best


def _simplified(search: _Search, best: _Failing) -> _Failing:
    """Simplify operations, shorten keys, use fewer distinct tokens and less room, until nothing helps any more."""
    before = None
    while before != best and not search.spent:
        before, config, room = best, best.config, best.room
        best = minimise(best, partial(search.attempt, config, room), config.page_size, search.effort)
        for trace in _with_fewer_tokens(best.trace, config.page_size):
            shown = search.attempt(best.config, best.room, trace) if not search.spent else None
            if shown and len(shown.trace) <= len(best.trace):
                best = shown
                break
        best = _in_less_room(search, best)
    return best


def _with_fewer_tokens(trace: Trace, size: int) -> Iterator[Trace]:
    """Yield traces with one distinct page less, then one in which each page is a small number, repeated."""
    pages = list(dict.fromkeys(_pages(trace, size)))
    for i, page in enumerate(pages):
        for other in pages[:i]:
            yield tuple(_renamed(op, {page: other}, size) for op in trace)
    plain = {page: (i,) * len(page) for i, page in enumerate(pages)}
    if any(page != token for page, token in plain.items()):
        yield tuple(_renamed(op, plain, size) for op in trace)
