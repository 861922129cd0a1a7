"""The early machine, in which a lock stops at the first protected ancestor. It refines the cache machine.

`local_lock_ref(n)` counts the holders that lock n itself and the protected children of n. A lock walks up from its node, adds one at
each node, and stops at the first node that was protected already. An unlock subtracts one, and stops at the first node that stays
protected. Each transition is one of the cache machine with additional updates of `local_lock_ref`; its counters change by the sizes of the
visited nodes whose protection changes. No transition reads `lock`, which still has the counts of locks of the whole path, for comparison.
"""

from dataclasses import replace

from radixcheck.spec.logic import INT, Function, Term, forall, ite, lift, total
from radixcheck.spec.signature import POS, at, evictable, leaf, lock, node, protected, size
from radixcheck.spec.transitions import BEGIN, CACHE, EVICT, GROW, RELEASE, RELOCK, RESET, SPLIT, c, h, m, n, x
from radixcheck.spec.updates import Transition, Update, assign, at_point, put

local_lock_ref = Function("local_lock_ref", (POS,), INT, "state")


def walked(q: Term, start: Term, turned: int) -> Term:
    """Return whether a walk up from `start` reaches the node q. The walk continues from a node if its count is `turned`."""
    return node(q) & (q <= start) & forall(POS, lambda r: (node(r) & (q < r) & (r <= start)) >> (local_lock_ref(r) == turned))


def turned(start: Term, count: int) -> Term:
    """Return the tokens of the nodes on a walk whose protection changes."""
    return total(POS, lambda k: walked(k, start, count) & (local_lock_ref(k) == count), size)


def _sizes(moved: Term) -> tuple[Update, ...]:
    """Return the updates by which this number of tokens becomes protected."""
    return assign(evictable, evictable - moved), assign(protected, protected + moved)


def locked(start: Term) -> tuple[Update, ...]:
    """Return the updates of a lock of the node `start`: each node that the walk reaches counts one more."""
    return put(local_lock_ref, lambda q: walked(q, start, 0), lambda q: local_lock_ref(q) + 1), *_sizes(turned(start, 0))


def unlocked(start: Term) -> tuple[Update, ...]:
    """Return the updates of an unlock of the node `start`: each node that the walk reaches counts one less."""
    freed = turned(start, 1)
    sizes = assign(evictable, evictable + freed), assign(protected, protected - freed)
    return put(local_lock_ref, lambda q: walked(q, start, 1), lambda q: local_lock_ref(q) - 1), *sizes


def _with(step: Transition, *updates: Update) -> Transition:
    """Return the transition with these updates, which replace its own updates of the same functions."""
    taken = {update.function for update in updates}
    return replace(step, updates=(*(update for update in step.updates if update.function not in taken), *updates))


def _forgets(step: Transition) -> tuple[Update, ...]:
    """Return what the transition forgets, including the counts of the nodes that it removes."""
    return *step.forgets, *(replace(gone, function=local_lock_ref) for gone in step.forgets if gone.function is lock)


def _early() -> dict[str, Transition]:
    return {
        # The holders of c do not lock the new node above it, which counts only its one child.
        "split": _with(SPLIT, at_point(local_lock_ref, m, ite(local_lock_ref(c) == 0, 0, 1))),
        "begin": _with(BEGIN, *locked(n)),
        # The holder moves to the new child of the node that it locked. There the child is counted instead of the holder.
        "grow": _with(GROW, at_point(local_lock_ref, x, 1)),
        # A lock of x, then an unlock of at(h). If the lock does not reach at(h), it ends at a node that other holders protect.
        "relock": _with(
            RELOCK,
            put(local_lock_ref, lambda q: walked(q, x, 0) & (at(h) < q), lambda q: local_lock_ref(q) + 1),
            put(local_lock_ref, lambda q: (q == at(h)) & node(q) & ~walked(q, x, 0), lambda q: local_lock_ref(q) - 1),
            *_sizes(turned(x, 0)),
        ),
        "release": _with(RELEASE, *unlocked(at(h))),
        "evict": replace(EVICT, guard=node(n) & leaf(n) & (local_lock_ref(n) == 0), forgets=_forgets(EVICT)),
        "reset": replace(RESET, forgets=_forgets(RESET)),
    }


# The two walks as transitions.
LOCK = Transition("lock", (n,), lift(True), locked(n))
UNLOCK = Transition("unlock", (m,), lift(True), unlocked(m))

EARLY: tuple[Transition, ...] = tuple(_early().get(step.name, step) for step in CACHE)
