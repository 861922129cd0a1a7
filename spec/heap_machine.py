"""The heap machine: a persistent, lazily repaired eviction heap. It refines the cache machine.

Each of its transitions is one cache transition with updates of entries added, or changes nothing that the cache can see (POP_DEAD,
REPAIR, TIDY). `entry(n)` is the entry that speaks for node n. An entry is dead when its node is no evictable leaf, or when a later
entry speaks for that node; it is recognised by looking at the node when it surfaces, so no generation stamp is needed.
Lazy repair keeps the order as long as a live key never becomes smaller than its stored key; where a touch makes it smaller (mru)
the new key is pushed at once: the condition stands in the update, no policy is named.
"""

from dataclasses import replace

from radixcheck.spec.logic import Term, conj, lift, total, var
from radixcheck.spec.policies import Policy, less, stored
from radixcheck.spec.signature import *
from radixcheck.spec.transitions import CACHE, EVICT, RELEASE, RESET, TOUCH, Transition, Update, after, at_point, h, n, put

SLACK = 4  # a heap may hold 2 * (evictable leaves) + SLACK entries: sweeping it then costs O(1) per push

e, f = var("e", ENTRY), var("f", ENTRY)


def live(entry_: Term) -> Term:
    """It speaks for an evictable leaf."""
    return queued(entry_) & candidate(on(entry_)) & (entry(on(entry_)) == entry_)


def served(node_: Term) -> Term:
    """An entry in the heap speaks for this node."""
    return queued(entry(node_)) & (on(entry(node_)) == node_)


def _push(policy: Policy, entry_: Term, node_: Term, when: Term, transition: Transition) -> tuple[Update, ...]:
    """`entry_` speaks for `node_` from now on, with the key that the transition leaves it, if `when`."""
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
    """The transitions of the heap under one policy: those of the cache, and three that the cache cannot see."""
    new_key = (after(policy.key(n)[0], TOUCH), after(policy.key(n)[1], TOUCH))
    shrunk = candidate(n) & less(new_key, stored(entry(n)))
    bottom = node(at(h)) & leaf(at(h)) & (lock(at(h)) == 1)  # an evictable leaf once this lock is gone
    stale = ~served(at(h)) | less(policy.key(at(h)), stored(entry(at(h))))
    p = up(n)
    only_child = (p != eps) & (lock(p) == 0) & every(lambda m: (node(m) & (up(m) == p)) >> (m == n))
    p_stale = ~served(p) | less(policy.key(p), stored(entry(p)))
    least = every(lambda d: queued(d) >> ~less(stored(d), stored(e)))
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
    """The entry of an evictable leaf whose key has grown is replaced by one that says the truth."""
    parameters = (e, f, n)
    guard = live(e) & (on(e) == n) & less(stored(e), policy.key(n)) & ~queued(f)
    step = Transition("repair", parameters, guard, (at_point(queued, e, False),))
    return replace(step, updates=(*step.updates, *_push(policy, f, n, node(n), step)))


def entries_and_leaves() -> tuple[Term, Term]:
    """Number of entries in the heap, and of evictable leaves."""
    return total(ENTRY, lambda g: queued(g), lambda g: 1), total(POS, lambda k: candidate(k), lambda k: 1)
