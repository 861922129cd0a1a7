"""The loop of an eviction: that it has something to take, and that it ends (C1, C3, C4)."""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.heap import POP_DEAD, TIDY, entries_and_leaves
from radixcheck.spec.logic import expand, old, total
from radixcheck.spec.signature import POS, candidate, every, evictable, on, queued, size, some
from radixcheck.spec.transitions import EVICT, after
from radixcheck.verification.proofs.claims.claim import Claim, given, unlocked
from radixcheck.verification.proofs.conditions import Condition, follows, preserved
from radixcheck.verification.proofs.laws import balance, leaf_below, no_more


def claims() -> Iterator[Claim]:
    """Progress, termination and the size of the heap."""
    found = follows("PROGRESS", (evictable > 0) >> some(lambda k: candidate(k)), given())
    tokens = expand(total(POS, unlocked, size))
    yield Claim(
        "PROGRESS",
        "While the evictable size is not zero, there is a leaf to evict.",
        "C4",
        replace(found, laws=(*found.laws, leaf_below(), balance([tokens], []))),
    )
    yield Claim(
        "EVICT-ENDS",
        "Each eviction makes the evictable size smaller: the loop ends.",
        "C4",
        preserved("EVICT-ENDS", evictable < old(evictable), EVICT, given()),
    )
    d = POP_DEAD.parameters[0]
    fewer = every(lambda e: queued(e) >> old(queued(e))) & old(queued(d)) & ~queued(d)
    yield Claim(
        "POP-ENDS",
        "Each dead entry that is popped leaves fewer: the loop ends.",
        "C4",
        preserved("POP-ENDS", fewer, POP_DEAD, given(heap=True)),
    )
    yield Claim(
        "HEAP-BOUNDED",
        "A sweep leaves at most one entry for each evictable leaf: swept whenever it grows past twice that, the heap stays bounded.",
        "C3",
        _bounded(),
    )


def _bounded() -> Condition:
    entries, leaves = map(expand, entries_and_leaves())
    found = preserved("HEAP-BOUNDED", entries <= leaves, TIDY, given(heap=True))
    return replace(found, laws=(*found.laws, after(no_more(entries, leaves, on), TIDY)))
