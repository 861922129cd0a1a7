"""The early machine: locks that stop at the first protected ancestor. It refines the cache machine.

`marks(n)` counts the holders that lock n itself and the children of n that are protected. A lock walks up from its node, adds one
at each node, and stops at the first that was protected already; an unlock takes one off, and stops at the first that stays protected.
Each transition is one of the cache's with updates of `marks` added, and its counters change by the sizes of the visited nodes whose
protection changes. Nothing here reads `lock`: it stays only as what the whole path would count, to be compared with.
"""

from dataclasses import replace

from radixcheck.spec.logic import INT, Function, Term, forall, ite, lift, total
from radixcheck.spec.signature import POS, at, evictable, leaf, lock, node, protected, size
from radixcheck.spec.transitions import BEGIN, CACHE, EVICT, GROW, RELEASE, RELOCK, RESET, SPLIT, c, h, m, n, x
from radixcheck.spec.updates import Transition, Update, assign, at_point, put

marks = Function("marks", (POS,), INT, "state")


def walked(q: Term, start: Term, turned: int) -> Term:
    """A walk up from `start` reaches the node q: it goes on from the nodes that have this count before it, and from no others."""
    return node(q) & (q <= start) & forall(POS, lambda r: (node(r) & (q < r) & (r <= start)) >> (marks(r) == turned))


def turned(start: Term, count: int) -> Term:
    """Tokens of the nodes on a walk whose protection changes."""
    return total(POS, lambda k: walked(k, start, count) & (marks(k) == count), size)


def _sizes(moved: Term) -> tuple[Update, ...]:
    """So many tokens become protected."""
    return assign(evictable, evictable - moved), assign(protected, protected + moved)


def locked(start: Term) -> tuple[Update, ...]:
    """A lock of the node `start`: one more at each node that the walk reaches."""
    return put(marks, lambda q: walked(q, start, 0), lambda q: marks(q) + 1), *_sizes(turned(start, 0))


def unlocked(start: Term) -> tuple[Update, ...]:
    """An unlock of the node `start`: one less at each node that the walk reaches."""
    freed = turned(start, 1)
    sizes = assign(evictable, evictable + freed), assign(protected, protected - freed)
    return put(marks, lambda q: walked(q, start, 1), lambda q: marks(q) - 1), *sizes


def _with(step: Transition, *updates: Update) -> Transition:
    """The transition with these updates, which take the place of its own of the same functions."""
    taken = {update.function for update in updates}
    return replace(step, updates=(*(update for update in step.updates if update.function not in taken), *updates))


def _forgets(step: Transition) -> tuple[Update, ...]:
    """What the transition forgets: the counts of the nodes that it takes away too."""
    return *step.forgets, *(replace(gone, function=marks) for gone in step.forgets if gone.function is lock)


def _early() -> dict[str, Transition]:
    return {
        # A holder of c is not one of the new node above it, however many there are: all that it counts is its one child.
        "split": _with(SPLIT, at_point(marks, m, ite(marks(c) == 0, 0, 1))),
        "begin": _with(BEGIN, *locked(n)),
        # The holder moves to the new child of the node that it locked, where the child counts in its place.
        "grow": _with(GROW, at_point(marks, x, 1)),
        # A lock of x and an unlock of at(h): unless the lock came down to at(h), it ended at a node that others protect.
        "relock": _with(
            RELOCK,
            put(marks, lambda q: walked(q, x, 0) & (at(h) < q), lambda q: marks(q) + 1),
            put(marks, lambda q: (q == at(h)) & node(q) & ~walked(q, x, 0), lambda q: marks(q) - 1),
            *_sizes(turned(x, 0)),
        ),
        "release": _with(RELEASE, *unlocked(at(h))),
        "evict": replace(EVICT, guard=node(n) & leaf(n) & (marks(n) == 0), forgets=_forgets(EVICT)),
        "reset": replace(RESET, forgets=_forgets(RESET)),
    }


# The two walks alone.
LOCK = Transition("lock", (n,), lift(True), locked(n))
UNLOCK = Transition("unlock", (m,), lift(True), unlocked(m))

EARLY: tuple[Transition, ...] = tuple(_early().get(step.name, step) for step in CACHE)
