"""The tree before and after the operation that shows a fault, what the cache answered, and what becomes of unreachable slots.

Of a cache that does not show its inside the trees are those of the specification. Of any other one the specification's tree is added where
it is another one after the operation. Times are ticks: the numbers of the accesses, as in the sentences.
"""

from radixcheck.spec.run.state import State
from radixcheck.spec.signature import LOST
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.engine import LARGE_POOL, SubjectFailed
from radixcheck.verification.checker.spec_tree import cache_tree, spec_tree
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.short_text import numbers
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.core.tree_text import tree
from radixcheck.verification.operations import Op
from radixcheck.verification.runs.run_results import Scene
from radixcheck.verification.search.run import trace_checker
from radixcheck.verification.trace_replay.stepped import stepped

ROUNDS = 3  # evictions of the whole tree, to see whether slots come back
UNREADABLE = "it cannot be observed any more"


def scene(factory: Factory, found: Found) -> Scene | None:
    """Return the scene of a fault; None if its pool is large, or it fails before the last operation."""
    count = len(found.trace)
    if not found.trace or found.config.pool // found.config.page_size > LARGE_POOL:
        return None
    checker = trace_checker(factory, found.config, count, stride=max(1, count))  # evaluate the formulas after the last operation
    try:
        steps = stepped(checker, found.trace)
        answers = [next(steps).answer for _ in found.trace[:-1]]
        checker.ticks = None  # the last operation is judged by the clock as it is now
        before = _shown(checker)
        answers += [step.answer for step in steps]
        return _after(checker, before, tuple(answers))
    except (SubjectFailed, StopIteration):
        return None
    except Exception:
        if not checker.engine.shows_objects:  # otherwise comparing the names of nodes runs code of the subject
            raise
        return None


def _after(checker: Checker, before: str, answers: tuple[str, ...]) -> Scene:
    """Return the scene, after the last operation."""
    if not checker.transparent:
        return Scene(before, _specified(checker, checker.oracle.model.state), "", specified=True, answers=answers)
    try:
        after = _shown(checker)
    except SubjectFailed:
        return Scene(before, UNREADABLE, "", _specified(checker, checker.oracle.model.state), answers=answers)
    expected = _specified(checker, checker.spec_after or checker.oracle.model.state)
    return Scene(before, after, _fate(checker), expected if expected != after else "", answers=answers)


def _shown(checker: Checker) -> str:
    """Return the tree of the cache and its sizes; those of the specification if the cache does not show its inside."""
    if not checker.transparent:
        return _specified(checker, checker.oracle.model.state)
    host = checker.host.engine.host_available() if checker.host else None
    return _with_sizes(tree(cache_tree(checker, checker.engine.observe())), checker.engine.sizes(), host)


def _specified(checker: Checker, state: State) -> str:
    """Return a tree of the specification and its sizes."""
    hidden = sorted(checker.hidden) if checker.transparent else ()
    sizes = (state.available, state.evictable, state.protected)
    return _with_sizes(tree(spec_tree(state, hidden)), sizes, getattr(state, "host_available", None))


def _with_sizes(shown: str, sizes: tuple[int, int, int], host_available: int | None) -> str:
    available, evictable, protected = sizes
    host = "" if host_available is None else f"  host free {host_available}"
    return f"{shown}\nfree {available}  evictable {evictable}  protected {protected}{host}"


def _fate(checker: Checker) -> str:
    """Return what becomes of the unreachable slots when the whole tree is evicted a few times; empty if there are none."""
    lost = {page for page, owner in enumerate(checker.seen.owner) if owner == LOST}
    if not lost:
        return ""
    size, returned, twice = checker.engine.page_size, 0, False
    slots = numbers(slot for page in sorted(lost) for slot in range(page * size, (page + 1) * size))
    for round_ in range(1, ROUNDS + 1):
        checker.engine.perform(Op("evict", amount=checker.engine.pool.capacity))
        twice = twice or bool(checker.engine.pool.findings)
        back = lost & set(checker.engine.pool.freed)
        returned = returned or (round_ if back else 0)
        lost -= back
    if twice:
        return f"slots {slots}, which are unreachable, are freed twice by later evictions"
    if lost:
        return f"slots {slots}, which are unreachable, leak: {ROUNDS} evictions of everything do not bring them back"
    return f"slots {slots}, which are unreachable, return later: the next eviction of everything frees them, once"
