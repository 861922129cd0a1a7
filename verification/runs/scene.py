"""The tree before and after the operation that shows a fault, and what becomes of unreachable slots."""

from radixcheck.spec.signature import LOST
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.checker.engine import LARGE_POOL, SubjectFailed
from radixcheck.verification.core.found import Found
from radixcheck.verification.core.short_text import numbers
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.core.tree_text import tree
from radixcheck.verification.operations import Op
from radixcheck.verification.runs.run_results import Scene
from radixcheck.verification.search.run import trace_checker

ROUNDS = 3  # evictions of the whole tree, to see whether slots come back


def scene(factory: Factory, found: Found) -> Scene | None:
    """Return the scene of a fault; None if the subject is black box, its pool is large, or it fails on the way."""
    count = len(found.trace)
    checker = trace_checker(factory, found.config, count, stride=max(1, count))  # evaluate the formulas after the last operation
    if not checker.transparent or not found.trace or found.config.pool // found.config.page_size > LARGE_POOL:
        return None
    for op in found.trace[:-1]:
        checker.step(op)
    try:
        before = tree(checker.engine.observe())
        checker.step(found.trace[-1])
        return Scene(before, tree(checker.engine.observe()), _fate(checker))
    except SubjectFailed:
        return None
    except Exception:
        if not checker.engine.shows_objects:  # otherwise comparing the names of nodes runs code of the subject
            raise
        return None


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
