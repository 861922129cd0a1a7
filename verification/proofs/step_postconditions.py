"""What each transition must have done, in the words of a caller: postconditions of the transitions themselves.

State formulas cannot see a step that does nothing. These say of each step which nodes and cached prefixes there are
afterwards, in which slots, who holds what, and how the clock moved. What tokens carry (time, hits, priority, creation)
is what the operations promise, with the parameters of the transition. Everything else (ends, parents, lock counts,
counters, who owns a page) follows from these by the state formulas, and is not said twice.
"""

from collections.abc import Callable

from radixcheck.spec import signature
from radixcheck.spec.heap_machine import e, f, has_entry, live
from radixcheck.spec.logic import BOOL, Function, Term, conj, forall, lift, old, substitute, var
from radixcheck.spec.policies import POLICIES, Policy, less, stored
from radixcheck.spec.postconditions import POSTCONDITIONS
from radixcheck.spec.signature import (
    ENTRY,
    FREE,
    OWN,
    PAGE,
    POS,
    REQUEST,
    at,
    cached,
    content,
    creation,
    end,
    entry,
    eps,
    first,
    held,
    hits,
    holder,
    length,
    lock,
    namespace,
    node,
    now,
    on,
    owner,
    page,
    prev,
    priority,
    queued,
    request_priority,
    row,
    second,
    time,
    tok,
    up,
)
from radixcheck.spec.transitions import c, h, hit, m, n, new_priority, s, x, y

# A function without arguments is in the signature as what it is worth.
_SYMBOLS = [s.args[0] if isinstance(s, Term) else s for s in vars(signature).values()]
STATE_FUNCTIONS: tuple[Function, ...] = tuple(s for s in _SYMBOLS if isinstance(s, Function) and s.kind == "state")
LRU = POLICIES["lru"]
POSTS = {p.id: p.formula for p in POSTCONDITIONS}
ACCESSED = {"touch": n, "grow": x}  # where the accessed path ends; the other transitions refresh nothing
_NAMES = {POS: "q0", REQUEST: "g0", PAGE: "s0", ENTRY: "d0"}  # no transition has such a parameter
_HEAP = (on, first, second)


def arguments(function: Function) -> tuple[Term, ...]:
    """Variables for the arguments of a function."""
    return tuple(var(_NAMES[sort], sort) for sort in function.domain)


def means(function: Function, *args: Term) -> Term:
    """Whether the function says something at these arguments, in the state in which this is read."""
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


def _kept(*functions: Function, unless: Callable[..., Term] = lambda *_: lift(False)) -> Term:
    """Where they said something and still do, they say the same."""

    def kept(function: Function) -> Term:
        args = arguments(function)
        both = means(function, *args) & old(means(function, *args)) & ~unless(*args)
        return Term("forall", (args, both >> (function(*args) == old(function(*args)))), BOOL)

    return conj(*map(kept, functions))


def _same(set_: Function) -> Term:
    """The set is what it was."""
    return forall(POS, lambda q: old(set_(q)) >> set_(q)) & forall(POS, lambda q: set_(q) >> old(set_(q)))


def _grows(set_: Function, where: Callable[[Term], Term]) -> Term:
    """The set is what it was, and the positions that satisfy `where`."""
    stays = forall(POS, lambda q: old(set_(q)) >> set_(q)) & forall(POS, lambda q: where(q) >> set_(q))
    return stays & forall(POS, lambda q: set_(q) >> (old(set_(q)) | where(q)))


def _shrinks(set_: Function, where: Callable[[Term], Term]) -> Term:
    """The set is what it was, without the positions that satisfy `where`."""
    stays = forall(POS, lambda q: (old(set_(q)) & ~where(q)) >> set_(q))
    return stays & forall(POS, lambda q: set_(q) >> (old(set_(q)) & ~where(q)))


def _nowhere(_: Term) -> Term:
    return lift(False)


def _holders(joins: Callable[[Term], Term] = _nowhere, leaves: Callable[[Term], Term] = _nowhere) -> Term:
    """Who holds something: as before, but for who joins and who leaves."""
    stay = forall(REQUEST, lambda g: (old(held(g)) & ~leaves(g)) >> held(g)) & forall(
        REQUEST, lambda g: held(g) >> ((old(held(g)) | joins(g)) & ~leaves(g))
    )
    return stay & conj(_kept(request_priority))


_FIXED_TREE = _same(node) & _same(cached) & _kept(page)
_FIXED_HOLDERS = _holders() & _kept(at, tok, row)
_NO_TIME = now == old(now)
_ONE_TICK = now == old(now) + 1
_AT_MOST_ONE_HIT = forall(POS, lambda q: (cached(q) & old(cached(q))) >> (hits(end(q)) <= old(hits(end(q))) + 1)) & (hit <= 1)


def _is_h(g: Term, *_: Term) -> Term:
    return g == h


def _last_place(g: Term, q: Term) -> Term:
    return (g == h) & (q == tok(h))


def _added(q: Term) -> Term:
    """Behind where the part that the holder had locked ended, up to x."""
    return (q <= x) & (old(at(h)) < q)


STEPS: dict[str, Term] = {
    # Only the nodes change: no prefix, no slot and no holder does.
    "split": _grows(node, lambda q: q == m) & _same(cached) & _kept(page) & _FIXED_HOLDERS & _NO_TIME & (up(c) == m),
    # Nothing changes but the clock and what the postconditions of an access say.
    "touch": _FIXED_TREE & _FIXED_HOLDERS & _ONE_TICK & _AT_MOST_ONE_HIT,
    # h is held now, reads the tree's pages up to n and has the priority that it asked for.
    "begin": conj(
        _FIXED_TREE & _NO_TIME & ~old(held(h)) & held(h) & _holders(joins=_is_h),
        _kept(at, tok, row, unless=_is_h) & (at(h) == n) & (tok(h) == n) & (request_priority(h) == new_priority),
    ),
    # The row of h is one page longer, and that page is the free one.
    "extend": conj(
        _FIXED_TREE & _NO_TIME & _holders() & _kept(at, row) & _kept(tok, unless=_is_h),
        (tok(h) == y) & (prev(y) == old(tok(h))) & (row(h, y) == s) & (old(owner(s)) == FREE),
    ),
    # The last page of the row of h is as it was, with one more token in it.
    "fill": conj(
        _FIXED_TREE & _NO_TIME & _holders() & _kept(at) & _kept(tok, unless=_is_h) & _kept(row, unless=_last_place),
        (tok(h) == y) & (row(h, y) == old(row(h, tok(h)))) & (length(y) == old(length(tok(h))) + 1) & (prev(y) == old(prev(tok(h)))),
        namespace(y) == old(namespace(tok(h))),
    ),
    # The slots of h up to x, which nobody had cached, are cached as one node, which h locks.
    "grow": conj(
        _grows(node, lambda q: q == x) & _grows(cached, _added) & _kept(page) & _ONE_TICK,
        forall(POS, lambda q: _added(q) >> (page(q) == old(row(h, q)))),
        _holders() & _kept(tok, row) & _kept(at, unless=_is_h) & (at(h) == x) & _AT_MOST_ONE_HIT,
    ),
    # h reads and locks the tree's pages up to x.
    "relock": conj(
        _FIXED_TREE & _NO_TIME & _holders() & _kept(tok) & _kept(at, unless=_is_h) & (at(h) == x),
        _kept(row, unless=lambda g, q: (g == h) & _added(q)),
    ),
    # Nobody but h stops holding anything, and the tree stays.
    "release": _FIXED_TREE & _NO_TIME & old(held(h)) & ~held(h) & _holders(leaves=_is_h) & _kept(at, tok, row),
    # The tokens of the node n are no longer cached; all others are.
    "evict": conj(
        _shrinks(node, lambda q: q == n) & _shrinks(cached, lambda q: (old(up(n)) < q) & (q <= n)) & _kept(page),
        old(node(n)) & _FIXED_HOLDERS & _NO_TIME,
    ),
    # No node is left, and nobody held any.
    "reset": forall(POS, lambda q: ~node(q)) & forall(REQUEST, lambda g: ~held(g)) & forall(REQUEST, lambda g: ~old(held(g))) & _NO_TIME,
}


def postconditions(name: str) -> dict[str, Term]:
    """The promises of operations that a transition of the cache keeps alone, read with its own parameters."""
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
    """The key with which the entry (of the state before) was pushed."""
    return old(first(d)), old(second(d))


def _pushed(d: Term) -> Term:
    return queued(d) & ~old(queued(d))


def _pushes(policy: Policy, needed: Callable[[Term], Term]) -> Term:
    """What is pushed speaks the truth about an evictable leaf, and another entry comes to speak for a node only if needed."""
    truth = forall(ENTRY, lambda d: _pushed(d) >> (live(d) & conj(*(a == b for a, b in zip(stored(d), policy.key(on(d)), strict=True)))))
    other = forall((POS, ENTRY), lambda q, d: (node(q) & (d == entry(q)) & (d != old(entry(q)))) >> (_pushed(d) & needed(q)))
    return truth & other & _kept(*_HEAP)


def _pops(leaves: Callable[[Term], Term] = _nowhere) -> Term:
    """Only these entries are gone."""
    return forall(ENTRY, lambda d: (old(queued(d)) & ~leaves(d)) >> queued(d)) & forall(ENTRY, lambda d: queued(d) >> ~leaves(d))


def heap_steps(policy: Policy) -> dict[str, Term]:
    """What the transitions of the heap do to the heap, and that those of their own do nothing to the cache."""

    def outdated(q: Term) -> Term:
        """No entry spoke for the node, or one with a later key than the node has now: it would surface too late."""
        return old(~has_entry(q)) | less(policy.key(q), _was(entry(q)))

    unseen = conj(_FIXED_TREE, _FIXED_HOLDERS, _NO_TIME, *(STAYS[name] for name in STAYS))
    no_push = (
        forall(ENTRY, lambda d: queued(d) >> old(queued(d))) & _kept(*_HEAP) & forall(POS, lambda q: node(q) >> (entry(q) == old(entry(q))))
    )
    told = old(conj(*(a == b for a, b in zip(stored(e), policy.key(n), strict=True))))
    return {
        "touch": _pops() & _pushes(policy, outdated),
        "release": _pops() & _pushes(policy, outdated),
        # The entry that surfaced told the truth, and nothing that spoke for the victim is left.
        "evict": _pops(lambda d: d == e) & _pushes(policy, outdated) & told & ~queued(old(entry(n))),
        "reset": forall(ENTRY, lambda d: ~queued(d)),
        "pop_dead": unseen & no_push & old(queued(e)) & _pops(lambda d: d == e),
        # The entry that speaks for n has a later key than the one that did, which is gone.
        "repair": conj(
            unseen & _pops(lambda d: d == e) & _pushes(policy, lambda q: q == n),
            (old(entry(n)) == e) & (entry(n) == f) & queued(f) & less(_was(e), stored(entry(n))),
        ),
        "tidy": unseen & no_push & forall(ENTRY, lambda d: queued(d) >> live(d)) & forall(ENTRY, lambda d: old(live(d)) >> queued(d)),
    }


# What no token carries after a step that was not there before it.
STAYS = {id_: formula for id_, formula in postconditions("").items() if id_ != "HIT_PRESERVES"}
