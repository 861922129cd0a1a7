"""Postconditions of the transitions.

A transition that does nothing keeps every state formula. So these formulas state, for each transition, the nodes and the cached prefixes
after it, their slots, the holders, and the clock. The attributes of tokens (time, hits, priority, creation) are covered by the promises of
operations, with the parameters of the transition. Everything else (ends, parents, lock counts, counters, owners of pages) follows from
these by the state formulas, and is not repeated.
"""

from collections.abc import Callable

from radixcheck.spec import signature
from radixcheck.spec.heap_machine import e, f, has_entry, live
from radixcheck.spec.host.host_signature import HOST_PAGE
from radixcheck.spec.logic import BOOL, Function, Term, conj, forall, lift, old, substitute, var
from radixcheck.spec.policies import POLICIES, Policy, less, stored
from radixcheck.spec.postconditions import POSTCONDITIONS
from radixcheck.spec.signature import *
from radixcheck.spec.transitions import c, h, hit, m, n, new_priority, s, x, y

# The signature has a function without arguments as a term.
_SYMBOLS = [s.args[0] if isinstance(s, Term) else s for s in vars(signature).values()]
STATE_FUNCTIONS: tuple[Function, ...] = tuple(s for s in _SYMBOLS if isinstance(s, Function) and s.kind == "state")
LRU = POLICIES["lru"]
POSTS = {p.id: p.formula for p in POSTCONDITIONS}
ACCESSED = {"touch": n, "grow": x}  # the end of the accessed path; the other transitions refresh nothing
_NAMES = {POS: "q0", REQUEST: "g0", PAGE: "s0", ENTRY: "d0", HOST_PAGE: "t0"}  # not parameters of any transition
_HEAP = (on, first, second)


def arguments(function: Function) -> tuple[Term, ...]:
    """Return variables for the arguments of a function."""
    return tuple(var(_NAMES[sort], sort) for sort in function.domain)


def means(function: Function, *args: Term) -> Term:
    """Return whether the function is defined for these arguments, in the state in which this is read."""
    if function in (end, page):
        return cached(*args)
    if function in (up, time, creation, hits, priority, lock):
        return node(*args)
    if function in (at, tok, request_priority):
        return held(*args)
    if function is row:
        return held(args[0]) & (args[1] <= tok(args[0])) & (args[1] != eps)
    if function is holder:
        return owner(*args) == OWN
    if function is content:
        return owner(*args) != FREE
    if function in _HEAP:
        return queued(*args)
    return args[0] != eps if function is entry else lift(True)


def kept(*functions: Function, unless: Callable[..., Term] = lambda *_: lift(False), means: Callable[..., Term] = means) -> Term:
    """Return the formula that the functions are unchanged wherever they were defined and still are."""

    def unchanged(function: Function) -> Term:
        args = arguments(function)
        both = means(function, *args) & old(means(function, *args)) & ~unless(*args)
        return Term("forall", (args, both >> (function(*args) == old(function(*args)))), BOOL)

    return conj(*map(unchanged, functions))


def same(set_: Function) -> Term:
    """Return the formula that the set is unchanged."""
    return forall(POS, lambda q: old(set_(q)) >> set_(q)) & forall(POS, lambda q: set_(q) >> old(set_(q)))


def grows(set_: Function, where: Callable[[Term], Term]) -> Term:
    """Return the formula that exactly the positions that satisfy `where` were added to the set."""
    stays = forall(POS, lambda q: old(set_(q)) >> set_(q)) & forall(POS, lambda q: where(q) >> set_(q))
    return stays & forall(POS, lambda q: set_(q) >> (old(set_(q)) | where(q)))


def shrinks(set_: Function, where: Callable[[Term], Term]) -> Term:
    """Return the formula that exactly the positions that satisfy `where` were removed from the set."""
    stays = forall(POS, lambda q: (old(set_(q)) & ~where(q)) >> set_(q))
    return stays & forall(POS, lambda q: set_(q) >> (old(set_(q)) & ~where(q)))


def nowhere(_: Term) -> Term:
    """Return the formula that is true of no position."""
    return lift(False)


def holders(joins: Callable[[Term], Term] = nowhere, leaves: Callable[[Term], Term] = nowhere) -> Term:
    """Return the formula that exactly these holders were added and removed."""
    stay = forall(REQUEST, lambda g: (old(held(g)) & ~leaves(g)) >> held(g)) & forall(
        REQUEST, lambda g: held(g) >> ((old(held(g)) | joins(g)) & ~leaves(g))
    )
    return stay & conj(kept(request_priority))


FIXED_TREE = same(node) & same(cached) & kept(page)
FIXED_HOLDERS = holders() & kept(at, tok, row)
NO_TIME = now == old(now)
_ONE_TICK = now == old(now) + 1
_AT_MOST_ONE_HIT = forall(POS, lambda q: (cached(q) & old(cached(q))) >> (hits(end(q)) <= old(hits(end(q))) + 1)) & (hit <= 1)


def _is_h(g: Term, *_: Term) -> Term:
    return g == h


def _last_place(g: Term, q: Term) -> Term:
    return (g == h) & (q == tok(h))


def _added(q: Term) -> Term:
    """Return whether q is after the end of what the holder had locked, up to x."""
    return (q <= x) & (old(at(h)) < q)


STEPS: dict[str, Term] = {
    # Only the nodes change: no prefix, no slot and no holder.
    "split": grows(node, lambda q: q == m) & same(cached) & kept(page) & FIXED_HOLDERS & NO_TIME & (up(c) == m),
    # Only the clock changes, and what the postconditions of an access state.
    "touch": FIXED_TREE & FIXED_HOLDERS & _ONE_TICK & _AT_MOST_ONE_HIT,
    # h is held now, reads the pages of the tree up to n, and has the requested priority.
    "begin": conj(
        FIXED_TREE & NO_TIME & ~old(held(h)) & held(h) & holders(joins=_is_h),
        kept(at, tok, row, unless=_is_h) & (at(h) == n) & (tok(h) == n) & (request_priority(h) == new_priority),
    ),
    # The row of h has one more page, which was free.
    "extend": conj(
        FIXED_TREE & NO_TIME & holders() & kept(at, row) & kept(tok, unless=_is_h),
        (tok(h) == y) & (prev(y) == old(tok(h))) & (row(h, y) == s) & (old(owner(s)) == FREE),
    ),
    # The last page of the row of h has one more token.
    "fill": conj(
        FIXED_TREE & NO_TIME & holders() & kept(at) & kept(tok, unless=_is_h) & kept(row, unless=_last_place),
        (tok(h) == y) & (row(h, y) == old(row(h, tok(h)))) & (length(y) == old(length(tok(h))) + 1) & (prev(y) == old(prev(tok(h)))),
        namespace(y) == old(namespace(tok(h))),
    ),
    # The slots of h up to x, which were not cached, are cached as one node, which h locks.
    "grow": conj(
        grows(node, lambda q: q == x) & grows(cached, _added) & kept(page) & _ONE_TICK,
        forall(POS, lambda q: _added(q) >> (page(q) == old(row(h, q)))),
        holders() & kept(tok, row) & kept(at, unless=_is_h) & (at(h) == x) & _AT_MOST_ONE_HIT,
    ),
    # h reads and locks the pages of the tree up to x.
    "relock": conj(
        FIXED_TREE & NO_TIME & holders() & kept(tok) & kept(at, unless=_is_h) & (at(h) == x),
        kept(row, unless=lambda g, q: (g == h) & _added(q)),
    ),
    # Only h stops holding anything, and the tree is unchanged.
    "release": FIXED_TREE & NO_TIME & old(held(h)) & ~held(h) & holders(leaves=_is_h) & kept(at, tok, row),
    # Exactly the tokens of the node n are no longer cached.
    "evict": conj(
        shrinks(node, lambda q: q == n) & shrinks(cached, lambda q: (old(up(n)) < q) & (q <= n)) & kept(page),
        old(node(n)) & FIXED_HOLDERS & NO_TIME,
    ),
    # No node is left, and there was no holder.
    "reset": forall(POS, lambda q: ~node(q)) & forall(REQUEST, lambda g: ~held(g)) & forall(REQUEST, lambda g: ~old(held(g))) & NO_TIME,
}


def postconditions(name: str) -> dict[str, Term]:
    """Return the promises of operations that a transition keeps by itself, with the parameters of the transition."""
    used = ACCESSED.get(name, eps)
    values = {"used": eps, "hit": lift(0), "new_priority": lift(0), "admitted": lift(True)}
    if name in ACCESSED:
        values |= {"used": used, "key": x, "hit": hit, "new_priority": new_priority}
    if name == "grow":
        values["new_priority"] = old(request_priority(h))
    ids = ["RECENCY", "FREQ", "PRIORITY", "CREATION"]
    ids += {
        **{"grow": ["HIT_PRESERVES", "INSERT_COVERS"], "release": ["HIT_PRESERVES", "FREE_AT_LAST_RELEASE"]},
        **{"evict": ["EVICT_LEAF", "EVICT_UNLOCKED"], "reset": ["RESET_QUIESCENT"]},
    }.get(name, ["HIT_PRESERVES"])
    return {id_: substitute(formula(LRU), values) for id_ in ids if (formula := POSTS[id_]) is not None}


def _was(d: Term) -> tuple[Term, Term]:
    """Return the stored key of an entry in the state before."""
    return old(first(d)), old(second(d))


def _pushed(d: Term) -> Term:
    return queued(d) & ~old(queued(d))


def _pushes(policy: Policy, needed: Callable[[Term], Term]) -> Term:
    """Every pushed entry has the current key of an evictable leaf, and a node gets another entry only if `needed`."""
    truth = forall(ENTRY, lambda d: _pushed(d) >> (live(d) & conj(*(a == b for a, b in zip(stored(d), policy.key(on(d)), strict=True)))))
    other = forall((POS, ENTRY), lambda q, d: (node(q) & (d == entry(q)) & (d != old(entry(q)))) >> (_pushed(d) & needed(q)))
    return truth & other & kept(*_HEAP)


def _pops(leaves: Callable[[Term], Term] = nowhere) -> Term:
    """Return the formula that exactly these entries were removed."""
    return forall(ENTRY, lambda d: (old(queued(d)) & ~leaves(d)) >> queued(d)) & forall(ENTRY, lambda d: queued(d) >> ~leaves(d))


def heap_steps(policy: Policy) -> dict[str, Term]:
    """Return what each transition does to the heap, and that the transitions of the heap alone do not change the cache."""

    def outdated(q: Term) -> Term:
        """The node had no entry, or an entry with a greater key than the node has now, which would surface too late."""
        return old(~has_entry(q)) | less(policy.key(q), _was(entry(q)))

    unseen = conj(FIXED_TREE, FIXED_HOLDERS, NO_TIME, *(STAYS[name] for name in STAYS))
    no_push = (
        forall(ENTRY, lambda d: queued(d) >> old(queued(d))) & kept(*_HEAP) & forall(POS, lambda q: node(q) >> (entry(q) == old(entry(q))))
    )
    current = old(conj(*(a == b for a, b in zip(stored(e), policy.key(n), strict=True))))
    return {
        "touch": _pops() & _pushes(policy, outdated),
        "release": _pops() & _pushes(policy, outdated),
        # The popped entry had the current key, and the victim has no entry left.
        "evict": _pops(lambda d: d == e) & _pushes(policy, outdated) & current & ~queued(old(entry(n))),
        "reset": forall(ENTRY, lambda d: ~queued(d)),
        "pop_dead": unseen & no_push & old(queued(e)) & _pops(lambda d: d == e),
        # The new entry of n has a greater key than the old one, which is removed.
        "repair": conj(
            unseen & _pops(lambda d: d == e) & _pushes(policy, lambda q: q == n),
            (old(entry(n)) == e) & (entry(n) == f) & queued(f) & less(_was(e), stored(entry(n))),
        ),
        "tidy": unseen & no_push & forall(ENTRY, lambda d: queued(d) >> live(d)) & forall(ENTRY, lambda d: old(live(d)) >> queued(d)),
    }


# The attributes of tokens do not change in a transition of the heap alone.
STAYS = {id_: formula for id_, formula in postconditions("").items() if id_ != "HIT_PRESERVES"}
