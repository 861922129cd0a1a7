"""Internal nodes in the heap, as the change was submitted: every unlocked node has an entry (Q1, C6)."""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.heap import served
from radixcheck.spec.policies import less, stored
from radixcheck.spec.signature import entry, every, leaf, up
from radixcheck.spec.transitions import EVICT, TOUCH, n
from radixcheck.verification.proofs.claims.claim import Claim, given, least, step_of, true, unlocked
from radixcheck.verification.proofs.conditions import LRU, follows, preserved, state_formulas
from radixcheck.verification.proofs.decide import REFUTED

ALL_SERVED = every(lambda n: unlocked(n) >> served(n))
ALL_TRUE = every(lambda n: unlocked(n) >> true(LRU, entry(n), n))
NOT_LATE = every(lambda n: unlocked(n) >> ~less(LRU.key(n), stored(entry(n))))
CHILD_FIRST = every(lambda n: (unlocked(n) & unlocked(up(n))) >> LRU.before(n, up(n)))
LEAST_IS_LEAF = every(lambda n: (unlocked(n) & served(n) & least(entry(n))) >> leaf(n))


def claims() -> Iterator[Claim]:
    """What evicts an internal node, and what does not."""
    orphan, evict = state_formulas()["NO_ORPHAN"], step_of(LRU, "evict")
    yield Claim(
        "Q1-CHECKED",
        "With the leaf check no eviction cuts anything off, whatever the heap holds.",
        "Q1 C6",
        preserved("Q1-CHECKED", orphan, evict, given()),
    )
    every_node = {"ALL_SERVED": ALL_SERVED, "ALL_TRUE": ALL_TRUE}
    pushed_before = {"ALL_SERVED": ALL_SERVED, "NOT_LATE": NOT_LATE, "CHILD_FIRST": CHILD_FIRST}
    yield Claim(
        "Q1-STRICT",
        "Without the check: if each child ranks strictly before its parent, and no entry is out of date, the least entry is a leaf's.",
        "Q1 C6",
        follows("Q1-STRICT", LEAST_IS_LEAF, given() | every_node | {"CHILD_FIRST": CHILD_FIRST}),
    )
    yield Claim(
        "Q1-EQUAL",
        "Without the check the least entry is a leaf's even if parent and child have equal times, as one `now` for a path gives them.",
        "Q1 C6 L5",
        follows("Q1-EQUAL", LEAST_IS_LEAF, given() | every_node),
        REFUTED,
    )
    yield Claim(
        "Q1-READ-EARLY",
        "Without the check the least entry is a leaf's even if a parent was pushed before its last access (live keys rank strictly).",
        "Q1 C6 L2",
        follows("Q1-READ-EARLY", LEAST_IS_LEAF, given() | pushed_before),
        REFUTED,
    )
    yield Claim(
        "Q1-TOUCH",
        "A touch that repairs nothing leaves every entry true.",
        "Q1 L2 L4",
        preserved("Q1-TOUCH", ALL_TRUE, TOUCH, given() | every_node),
        REFUTED,
    )
    unchecked = replace(EVICT, guard=unlocked(n))
    yield Claim(
        "Q1-UNCHECKED",
        "An eviction that does not ask whether the node is a leaf cuts nothing off.",
        "Q1 Q6",
        preserved("Q1-UNCHECKED", orphan, unchecked, given()),
        REFUTED,
    )
