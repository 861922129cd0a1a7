"""The loop of an eviction: that it always has something to take, and that it ends (C1, C3, C4).

The loop looks at the least entry. It pops a dead one, repairs an outdated one, and evicts by a true one.
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

# Compared from the left, the measure is lowered by each step of the loop.
MEASURE = (evictable, OUTDATED, ENTRIES)
LOWERED = {
    "EVICT-ENDS": ("evict", "each eviction makes the evictable size smaller"),
    "REPAIR-ENDS": ("repair", "each repair keeps the evictable size, and leaves fewer outdated entries"),
    "POP-ENDS": (
        "pop_dead",
        "each pop of a dead entry keeps the evictable size and the number of outdated entries, and leaves fewer entries",
    ),
}


def claims() -> Iterator[Claim]:
    """Progress, termination and the size of the heap."""
    yield from _progress()
    yield from _ends()
    yield Claim(
        "HEAP-BOUNDED",
        "A sweep leaves at most one entry for each evictable leaf: swept whenever it grows past twice that, the heap stays bounded.",
        "C3",
        _bounded(),
    )


def _progress() -> Iterator[Claim]:
    tokens = expand(total(POS, unlocked, size))
    there = (leaf_below(), balance([tokens], []))
    found = follows("PROGRESS", (evictable > 0) >> exists(POS, lambda k: candidate(k)), given())
    yield Claim(
        "PROGRESS", "While the evictable size is not zero, there is a leaf to evict.", "C4", replace(found, laws=(*found.laws, *there))
    )
    found = follows("HEAP-COMPLETE", (evictable > 0) >> exists(ENTRY, lambda e: live(e)), ANY_GIVEN)
    yield Claim(
        "HEAP-COMPLETE",
        "While the evictable size is not zero, the heap holds a live entry: nothing has to be collected first.",
        "C1 C4 L1",
        replace(found, laws=(*found.laws, *there)),
    )
    pop_dead, repair, evict = (_allowed(step) for step in LOOP)
    never_stuck = Term("forall", ((e, f), (queued(e) & least(e) & ~queued(f)) >> (pop_dead | repair | evict)), BOOL)
    yield Claim(
        "HEAP-PROGRESS",
        "Under any policy the least entry is dead, outdated or true, so that a step of the loop is allowed whatever surfaces.",
        "C1 C2 L2",
        follows("HEAP-PROGRESS", never_stuck, ANY_GIVEN),
    )


def _allowed(step: Transition) -> Term:
    """The step's guard for the entry e, the node that it speaks of, and an unused entry f."""
    return substitute(step.guard, {"n": on(e)})


def _ends() -> Iterator[Claim]:
    floor = follows("MEASURE", conj(*(part >= 0 for part in MEASURE)), ANY_GIVEN)
    yield Claim(
        "MEASURE",
        "No part of the measure (evictable size, outdated entries, entries) is ever negative.",
        "C4",
        replace(floor, laws=(*floor.laws, nonnegative(expand(total(POS, unlocked, size))))),
    )
    for falls, (id_, (name, words)) in enumerate(LOWERED.items()):
        lowered = conj(*(part == old(part) for part in MEASURE[:falls]), MEASURE[falls] < old(MEASURE[falls]))
        yield Claim(id_, f"Under any policy {words}: the loop ends.", "C4 L2", preserved(id_, lowered, step_of(ANY, name), ANY_GIVEN))


def _bounded() -> Condition:
    entries, leaves = map(expand, entries_and_leaves())
    found = preserved("HEAP-BOUNDED", entries <= leaves, TIDY, given(heap=True))
    return replace(found, laws=(*found.laws, after(no_more(entries, leaves, on), TIDY)))
