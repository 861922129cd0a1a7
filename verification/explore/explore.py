"""Breadth-first exploration of all states of a scope, on one core or on several.

It goes level by level: all states to which a shortest sequence of n operations leads are known before any that needs n + 1. So the trace
to the first violation of each property is as short as any (up to names: `canonical`), and the counts are the same on every run and for
any number of workers: the results of workers are taken in the order in which the work was distributed. An attribute (a time, a number of
hits) that deviates does not end the exploration, as it does not end a run of the checker: violations that only follow from it are not
reported. Any other violation ends it.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from multiprocessing.reduction import ForkingPickler
from pickle import PicklingError
from time import monotonic

from radixcheck.verification.core.deadline import NEVER, Deadline
from radixcheck.verification.core.found import Config, Found, Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.core.workers import workers
from radixcheck.verification.explore.expand import Broken, Expander, Expansion, Reached, expand_in_worker
from radixcheck.verification.explore.explore_results import Explored
from radixcheck.verification.explore.scopes import Scope
from radixcheck.verification.search.run import replay

PORTION = 64  # states expanded by one task
AHEAD = 3  # tasks that wait for each worker

Progress = Callable[[Explored], None]


Expand = Callable[[list[Reached]], Iterator[Expansion]]


def explore(
    factory: Factory,
    scope: Scope,
    policy: str = "lru",
    page_size: int = 1,
    limit: int | None = None,
    deadline: Deadline = NEVER,
    cores: int = 1,
    progress: Progress = lambda explored: None,
) -> Explored:
    """Visit every state of `scope`, until there are `limit` of them or the deadline passes.

    With more than one core the factory is sent to other processes, if it can be pickled. If not, or with one core, everything runs in
    this process.
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
                explored = _added(factory, explored, part, len(known), monotonic() - start)
                progress(explored)
                given_up = "states" if limit and len(known) >= limit else "time" if deadline.passed else ""
                if part.stopped or given_up:
                    return replace(explored, given_up=given_up)
            explored = replace(explored, depth=explored.depth + bool(following), seconds=monotonic() - start)
            level = following
    return replace(explored, closed=True)


def _added(factory: Factory, explored: Explored, part: Expansion, states: int, seconds: float) -> Explored:
    explored = replace(
        explored,
        states=states,
        transitions=explored.transitions + part.transitions,
        opaque=part.opaque or explored.opaque,
        exercised=explored.exercised | part.exercised,
        seconds=seconds,
    )
    return replace(explored, found=(*explored.found, *_found(factory, explored, part))) if part.broken else explored


@contextmanager
def _expanding(local: Expander, factory: Factory, explored: Explored, cores: int) -> Iterator[Expand]:
    """Yield a function that expands the states of one level, portion by portion, with the results in the order of the portions."""
    if cores == 1 or not _can_be_pickled(factory):
        yield lambda level: map(local.expand, _portions(level))
        return
    pool = workers(cores)
    task = partial(expand_in_worker, factory, explored.scope, explored.policy, explored.page_size)
    try:
        yield lambda level: _in_workers(pool, task, _portions(level), cores * AHEAD)
    finally:
        pool.shutdown(cancel_futures=True)


def _can_be_pickled(factory: Factory) -> bool:
    try:
        ForkingPickler.dumps(factory)
    except (PicklingError, AttributeError, TypeError):
        return False
    return True


def _portions(level: list[Reached]) -> Iterator[list[Reached]]:
    return (level[i : i + PORTION] for i in range(0, len(level), PORTION))


def _in_workers(
    pool: Executor, task: Callable[[list[Reached]], Expansion], portions: Iterable[list[Reached]], ahead: int
) -> Iterator[Expansion]:
    waiting: deque[Future[Expansion]] = deque()
    for portion in portions:
        waiting.append(pool.submit(task, portion))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _found(factory: Factory, explored: Explored, part: Expansion) -> list[Found]:
    """Return the violations of properties that were not broken before, each with its trace."""
    found: list[Found] = []
    for broken in part.broken:
        found += _repeated(factory, explored, broken, first=not found)
    before = {each.violation.property for each in explored.found}
    return list({each.violation.property: each for each in reversed(found) if each.violation.property not in before}.values())[::-1]


def _repeated(factory: Factory, explored: Explored, broken: Broken, first: bool) -> list[Found]:
    """Run a trace on a fresh cache with all formulas, and return everything that its last operation breaks there.

    If the violation is not repeated, and it is the `first` one, the cache is not deterministic.
    """
    alphabet = explored.scope.alphabet(explored.page_size, explored.policy)
    scope, size = explored.scope, explored.page_size
    config = Config(explored.policy, size, scope.pool * size, "cpu", *(scope.tier(size) or ()))
    trace = tuple(alphabet[index] for index in broken.trace)
    afresh = replay(factory, config, trace).found
    found = [each for each in afresh.values() if len(each.trace) == len(trace)]
    if broken.violation.property not in afresh and first and not found:
        id_, text, _ = violation = broken.violation
        if id_ != "DETERMINISM":
            text = f"{id_} was broken ({text}), but not when a fresh cache repeated the same operations"
            violation = Violation("DETERMINISM", text)
        found.append(Found(violation, trace, config))
    return found
