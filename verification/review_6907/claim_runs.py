"""A claim that is refuted on a state, refuted on a program: the shortest operations that reach the same fault in a real cache.

All sequences of a few operations are tried in the order of their length, so that none shorter does.
"""

from collections.abc import Iterator, Sequence
from itertools import product

from radixcheck.spec.values import Key
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.proofs.models import Run
from radixcheck.verification.subjects.registry import BUILT_IN, resolve

LENGTH = 5  # operations, at most
POOL = 8  # slots

# claim -> the cache that does what it claims, the property that fails there, the policy
CACHES = {
    "Q1-EQUAL": ("as-submitted:pairs", "EVICT_LEAF", "lru"),
    # Bare nodes say their live times: a new leaf reads the clock after the nodes that its insert has walked.
    "Q1-PARENT-FIRST": ("as-submitted:nodes", "EVICT_LEAF", "lru"),
    "Q1-UNCHECKED": ("as-submitted:nodes", "EVICT_LEAF", "lru"),
    "Q1-READ-EARLY": ("as-submitted:pairs", "ORDER", "lru"),
    "Q1-TOUCH": ("as-submitted:pairs", "ORDER", "lru"),
    "LAZY-mru": ("touch_without_push", "HEAP_STALE", "mru"),
    "LATE-VICTIM": ("touch_without_push", "ORDER", "mru"),
    "Q2-NO-GUARD": ("evict_frees_the_deleted", "COUNT", "lru"),
    "Q3-TAIL": ("insert_keeps_tail", "PAGE_ALIGN", "lru"),
    "Q3-EVICTED": ("evict_frees_and_keeps", "COUNT", "lru"),
    "Q4-FREE-ALONE": ("evict_frees_and_keeps", "COUNT", "lru"),
    "Q4-DELETE-ALONE": ("evict_deletes_unfreed", "COUNT", "lru"),
    "Q4-TWICE": ("evict_decrements_twice", "COUNT", "lru"),
    "Q4-NEVER": ("evict_keeps_size", "COUNT", "lru"),
}

# A request that locks a leaf and ends gives it a second entry.
LOCKING = (Op("insert", Key((0,))), Op("start", Key((0,)), holder=1), Op("abort", holder=1), Op("evict", amount=2))


def shortest(claim: str) -> Run | None:
    """The shortest run for a claim; None if no cache is named for it, or no run is as short as is tried."""
    if claim not in CACHES:
        return None
    cache, property_, policy = CACHES[claim]
    factory, page_size = _cache(cache)
    for trace in _traces(LOCKING if claim == "Q2-NO-GUARD" else _operations(page_size)):
        found = _last(Checker(factory, policy, page_size, POOL), trace)
        wanted = next((violation for violation in found if violation.property == property_), None)
        if wanted is not None:
            return Run(cache, tuple(map(str, trace)), wanted)
    return None


def _cache(name: str) -> tuple[Factory, int]:
    """A cache, and the size of its pages."""
    if name in BUILT_IN:
        return resolve(name), 1
    from radixcheck.verification.mutants import MUTANTS  # they need torch, which the historical caches do not

    return MUTANTS[name].factory, MUTANTS[name].page_size


def _operations(page_size: int) -> tuple[Op, ...]:
    """Inserts and matches of three keys, which end in an unfinished page if a page has more than one token; and an eviction."""
    keys = [Key((token,) * ((pages + 1) * page_size - 1)) for token, pages in ((0, 1), (0, 2), (1, 1))]
    return (*(Op("insert", key) for key in keys), *(Op("match", key) for key in keys), Op("evict", amount=1))


def _traces(operations: Sequence[Op]) -> Iterator[Trace]:
    """Every sequence that begins with the first operation, an insert; the shorter ones first."""
    for length in range(1, LENGTH + 1):
        for rest in product(operations, repeat=length - 1):
            yield (operations[0], *rest)


def _last(checker: Checker, trace: Sequence[Op]) -> list[Violation]:
    """What is found at the last operation, if nothing was before."""
    for op in trace[:-1]:
        if any(not violation.follows_from for violation in checker.step(op)) and checker.stopped:
            return []
    return checker.step(trace[-1])
