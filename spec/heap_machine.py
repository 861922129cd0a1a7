"""The heap machine: a persistent, lazily repaired eviction heap. It refines the cache machine.

Each of its transitions is one cache transition with updates of entries added, or changes nothing that the cache can see (POP_DEAD,
REPAIR, TIDY). `entry(n)` is the entry that is current for node n. An entry is live if its node is an evictable leaf and it is the current
one of that node, otherwise it is dead. Whoever pops an entry looks at its node to tell which, so no generation stamp is needed.
Lazy repair keeps the order as long as a live key never becomes smaller than its stored key. Where a touch makes it smaller (mru)
the new key is pushed at once: the update has that condition, no policy is named.
"""

from dataclasses import replace

from radixcheck.spec.logic import Term, conj, forall, lift, total, var
from radixcheck.spec.policies import Policy, less, stored
from radixcheck.spec.signature import *
from radixcheck.spec.transitions import CACHE, EVICT, RELEASE, RESET, TOUCH, h, n
from radixcheck.spec.updates import Transition, Update, after, at_point, put

SLACK = 4  # a heap may hold 2 * (evictable leaves) + SLACK entries: sweeping it then costs O(1) per push

e, f = var("e", ENTRY), var("f", ENTRY)


def live(entry_: Term) -> Term:
    """The entry is in the heap, and current for an evictable leaf."""
    return queued(entry_) & candidate(on(entry_)) & (entry(on(entry_)) == entry_)


def has_entry(node_: Term) -> Term:
    """The current entry of this node is in the heap."""
    return queued(entry(node_)) & (on(entry(node_)) == node_)


def _push(policy: Policy, entry_: Term, node_: Term, when: Term, transition: Transition) -> tuple[Update, ...]:
    """If `when` holds, `entry_` becomes current for `node_`, with the key that the node has after the transition."""
    keys = (after(key, transition) for key in policy.key(node_))
    return tuple(
        replace(update, where=update.where & when)
        for update in (
            at_point(queued, entry_, True),
            at_point(on, entry_, node_),
            *(at_point(field, entry_, key) for field, key in zip((first, second), keys, strict=True)),
            at_point(entry, node_, entry_),
        )
    )


def _with(transition: Transition, *more: Update, guard: Term, parameters: tuple[Term, ...]) -> Transition:
    return replace(
        transition, parameters=transition.parameters + parameters, guard=transition.guard & guard, updates=transition.updates + more
    )


def heap_machine(policy: Policy) -> tuple[Transition, ...]:
    """The transitions under one policy: those of the cache with entries added, and three that the cache cannot see."""
    new_key = (after(policy.key(n)[0], TOUCH), after(policy.key(n)[1], TOUCH))
    shrunk = candidate(n) & less(new_key, stored(entry(n)))
    bottom = node(at(h)) & leaf(at(h)) & (lock(at(h)) == 1)  # an evictable leaf once this lock is gone
    stale = ~has_entry(at(h)) | less(policy.key(at(h)), stored(entry(at(h))))
    p = up(n)
    only_child = (p != eps) & (lock(p) == 0) & forall(POS, lambda m: (node(m) & (up(m) == p)) >> (m == n))
    p_stale = ~has_entry(p) | less(policy.key(p), stored(entry(p)))
    least = forall(ENTRY, lambda d: queued(d) >> ~less(stored(d), stored(e)))
    truth = conj(*(a == b for a, b in zip(stored(e), policy.key(n), strict=True)))
    evict = _with(
        EVICT,
        at_point(queued, e, False),
        *_push(policy, f, p, only_child & p_stale, EVICT),
        guard=live(e) & (on(e) == n) & truth & least & ~queued(f),
        parameters=(e, f),
    )
    extra = {
        "touch": _with(TOUCH, *_push(policy, e, n, shrunk, TOUCH), guard=~queued(e), parameters=(e,)),
        "release": _with(RELEASE, *_push(policy, e, at(h), bottom & stale, RELEASE), guard=~queued(e), parameters=(e,)),
        "evict": evict,
        "reset": replace(RESET, updates=(*RESET.updates, put(queued, lambda g: queued(g), lambda g: False))),
    }
    return (*(extra.get(t.name, t) for t in CACHE), POP_DEAD, _repair(policy), TIDY)


POP_DEAD = Transition("pop_dead", (e,), queued(e) & ~live(e), (at_point(queued, e, False),))

TIDY = Transition("tidy", (), lift(True), (put(queued, lambda g: queued(g) & ~live(g), lambda g: False),))


def _repair(policy: Policy) -> Transition:
    """The entry of an evictable leaf whose key has grown is replaced by one with the live key."""
    parameters = (e, f, n)
    guard = live(e) & (on(e) == n) & less(stored(e), policy.key(n)) & ~queued(f)
    step = Transition("repair", parameters, guard, (at_point(queued, e, False),))
    return replace(step, updates=(*step.updates, *_push(policy, f, n, node(n), step)))


def entries_and_leaves() -> tuple[Term, Term]:
    """The number of entries in the heap, and of evictable leaves (claim HEAP-BOUND)."""
    return total(ENTRY, lambda g: queued(g), lambda g: 1), total(POS, lambda k: candidate(k), lambda k: 1)
