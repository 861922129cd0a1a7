"""Internal nodes in the heap: every unlocked node has an entry, as in the submitted change (Q1, C6).

Each of three causes suffices for the least entry to be that of an internal node: equal times from one `now` (Q1-EQUAL), a parent whose
clock is read before its child's (Q1-PARENT-FIRST), a touch that updates no entry (Q1-READ-EARLY, Q1-TOUCH).
"""

from collections.abc import Iterator
from dataclasses import replace

from radixcheck.spec.heap_machine import has_entry
from radixcheck.spec.logic import Term, forall
from radixcheck.spec.policies import Policy, less, stored
from radixcheck.spec.signature import ENTRY, POS, entry, first, leaf, length, node, now, on, queued, second, time, up
from radixcheck.spec.transitions import TOUCH, n
from radixcheck.spec.updates import Transition, assign, put
from radixcheck.verification.proofs.claim import Claim, given, least, resting_on, step_of, true, unlocked
from radixcheck.verification.proofs.conditions import ANY, LRU, Condition, follows, preserved
from radixcheck.verification.proofs.proof_results import REFUTED
from radixcheck.verification.proofs.variants import variants

ALL_SERVED = forall(POS, lambda n: unlocked(n) >> has_entry(n))
NOTHING_ELSE = forall(ENTRY, lambda d: queued(d) >> (unlocked(on(d)) & (entry(on(d)) == d)))
NOT_LATE = forall(POS, lambda n: unlocked(n) >> ~less(LRU.key(n), stored(entry(n))))
LEAST_IS_LEAF = forall(POS, lambda n: (unlocked(n) & has_entry(n) & least(entry(n))) >> leaf(n))


def _all_true(policy: Policy) -> Term:
    return forall(POS, lambda n: unlocked(n) >> true(policy, entry(n), n))


def _child_first(policy: Policy) -> Term:
    return forall(POS, lambda n: (unlocked(n) & unlocked(up(n))) >> policy.before(n, up(n)))


EVERY_NODE = {"ALL_SERVED": ALL_SERVED, "ALL_TRUE": _all_true(LRU)}


def claims() -> Iterator[Claim]:
    """Yield the claims about evictions with the leaf check, then those without."""
    checked = preserved("Q1-CHECKED", given()["NO_ORPHAN"], step_of(LRU, "evict"), given())
    yield Claim(
        "Q1-CHECKED",
        "An eviction with the leaf check cuts nothing off from the root, whatever the heap holds.",
        "Q1 C6",
        resting_on(checked, "NO_ORPHAN", "COVER", "PARENT", "CHILD_KEY"),
    )
    yield from _without_the_check()
    yield from _three_ways()
    yield Claim(
        "Q1-TOUCH",
        "Under lru, if each unlocked node has an entry with its live key, each still has one after a touch that updates no entry.",
        "Q1 L2 L4",
        preserved("Q1-TOUCH", _all_true(LRU), TOUCH, given() | EVERY_NODE),
        REFUTED,
    )
    yield Claim(
        "Q1-UNCHECKED", "An eviction without the leaf check cuts nothing off from the root.", "Q1 Q6", variants()["Q1-UNCHECKED"], REFUTED
    )


def _without_the_check() -> Iterator[Claim]:
    """Yield the claims that make the condition exact: each child ranks strictly before its parent."""
    strict = {"ALL_SERVED": ALL_SERVED, "ALL_TRUE": _all_true(ANY), "CHILD_FIRST": _child_first(ANY)}
    yield Claim(
        "Q1-STRICT",
        "Under any policy, if each unlocked node has an entry with its live key and each unlocked child ranks before its unlocked parent, "
        "a least entry is that of a leaf.",
        "Q1 C6",
        follows("Q1-STRICT", LEAST_IS_LEAF, given() | strict),
    )
    yield Claim(
        "Q1-NEEDED",
        "Under any policy, if each unlocked node has an entry with its live key, no other entry is in the heap, a child does not rank "
        "before its parent, and these two are all unlocked nodes, then the parent's entry is a least one, and the parent is not a leaf.",
        "Q1 C6",
        _needed(),
    )


def _needed() -> Condition:
    """Return the condition for any policy and any tree: that times fall towards the leaves is not assumed."""

    def alone(n: Term) -> Term:
        return unlocked(n) & unlocked(up(n)) & forall(POS, lambda k: unlocked(k) >> ((k == n) | (k == up(n))))

    taken = forall(POS, lambda n: (alone(n) & ~ANY.before(n, up(n))) >> (has_entry(up(n)) & least(entry(up(n))) & ~leaf(up(n))))
    return follows("Q1-NEEDED", taken, {"ALL_SERVED": ALL_SERVED, "ALL_TRUE": _all_true(ANY), "NOTHING_ELSE": NOTHING_ELSE})


def _three_ways() -> Iterator[Claim]:
    """Yield the three claims that a weaker condition suffices; each is wrong."""
    yield Claim(
        "Q1-EQUAL",
        "Under lru, if each unlocked node has an entry with its live key, a least entry is that of a leaf even if parent and child have "
        "equal times.",
        "Q1 C6 L5",
        follows("Q1-EQUAL", LEAST_IS_LEAF, given() | EVERY_NODE),
        REFUTED,
    )
    yield Claim(
        "Q1-PARENT-FIRST",
        "Under lru, if each unlocked node has an entry with its live key and each unlocked child ranks before its unlocked parent, a "
        "least entry is that of a leaf after a touch that reads the clock once per node, parent first, and updates the entries of the "
        "path.",
        "Q1 C6",
        preserved("Q1-PARENT-FIRST", LEAST_IS_LEAF, _parent_first(), given() | EVERY_NODE | {"CHILD_FIRST": _child_first(LRU)}),
        REFUTED,
    )
    pushed_before = {"ALL_SERVED": ALL_SERVED, "NOT_LATE": NOT_LATE, "CHILD_FIRST": _child_first(LRU)}
    yield Claim(
        "Q1-READ-EARLY",
        "Under lru, if each unlocked node has an entry that is not later than its live key and each unlocked child ranks before its "
        "unlocked parent, a least entry is that of a leaf.",
        "Q1 C6 L2",
        follows("Q1-READ-EARLY", LEAST_IS_LEAF, given() | pushed_before),
        REFUTED,
    )


def _parent_first() -> Transition:
    """Return a touch whose times grow along the path, and which gives the entries of the path the new keys."""

    def current(e: Term) -> Term:
        return queued(e) & node(on(e)) & (on(e) <= n) & (entry(on(e)) == e)

    updates = (
        put(time, lambda q: node(q) & (q <= n), lambda q: now + length(q)),
        *(put(field, current, lambda e: now + length(on(e))) for field in (first, second)),
        assign(now, now + length(n)),
    )
    return replace(TOUCH, updates=updates)
