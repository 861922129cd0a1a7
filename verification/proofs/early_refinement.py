"""Conditions that the early machine refines the cache machine: same protected nodes, same sizes, same evictions.

    MARKS_COUNT     every transition of the early machine keeps the meaning of `local_lock_ref`
    LOCK-STOP       the meanings of `lock` and `local_lock_ref` imply that both protect the same nodes (MARKS_PROTECT)
    SAME_SIZES      a walk changes the sizes in the same way as a lock of the whole path
    SAME_GUARD      an eviction is allowed in the same states
    RELOCK_WALKS    `relock` is a lock of the new node, then an unlock of the old one

All other updates of the early machine are those of the cache machine (`tests/verification/proofs/test_early_locks.py` compares them), so
that it keeps every formula of the cache machine. Most proofs distinguish whether a node has a child on some path: that child is the point
at which a sum changes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from radixcheck.spec.logic import BOOL, Term, conj, exists, expand, forall, old, substitute, total, var
from radixcheck.spec.signature import POS, REQUEST, at, evictable, held, lock, node, protected, up
from radixcheck.spec.transitions import CACHE, EVICT, RELEASE, c, h, m, n, x
from radixcheck.spec.updates import Transition, Update, after, at_point, put
from radixcheck.verification.proofs.conditions import Condition, follows, forgetting, goals, locks, preserved, state_formulas, theorems
from radixcheck.verification.proofs.early_locks import EARLY, LOCK, UNLOCK, local_lock_ref, turned, walked
from radixcheck.verification.proofs.laws import ascends, balance, member, monotone, nonnegative, towards
from radixcheck.verification.proofs.proof_results import PROVED, REFUTED

# Constants of the goals: a node, its child on a path, another node, a holder.
q0, k0, m0, h0 = var("q_goal", POS), var("k_goal", POS), var("m_goal", POS), var("h_goal", REQUEST)
STARTS = {"begin": n, "relock": x, "release": at(h)}  # transition -> the node where its walk starts


def here(q: Term) -> Term:
    """Return the number of holders that lock the node itself."""
    return total(REQUEST, lambda g: held(g) & (at(g) == q), lambda g: 1)


def below(q: Term) -> Term:
    """Return the number of protected children."""
    return total(POS, lambda k: node(k) & (up(k) == q) & (local_lock_ref(k) > 0), lambda k: 1)


def agree(q: Term) -> Term:
    """Return whether both counts protect the node, or neither does."""
    return (local_lock_ref(q) >= 0) & ((local_lock_ref(q) > 0) == (lock(q) > 0))


def child(q: Term, k: Term, bound: Term) -> Term:
    """Return whether k is the child of q on the path to `bound`."""
    return node(k) & (up(k) == q) & (k <= bound)


MARKS_COUNT = forall(POS, lambda q: node(q) >> (local_lock_ref(q) == here(q) + below(q)))
MARKS_PROTECT = forall(POS, lambda q: node(q) >> agree(q))
MARKS_TWO = forall(
    (REQUEST, POS, POS),
    lambda h, q, m: (held(h) & (at(h) == q) & node(q) & node(m) & (q < m) & (local_lock_ref(m) > 0)) >> (local_lock_ref(q) >= 2),
)
UNLOCKED_BELOW = forall((POS, POS), lambda q, m: (node(q) & node(m) & (m < q) & (lock(m) == 0)) >> (lock(q) == 0))
COUPLING = {"MARKS_COUNT": MARKS_COUNT, "MARKS_PROTECT": MARKS_PROTECT, "MARKS_TWO": MARKS_TWO, "UNLOCKED_BELOW": UNLOCKED_BELOW}

_CACHE = state_formulas() | theorems()
_HOLDERS, _CHILDREN = expand(here(q0)), expand(below(q0))


@dataclass(frozen=True, slots=True)
class EarlyCell:
    """A condition with the expected verdict."""

    formula: str  # id
    condition: Condition
    sentence: str = ""  # empty for a formula that a transition keeps
    questions: str = ""
    expected: str = PROVED


def _given(*names: str) -> dict[str, Term]:
    return {name: (_CACHE | COUPLING)[name] for name in names}


def _by_child(goal: Term, bound: Term) -> tuple[Term, Term]:
    """Return the goal with k0 as the child of q0 towards `bound`, and the goal without such a child."""
    return child(q0, k0, bound) >> goal, ~exists(POS, lambda k: child(q0, k, bound)) >> goal


# Theorems of one state.


def unlocked_below() -> Condition:
    """Below an unlocked node no node is locked."""
    found = follows("UNLOCKED_BELOW", UNLOCKED_BELOW, _given("LOCK_COUNT"))
    return found.with_laws(monotone(locks(q0), locks(m0)), nonnegative(locks(q0)))


def marks_two() -> Condition:
    """A node that is locked itself and has a protected descendant counts two or more."""
    found = follows("MARKS_TWO", MARKS_TWO, _given("PARENT", "LOCK_NONNEG", "UNLOCKED_BELOW", "MARKS_COUNT", "MARKS_PROTECT"))
    laws = towards(q0, m0), member(_HOLDERS, h0), member(_CHILDREN, k0), nonnegative(_CHILDREN)
    return replace(found.with_laws(*laws), goals=tuple(case for goal in found.goals for case in _by_child(goal, m0)))


def marks_protect() -> Condition:
    """Both counts protect the same nodes: shown for a node whose children satisfy it, and so true of all by induction."""
    upward = forall(POS, lambda q: (node(q) & forall(POS, lambda m: (node(m) & (up(m) == q)) >> agree(m))) >> agree(q))
    found = follows("MARKS_PROTECT", MARKS_PROTECT, _given("PARENT", "LOCK_SPAN", "LOCK_NONNEG", "LOCK_COUNT", "MARKS_COUNT"))
    cases: list[Term] = []
    for goal in goals(upward):
        cases += ((held(h0) & (q0 <= at(h0))) >> case for case in _by_child(goal, at(h0)))
        cases.append(~exists(REQUEST, lambda h: held(h) & (q0 <= at(h))) >> goal)
    sums = (_HOLDERS, _CHILDREN, locks(q0))
    laws = [law for s in sums for law in (nonnegative(s), balance([s], []))]
    laws += [member(_HOLDERS, h0), member(_CHILDREN, k0), member(locks(k0), h0), monotone(_HOLDERS, locks(q0))]
    whole = tuple(upward >> goal for goal in found.goals)
    return replace(found.with_laws(*laws, towards(q0, at(h0)), ascends(agree)), goals=(*cases, *whole))


def same_guard() -> Condition:
    """An eviction is allowed in the same states as in the cache machine."""
    (early,) = (step for step in EARLY if step.name == "evict")
    same = Term("forall", (EVICT.parameters, early.guard == EVICT.guard), BOOL)
    return follows("SAME_GUARD", same, _given("LOCK_NONNEG", "MARKS_PROTECT"))


# Conditions about transitions.


def counts(step: Transition, given: Mapping[str, Term] | None = None) -> Condition:
    """The transition keeps MARKS_COUNT."""
    few = _given("PARENT", "COVER", "LOCK_SPAN", "MARKS_COUNT", "MARKS_PROTECT", "MARKS_TWO")
    found = preserved("MARKS_COUNT", MARKS_COUNT, step, few if given is None else given)
    cases, start = found.goals, STARTS.get(step.name)
    laws = [
        balance([_HOLDERS], [old(_HOLDERS)], [p for p in step.parameters if p.sort == REQUEST]),
        balance([_CHILDREN], [old(_CHILDREN)], step.touched),
    ]
    if start is None:
        laws += [balance([s], []) for s in (_HOLDERS, old(_HOLDERS), _CHILDREN, old(_CHILDREN))]
    else:
        cases = tuple(case for goal in cases for case in _by_child(goal, start))
        laws += [balance([_CHILDREN], [old(_CHILDREN)], [k0]), old(towards(q0, start))]
    return replace(found.with_laws(*(after(law, forgetting(step)) for law in laws)), goals=cases)


def same_sizes(early: Transition, cache: Transition) -> Condition:
    """The transition writes the same sizes as the cache machine. An unlock does so if both counts protect the same nodes after it."""
    counters = {f.args[0]: f for f in (evictable, protected)}
    written = {u.function: u.value for u in cache.updates if u.function in counters}
    claim = conj(*(counters[f] == old(value) for f, value in written.items()))
    if cache is RELEASE:  # which nodes stay protected is known in the state after it, where LOCK-STOP also holds
        claim = MARKS_PROTECT >> claim
    given = _given("PARENT", "COVER", "LOCK_SPAN", "LOCK_NONNEG", "PROTECTED", "MARKS_PROTECT", "UNLOCKED_BELOW")
    found = preserved("SAME_SIZES", claim, early, given)
    ours, theirs = (_sum(step) for step in (early, cache))
    return found.with_laws(balance([theirs], [ours]))


def _sum(step: Transition) -> Term:
    (value,) = (update.value for update in step.updates if update.function is evictable.args[0])
    return expand(value.args[1])


def relock_walks(step: Transition) -> Condition:
    """`relock` leaves the same counts and sizes as a lock of x, then an unlock of at(h)."""
    values = {"n": x, "m": at(h)}

    def walks(term: Term) -> Term:
        return old(substitute(after(after(term, UNLOCK), LOCK), values))

    claim = (
        forall(POS, lambda q: node(q) >> (local_lock_ref(q) == walks(local_lock_ref(q))))
        & (evictable == walks(evictable))
        & (protected == walks(protected))
    )
    found = preserved("RELOCK_WALKS", claim, step, _given("PARENT", "COVER", "LOCK_SPAN", "LOCK_NONNEG", "PROTECTED", *COUPLING))
    freed = substitute(after(turned(m, 1), LOCK), values)
    return found.with_laws(balance([freed], []))


# Wrong variants.


def _instead(step: Transition, *updates: Update) -> Transition:
    return replace(step, updates=(*(update for update in step.updates if update.function is not local_lock_ref), *updates))


def _wrong() -> Iterator[EarlyCell]:
    early, given = {step.name: step for step in EARLY}, _CACHE | COUPLING
    copies = _instead(early["split"], at_point(local_lock_ref, m, local_lock_ref(c)))
    short = _instead(
        early["begin"],
        put(local_lock_ref, lambda q: walked(q, n, 0) & ((q == n) | (local_lock_ref(q) == 0)), lambda q: local_lock_ref(q) + 1),
    )
    onward = _instead(early["release"], put(local_lock_ref, lambda q: node(q) & (q <= at(h)), lambda q: local_lock_ref(q) - 1))
    variants = {
        "EARLY-COPY": ("A split may copy the count of the node to the new one above it.", counts(copies, given)),
        "EARLY-SHORT": ("A lock may stop before the first protected ancestor, and not count there.", counts(short, given)),
        "EARLY-ON": ("An unlock may go on past a node that stays protected.", preserved("MARKS_PROTECT", MARKS_PROTECT, onward, given)),
    }
    for id_, (sentence, condition) in variants.items():
        yield EarlyCell(id_, replace(condition, name=id_), sentence, "C2 C3", REFUTED)


def early_cells() -> Iterator[EarlyCell]:
    """Yield every condition of the refinement, and wrong variants that are refuted."""
    cache = {step.name: step for step in CACHE}
    for step in EARLY:
        yield EarlyCell("MARKS_COUNT", counts(step))
        if step.name in STARTS:
            yield EarlyCell("SAME_SIZES", same_sizes(step, cache[step.name]))
        if step.name == "relock":
            yield EarlyCell("RELOCK_WALKS", relock_walks(step))
    yield EarlyCell("UNLOCKED_BELOW", unlocked_below(), "Below an unlocked node no node is locked.")
    yield EarlyCell("MARKS_TWO", marks_two(), "A node that is locked itself and has a protected descendant counts two or more.")
    yield EarlyCell("SAME_GUARD", same_guard(), "A node may be evicted in the same states, whether locks stop early or not.")
    sentence = "Locks that stop at the first protected ancestor protect the same nodes as locks that count on the whole path."
    yield EarlyCell("LOCK-STOP", replace(marks_protect(), name="LOCK-STOP"), sentence, "Q5 C3")
    yield from _wrong()
