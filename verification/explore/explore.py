"""Explores all states of a scope breadth first, on one core or on several.

All states that n operations reach are known before any that needs n + 1. So the trace to the first violation of each property is a
shortest one (up to names: `canonical`), and the counts are the same on every run and for any number of workers: results are taken in the
order in which the states were sent. An attribute (a time, a count of hits) that deviates does not end the exploration, nor a run of the
checker: what follows from it is not reported. Any other violation ends it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing.reduction import ForkingPickler
from pickle import PicklingError
from time import monotonic

from radixcheck.verification.core.config import Config
from radixcheck.verification.core.found import Found, Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.core.workers import workers
from radixcheck.verification.explore.expand import Expander, Expansion, Reached, expand_elsewhere
from radixcheck.verification.explore.explore_results import Explored
from radixcheck.verification.explore.scopes import Scope
from radixcheck.verification.search.run import replay

PORTION = 64  # states sent at a time
AHEAD = 3  # portions waiting for each worker

Progress = Callable[[Explored], None]


Expand = Callable[[list[Reached]], Iterator[Expansion]]


def explore(
    factory: Factory,
    scope: Scope,
    policy: str = "lru",
    page_size: int = 1,
    limit: int | None = None,
    seconds: float | None = None,
    cores: int = 1,
    progress: Progress = lambda explored: None,
) -> Explored:
    """Visit every state of `scope`, until there are `limit` of them or `seconds` have passed.

    With more than one core, and if the factory can be pickled, worker processes expand the states; else this process does.
    """
    start = monotonic()
    local = Expander(factory, scope, policy, page_size)
    explored = Explored(scope, policy, page_size, states=1, shown=local.shown)
    known, level = {local.start.digest}, [local.start]
    with _expanding(local, factory, explored, cores) as expand:
        while level:
            following: list[Reached] = []
            for part in expand(level):
                new = [state for state in part.reached if state.digest not in known]
                known.update(state.digest for state in new)
                following += new
                explored = replace(
                    explored,
                    states=len(known),
                    transitions=explored.transitions + part.transitions,
                    opaque=part.opaque or explored.opaque,
                    exercised=explored.exercised | part.exercised,
                    seconds=monotonic() - start,
                )
                if part.broken:
                    explored = replace(explored, found=(*explored.found, *_found(factory, explored, part)))
                progress(explored)
                if part.stopped:
                    return explored
                if (limit and len(known) >= limit) or (seconds and monotonic() - start >= seconds):
                    return explored
            explored = replace(explored, depth=explored.depth + bool(following), seconds=monotonic() - start)
            level = following
    return replace(explored, closed=True)


@contextmanager
def _expanding(local: Expander, factory: Factory, explored: Explored, cores: int) -> Iterator[Expand]:
    """Provide a function that expands the states of a level portion by portion; results have the order of the portions."""
    if cores == 1 or not _can_be_pickled(factory):
        yield lambda level: map(local.expand, _portions(level))
        return
    pool = workers(cores)
    task = partial(expand_elsewhere, factory, explored.scope, explored.policy, explored.page_size)
    try:
        yield lambda level: _elsewhere(pool, task, _portions(level), cores * AHEAD)
    finally:
        pool.shutdown(cancel_futures=True)


def _can_be_pickled(factory: Factory) -> bool:
    """Return whether a factory can be sent to another process."""
    try:
        ForkingPickler.dumps(factory)
    except (PicklingError, AttributeError, TypeError):
        return False
    return True


def _portions(level: list[Reached]) -> Iterator[list[Reached]]:
    return (level[i : i + PORTION] for i in range(0, len(level), PORTION))


def _elsewhere(
    pool: ProcessPoolExecutor, task: Callable[[list[Reached]], Expansion], portions: Iterable[list[Reached]], ahead: int
) -> Iterator[Expansion]:
    waiting: deque[Future[Expansion]] = deque()
    for portion in portions:
        waiting.append(pool.submit(task, portion))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _found(factory: Factory, explored: Explored, part: Expansion) -> list[Found]:
    """Return what is broken for the first time. Each trace is run again on a fresh cache with all formulas, to find all that it breaks."""
    alphabet = explored.scope.alphabet(explored.page_size, explored.policy)
    config = Config(explored.policy, explored.page_size, explored.scope.pool * explored.page_size)
    traces = {broken.trace: tuple(alphabet[place] for place in broken.trace) for broken in part.broken}
    found = []
    for broken in part.broken:
        trace = traces[broken.trace]
        afresh = replay(factory, config, trace).found
        found += [each for each in afresh.values() if len(each.trace) == len(trace)]
        if broken.violation.property not in afresh and not found:
            found.append(Found(_unrepeated(broken.violation), trace, config))
    by_property = {each.violation.property: each for each in reversed([*explored.found, *found])}
    return [each for id_, each in by_property.items() if id_ not in {f.violation.property for f in explored.found}][::-1]


def _unrepeated(violation: Violation) -> Violation:
    """Return a violation of DETERMINISM: a fresh cache does not break the property after the same operations."""
    if violation.property == "DETERMINISM":
        return violation
    return Violation("DETERMINISM", f"{violation.property} was broken ({violation.text}), but not when a fresh cache did the same")
