"""Runs of caches that repeat refuted claims: the shortest sequence of operations that shows the same fault in a program.

All sequences of a few operations are tried in the order of their length, so that no shorter one shows the fault.
"""

from collections.abc import Iterator, Sequence
from itertools import product

from radixcheck.spec.values import Key
from radixcheck.verification.checker.checker import Checker
from radixcheck.verification.core.found import Violation
from radixcheck.verification.core.subject import Factory
from radixcheck.verification.operations import Op, Trace
from radixcheck.verification.proofs.proof_results import Run
from radixcheck.verification.subjects.registry import BUILT_IN, resolve

LENGTH = 5  # operations, at most
POOL = 8  # slots

# Claim: the cache that does what it says, the property that then fails, the policy.
CACHES = {
    "Q1-EQUAL": ("as-submitted:pairs", "EVICT_LEAF", "lru"),
    # Bare nodes compare by their live times: a new leaf reads the clock after the nodes that its insert has walked.
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

# After a request that locks a leaf has ended, the leaf has a second entry.
LOCKING = (Op("insert", Key((0,))), Op("start", Key((0,)), holder=1), Op("abort", holder=1), Op("evict", amount=2))


def shortest(claim: str) -> Run | None:
    """Return the shortest run for a claim; None if it has no cache in CACHES, or no run of up to LENGTH operations shows the fault."""
    if claim not in CACHES:
        return None
    cache, property_, policy = CACHES[claim]
    factory, page_size = _cache(cache)
    for trace in _traces(LOCKING if claim == "Q2-NO-GUARD" else _operations(page_size)):
        found = _last(Checker(factory, policy, page_size, POOL), trace)
        wanted = next((violation for violation in found if violation.property == property_), None)
        if wanted is not None:
            return Run(cache, tuple(map(str, trace)), wanted.property, wanted.text)
    return None


def _cache(name: str) -> tuple[Factory, int]:
    """Return the factory of a cache, and the page size to run it with."""
    if name in BUILT_IN:
        return resolve(name), 1
    from radixcheck.verification.mutants.all_mutants import MUTANTS  # mutants need torch, historical caches do not

    return MUTANTS[name].factory, MUTANTS[name].page_size


def _operations(page_size: int) -> tuple[Op, ...]:
    """Return inserts and matches of three keys, and an eviction. If a page has more than one token, the keys end in an unfinished page."""
    keys = [Key((token,) * ((pages + 1) * page_size - 1)) for token, pages in ((0, 1), (0, 2), (1, 1))]
    return (*(Op("insert", key) for key in keys), *(Op("match", key) for key in keys), Op("evict", amount=1))


def _traces(operations: Sequence[Op]) -> Iterator[Trace]:
    """Yield every sequence that begins with the first operation, an insert, in the order of length."""
    for length in range(1, LENGTH + 1):
        for rest in product(operations, repeat=length - 1):
            yield (operations[0], *rest)


def _last(checker: Checker, trace: Sequence[Op]) -> list[Violation]:
    """Return the violations at the last operation; none if the run stopped before."""
    for op in trace[:-1]:
        if any(not violation.follows_from for violation in checker.step(op)) and checker.stopped:
            return []
    return checker.step(trace[-1])
