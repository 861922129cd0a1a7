"""The eviction loop: it always has a step to take, and it ends (C1, C3, C4).

The loop looks at the least entry. It pops a dead entry, repairs an outdated one, and evicts the node of a true one. Each step lowers a
measure of three numbers, none of which is ever negative; so the loop ends.
"""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.heap_machine import TIDY, e, entries_and_leaves, f, live
from radixcheck.spec.logic import BOOL, Term, conj, exists, expand, old, substitute, total
from radixcheck.spec.policies import less, stored
from radixcheck.spec.signature import ENTRY, POS, candidate, evictable, on, queued, size
from radixcheck.spec.updates import Transition, after
from radixcheck.verification.proofs.claim import ANY_GIVEN, Claim, given, least, step_of, unlocked
from radixcheck.verification.proofs.conditions import ANY, Condition, follows, preserved
from radixcheck.verification.proofs.laws import balance, leaf_below, no_more, nonnegative

LOOP = tuple(step_of(ANY, name) for name in ("pop_dead", "repair", "evict"))
ENTRIES = total(ENTRY, lambda d: queued(d), lambda d: 1)
OUTDATED = total(ENTRY, lambda d: live(d) & less(stored(d), ANY.key(on(d))), lambda d: 1)

# The measure: three numbers, compared from the left.
MEASURE = (evictable, OUTDATED, ENTRIES)
LOWERED = {
    "EVICT-ENDS": ("evict", "each eviction lowers the evictable size"),
    "REPAIR-ENDS": ("repair", "each repair keeps the evictable size and lowers the number of outdated entries"),
    "POP-ENDS": (
        "pop_dead",
        "each pop of a dead entry keeps the evictable size and the number of outdated entries, and lowers the number of entries",
    ),
}


def claims() -> Iterator[Claim]:
    """Yield the claims about progress, termination and the size of the heap."""
    yield from _progress()
    yield from _ends()
    yield Claim("HEAP-BOUNDED", "After a sweep the heap has no more entries than there are evictable leaves.", "C3", _bounded())


def _progress() -> Iterator[Claim]:
    tokens = expand(total(POS, unlocked, size))
    there = (leaf_below(), balance([tokens], []))
    found = follows("PROGRESS", (evictable > 0) >> exists(POS, lambda k: candidate(k)), given())
    yield Claim(
        "PROGRESS",
        "If the evictable size is greater than zero, there is an evictable leaf.",
        "C4",
        replace(found, laws=(*found.laws, *there)),
    )
    found = follows("HEAP-COMPLETE", (evictable > 0) >> exists(ENTRY, lambda e: live(e)), ANY_GIVEN)
    yield Claim(
        "HEAP-COMPLETE",
        "Under any policy, if the evictable size is greater than zero, the heap holds a live entry.",
        "C1 C4 L1",
        replace(found, laws=(*found.laws, *there)),
    )
    pop_dead, repair, evict = (_allowed(step) for step in LOOP)
    never_stuck = Term("forall", ((e, f), (queued(e) & least(e) & ~queued(f)) >> (pop_dead | repair | evict)), BOOL)
    yield Claim(
        "HEAP-PROGRESS",
        "Under any policy, given an unused entry, a least entry can be popped as dead, repaired, or its node evicted.",
        "C1 C2 L2",
        follows("HEAP-PROGRESS", never_stuck, ANY_GIVEN),
    )


def _allowed(step: Transition) -> Term:
    """Return the step's guard for the entry e, its node, and an unused entry f."""
    return substitute(step.guard, {"n": on(e)})


def _ends() -> Iterator[Claim]:
    floor = follows("MEASURE", conj(*(part >= 0 for part in MEASURE)), ANY_GIVEN)
    yield Claim(
        "MEASURE",
        "Neither the evictable size nor the number of outdated entries nor the number of entries is negative.",
        "C4",
        replace(floor, laws=(*floor.laws, nonnegative(expand(total(POS, unlocked, size))))),
    )
    for falls, (id_, (name, words)) in enumerate(LOWERED.items()):
        lowered = conj(*(part == old(part) for part in MEASURE[:falls]), MEASURE[falls] < old(MEASURE[falls]))
        yield Claim(id_, f"Under any policy {words}.", "C4 L2", preserved(id_, lowered, step_of(ANY, name), ANY_GIVEN))


def _bounded() -> Condition:
    entries, leaves = map(expand, entries_and_leaves())
    found = preserved("HEAP-BOUNDED", entries <= leaves, TIDY, given(heap=True))
    return replace(found, laws=(*found.laws, after(no_more(entries, leaves, on), TIDY)))
