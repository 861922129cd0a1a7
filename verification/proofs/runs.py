"""A claim that is refuted on a state, refuted on a program: the shortest operations that reach the same fault in a real cache.

All sequences of a few operations are tried in the order of their length, so that none shorter does.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from radixcheck.spec.values import Key
from radixcheck.verification.mutants import MUTANTS
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.refinement.checker import Checker, Violation
from radixcheck.verification.subjects.registry import resolve

KEYS = (Key((0,)), Key((0, 0)), Key((1,)))
OPERATIONS = (*(Op("insert", key) for key in KEYS), *(Op("match", key) for key in KEYS), Op("evict", amount=1))
LENGTH = 5  # operations, at most
POOL = 8  # slots

# claim -> the cache that does what it claims, the property that fails there, the policy
CACHES = {
    "Q1-EQUAL": ("as-submitted:pairs", "EVICT_LEAF", "lru"),
    "Q1-UNCHECKED": ("as-submitted:nodes", "EVICT_LEAF", "lru"),
    "Q1-READ-EARLY": ("as-submitted:pairs", "ORDER", "lru"),
    "Q1-TOUCH": ("as-submitted:pairs", "ORDER", "lru"),
    "LAZY-mru": ("touch_without_push", "HEAP_STALE", "mru"),
    "Q4-TWICE": ("evict_decrements_twice", "COUNT", "lru"),
    "Q4-NEVER": ("evict_keeps_size", "COUNT", "lru"),
}


@dataclass(frozen=True, slots=True)
class Run:
    """Operations on a cache, and what is broken after the last one."""

    cache: str
    operations: tuple[str, ...]
    violation: Violation


def shortest(claim: str) -> Run | None:
    """The shortest run for a claim; None if no cache is named for it, or no run is as short as is tried."""
    if claim not in CACHES:
        return None
    cache, property_, policy = CACHES[claim]
    factory = MUTANTS[cache].factory if cache in MUTANTS else resolve(cache)
    for trace in _traces():
        found = _last(Checker(factory, policy, 1, POOL), trace)
        wanted = next((violation for violation in found if violation.property == property_), None)
        if wanted is not None:
            return Run(cache, tuple(map(str, trace)), wanted)
    return None


def _traces() -> Iterator[Trace]:
    """Every sequence that begins with an insert, the shorter ones first."""
    for length in range(1, LENGTH + 1):
        for rest in product(OPERATIONS, repeat=length - 1):
            yield (OPERATIONS[0], *rest)


def _last(checker: Checker, trace: Sequence[Op]) -> list[Violation]:
    """What is found at the last operation, if nothing was before."""
    for op in trace[:-1]:
        if any(not violation.follows_from for violation in checker.step(op)) and checker.stopped:
            return []
    return checker.step(trace[-1])
