"""What is claimed of a persistent eviction heap, proved or refuted: each with the questions that it answers.

The matrix shows that the machines keep their formulas. Here stand variants: steps without a check or an update, heaps that
hold more than leaves. A claim that is wrong has a counterexample of two or three nodes, on which the step was run.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from radixcheck.spec.heap import POP_DEAD, TIDY, entries_and_leaves, heap_machine, served
from radixcheck.spec.logic import Term, conj, expand, old, total
from radixcheck.spec.policies import POLICIES, Policy, less, stored
from radixcheck.spec.postconditions import POSTCONDITIONS
from radixcheck.spec.signature import *
from radixcheck.spec.transitions import EVICT, TOUCH, Transition, Update, after, assign, n
from radixcheck.verification.proofs.conditions import LRU, Condition, follows, locks, preserved, state_formulas, theorems
from radixcheck.verification.proofs.decide import PROVED, REFUTED
from radixcheck.verification.proofs.laws import balance, inherits, leaf_below, member, no_more


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence that is proved, or refuted by a model."""

    id: str
    sentence: str
    questions: str
    condition: Condition
    expected: str = PROVED


def _given(policy: Policy = LRU, heap: bool = False) -> dict[str, Term]:
    return state_formulas(policy, heap) | theorems(policy)


def _step(policy: Policy, name: str) -> Transition:
    return next(step for step in heap_machine(policy) if step.name == name)


def _order(policy: Policy) -> Term:
    (formula,) = (p.formula(policy) for p in POSTCONDITIONS if p.id == "ORDER" and p.formula)
    return formula


def _unlocked(node_: Term) -> Term:
    return node(node_) & (lock(node_) == 0)


def _true(policy: Policy, node_: Term) -> Term:
    """The entry that speaks for a node says its live key."""
    return conj(*(a == b for a, b in zip(stored(entry(node_)), policy.key(node_), strict=True)))


def claims() -> Iterator[Claim]:
    """Every claim."""
    yield from _internal_nodes()
    yield from _lazy_repair()
    yield from _accounting()
    yield from _order_and_progress()


# Internal nodes in the heap, as the change was submitted: every unlocked node has an entry.

ALL_SERVED = every(lambda n: _unlocked(n) >> served(n))
ALL_TRUE = every(lambda n: _unlocked(n) >> _true(LRU, n))
NOT_LATE = every(lambda n: _unlocked(n) >> ~less(LRU.key(n), stored(entry(n))))
CHILD_FIRST = every(lambda n: (_unlocked(n) & _unlocked(up(n))) >> LRU.before(n, up(n)))
LEAST_IS_LEAF = every(lambda n: (_unlocked(n) & served(n) & every(lambda d: queued(d) >> ~less(stored(d), stored(entry(n))))) >> leaf(n))


def _internal_nodes() -> Iterator[Claim]:
    orphan, evict = state_formulas()["NO_ORPHAN"], _step(LRU, "evict")
    yield Claim(
        "Q1-CHECKED",
        "With the leaf check no eviction cuts anything off, whatever the heap holds.",
        "Q1 C6",
        preserved("Q1-CHECKED", orphan, evict, _given()),
    )
    every_node = {"ALL_SERVED": ALL_SERVED, "ALL_TRUE": ALL_TRUE}
    pushed_before = {"ALL_SERVED": ALL_SERVED, "NOT_LATE": NOT_LATE, "CHILD_FIRST": CHILD_FIRST}
    yield Claim(
        "Q1-STRICT",
        "Without the check: if each child ranks strictly before its parent, and no entry is out of date, the least entry is a leaf's.",
        "Q1 C6",
        follows("Q1-STRICT", LEAST_IS_LEAF, _given() | every_node | {"CHILD_FIRST": CHILD_FIRST}),
    )
    yield Claim(
        "Q1-EQUAL",
        "Without the check the least entry is a leaf's even if parent and child have equal times, as one `now` for a path gives them.",
        "Q1 C6 L5",
        follows("Q1-EQUAL", LEAST_IS_LEAF, _given() | every_node),
        REFUTED,
    )
    yield Claim(
        "Q1-READ-EARLY",
        "Without the check the least entry is a leaf's even if a parent was pushed before its last access (live keys rank strictly).",
        "Q1 C6 L2",
        follows("Q1-READ-EARLY", LEAST_IS_LEAF, _given() | pushed_before),
        REFUTED,
    )
    yield Claim(
        "Q1-TOUCH",
        "A touch that repairs nothing leaves every entry true.",
        "Q1 L2 L4",
        preserved("Q1-TOUCH", ALL_TRUE, TOUCH, _given() | every_node),
        REFUTED,
    )
    unchecked = replace(EVICT, guard=_unlocked(n))
    yield Claim(
        "Q1-UNCHECKED",
        "An eviction that does not ask whether the node is a leaf cuts nothing off.",
        "Q1 Q6",
        preserved("Q1-UNCHECKED", orphan, unchecked, _given()),
        REFUTED,
    )


# Lazy repair.


def _lazy_repair() -> Iterator[Claim]:
    for name, policy in POLICIES.items():
        stale = state_formulas(policy, heap=True)["HEAP_STALE"]
        yield Claim(
            f"LAZY-{name}",
            f"Under {name} a touch that pushes nothing leaves no entry later than the live key.",
            "C1 L2 L3 L4",
            preserved(f"LAZY-{name}", stale, TOUCH, _given(policy, heap=True)),
            REFUTED if name == "mru" else PROVED,
        )
        yield Claim(
            f"ORDER-{name}",
            f"Under {name} the heap evicts the least evictable leaf.",
            "C1 C6 L3",
            preserved(f"ORDER-{name}", _order(policy), _step(policy, "evict"), _given(policy, heap=True)),
        )
    yield Claim(
        "STAMP",
        "An entry that says the truth of an evictable leaf may be used even if a later one speaks for it: no generation stamp is needed.",
        "C2 C3 Q10",
        preserved("STAMP", _order(LRU), _without_stamp(), _given(heap=True)),
    )


def _without_stamp() -> Transition:
    """Evict by any entry for an evictable leaf that says its live key and is least."""
    e = _step(LRU, "evict").parameters[-2]
    truth = conj(*(a == b for a, b in zip(stored(e), LRU.key(n), strict=True)))
    least = every(lambda d: queued(d) >> ~less(stored(d), stored(e)))
    return replace(EVICT, guard=queued(e) & (on(e) == n) & candidate(n) & truth & least, parameters=(*EVICT.parameters, e))


# Accounting: where the evictable size is decremented.


def _accounting() -> Iterator[Claim]:
    size_formula = state_formulas()["COUNT"]
    others = tuple(update for update in EVICT.updates if update.function is not evictable.args[0])
    twice = assign(evictable, evictable - size(n) - size(n))
    wrong: dict[str, tuple[str, tuple[Update, ...]]] = {
        "Q4-TWICE": ("An eviction that decrements the evictable size twice keeps the sizes.", (*others, twice)),
        "Q4-NEVER": ("An eviction that forgets to decrement the evictable size keeps the sizes.", others),
    }
    for id_, (sentence, updates) in wrong.items():
        yield Claim(id_, sentence, "Q3 Q4", preserved(id_, size_formula, replace(EVICT, updates=updates), _given()), REFUTED)


# The order of victims, and that an eviction ends.


def _order_and_progress() -> Iterator[Claim]:
    for name, policy in POLICIES.items():
        yield Claim(
            f"UNIQUE-{name}",
            f"Under {name} no two leaves are least: the same operations evict the same victims on every replica.",
            "C6 L3",
            follows(f"UNIQUE-{name}", _unique(policy), _given(policy)),
        )
    oldest = every(lambda v, u: (candidate(v) & every(lambda w: candidate(w) >> ~LRU.before(w, v)) & _unlocked(u)) >> (time(v) <= time(u)))
    found = follows("LRU-OLDEST", oldest, _given())
    yield Claim(
        "LRU-OLDEST",
        "Under lru no unlocked node at all, leaf or not, was last accessed before the victim.",
        "C1 C6",
        replace(found, laws=(*found.laws, leaf_below(), inherits(time))),
    )
    found = follows("PROGRESS", (evictable > 0) >> some(lambda k: candidate(k)), _given())
    unlocked = expand(total(POS, _unlocked, size))
    yield Claim(
        "PROGRESS",
        "While the evictable size is not zero, there is a leaf to evict.",
        "C4",
        replace(found, laws=(*found.laws, leaf_below(), balance([unlocked], []))),
    )
    yield Claim(
        "EVICT-ENDS",
        "Each eviction makes the evictable size smaller: the loop ends.",
        "C4",
        preserved("EVICT-ENDS", evictable < old(evictable), EVICT, _given()),
    )
    yield Claim("ROOT", "The root is never a leaf to evict.", "Q6", follows("ROOT", ~candidate(eps), _given()))
    yield Claim(
        "UNREACHED",
        "No holder's path runs through a node that is evicted: whoever still knows it only has a stale handle.",
        "Q10",
        _unreached(),
    )
    yield Claim(
        "HEAP-BOUNDED",
        "A sweep leaves at most one entry for each evictable leaf: swept whenever it grows past twice that, the heap stays bounded.",
        "C3",
        _bounded(),
    )
    d = POP_DEAD.parameters[0]
    fewer = every(lambda e: queued(e) >> old(queued(e))) & old(queued(d)) & ~queued(d)
    yield Claim(
        "POP-ENDS",
        "Each dead entry that is popped leaves fewer: the loop ends.",
        "C4",
        preserved("POP-ENDS", fewer, POP_DEAD, _given(heap=True)),
    )


def _bounded() -> Condition:
    entries, leaves = map(expand, entries_and_leaves())
    found = preserved("HEAP-BOUNDED", entries <= leaves, TIDY, _given(heap=True))
    return replace(found, laws=(*found.laws, after(no_more(entries, leaves, on), TIDY)))


def _unreached() -> Condition:
    holder_ = every(lambda h: old(held(h)) >> ~(n <= at(h)))
    found = preserved("UNREACHED", holder_, EVICT, _given())
    return replace(found, laws=(*found.laws, member(locks(n), Term("var", ("h_goal",), REQUEST))))


def _unique(policy: Policy) -> Term:
    def least(v: Term) -> Term:
        return candidate(v) & every(lambda w: candidate(w) >> ~policy.before(w, v))

    return every(lambda v, u: (least(v) & least(u)) >> (v == u))
