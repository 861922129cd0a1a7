"""What the calls of a cache promise: the formulas that `promise_chains` carries along the chains of `spec/operations.py`."""

from collections.abc import Iterator, Mapping

from radixcheck.spec.logic import INT, Term, conj, expand, forall, lift, old, substitute, total, var
from radixcheck.spec.operations import (
    FITS,
    FREED,
    GOES_ON,
    NOTHING_HELD,
    OPERATIONS,
    Chain,
    found,
    h,
    key,
    last_size,
    least,
    needed,
    used,
    wanted,
)
from radixcheck.spec.postconditions import MATCHED_STAYS, POSTCONDITIONS
from radixcheck.spec.signature import *
from radixcheck.spec.transitions import CACHE, hit, larger, n, new_priority, x
from radixcheck.spec.updates import after
from radixcheck.spec.values import NoRoom
from radixcheck.verification.proofs.conditions import ANY, state_formulas, theorems
from radixcheck.verification.proofs.laws import balance, descends, instance, interval, leaf_below, nonnegative
from radixcheck.verification.proofs.promise_chains import OF_CALL, Known, Promise, Promises, Values, since_call, with_values
from radixcheck.verification.proofs.step_postconditions import STATE_FUNCTIONS

CHAINS: Mapping[str, Chain] = {operation.name: operation.chain for operation in OPERATIONS.values()}
STEPS = {step.name: step for step in CACHE}
POSTS = {p.id: p.formula(ANY) for p in POSTCONDITIONS if p.formula is not None}
ADMITTING = tuple(o.name for o in OPERATIONS.values() if any(refusal.error is NoRoom for refusal in o.refusals))
TOKENS = ("RECENCY", "FREQ", "PRIORITY", "CREATION")  # what tokens carry

_ACCESS: dict[str, Values] = {
    "touch": {"used": n, "hit": hit, "new_priority": new_priority},
    "grow": {"used": x, "hit": hit, "new_priority": new_priority},
}
_QUIET: Values = {"used": eps, "hit": lift(0), "new_priority": lift(0)}

# Nothing becomes cached but prefixes of what is used; with HIT_PRESERVES and INSERT_COVERS: an insert adds exactly those of its key.
ADDS = forall(POS, lambda q: cached(q) >> (old(cached(q)) | (q <= used)))
STILL_LOCKED = forall(POS, lambda k: (old(cached(k)) & (old(lock(end(k))) > 0)) >> (cached(k) & (lock(end(k)) > 0)))
NODES_STAY = forall(POS, lambda v: (old(node(v)) & cached(v)) >> node(v))


def _mine(s: Term) -> Term:
    return (owner(s) == OWN) & (holder(s) == h)


OWN_KEPT = forall(PAGE, lambda s: old(_mine(s)) >> ((owner(s) == FREE) | (owner(s) == TREE) | _mine(s)))


def _until_given(promise: Promise) -> Known:
    return Known(promise.id, with_values(promise.formula, promise.before or {}), promise.id, not_given=True)


def _as_given(id_: str, **values: Term) -> Known:
    return Known(id_, with_values(POSTS[id_], values), id_)


_ADDS = Promise("ADDS", ADDS, {"grow": {"used": x}}, _QUIET)
_KEEPS = Promise("HIT_PRESERVES", POSTS["HIT_PRESERVES"])
_OWN_KEPT = Promise("OWN_KEPT", OWN_KEPT)
_CHANGED = {"touch": (_until_given(_ADDS),), "grow": (_until_given(_ADDS), _until_given(_KEEPS))}


def _tokens() -> Iterator[Promise]:
    for id_ in TOKENS:
        yield Promise(id_, POSTS[id_], _ACCESS, _QUIET, knows=_CHANGED)


def _exact() -> Promise:
    """The loop goes on only while too little is freed; an eviction frees the tokens of its node more than were freed before."""
    freed, (tokens, counted) = since_call(FREED), interval(up(n), n)
    goes_on, last = with_values(GOES_ON, {}), with_values(last_size, {}) == size(n)
    return Promise(
        "EVICT_EXACT",
        POSTS["EVICT_EXACT"],
        gives={"evict": {}},
        before={"last_size": var("last_size_before", INT)},
        knows={"evict": (_until_given(_ADDS), Known("GOES_ON", goes_on), Known("LAST", last))},
        laws={"evict": (counted, after(balance([freed], [old(freed), old(tokens)]), STEPS["evict"]))},
    )


KEYS = forall(POS, lambda u: (old(node(u)) & candidate(u)) >> conj(*(f(u) == old(f(u)) for f in (time, creation, hits, priority))))
NO_NEW_LEAF = forall((POS, POS), lambda m, p: (node(m) & (p == up(m))) >> ~old(candidate(p)))
# A bisection of the path to the key keeps two ends, the lower one cached (or the root) and nothing behind the higher one cached, until
# they meet. A position in the middle that is not cached lets it drop all that lies behind it.
DEEPEST = ((found == eps) | cached(found)) & forall(POS, lambda k: ((found < k) & (k <= key)) >> ~cached(k))
HALVED = forall((POS, POS), lambda m, k: ((m != eps) & ~cached(m) & (m <= key) & (prev(m) < k) & (k <= key)) >> ~cached(k))


def _order() -> Promise:
    """The least leaf is taken each time: of the leaves at the call, those that are left have kept their keys, and no other has
    joined them. What the call itself has refreshed it has locked (or it has refreshed nothing)."""
    m, p = var("m_goal", POS), var("p_goal", POS)
    covered = Known("COVER at the call", old(state_formulas()["COVER"]))
    shaped = Known("PARENT at the call", old(state_formulas()["PARENT"]))
    locked = Known("ADMISSION", with_values(MATCHED_STAYS, {"found": OF_CALL["used"]}), "ADMISSION")
    keys = Known("KEYS", KEYS, because=(_until_given(_ADDS), *map(_as_given, TOKENS), locked, covered))
    below = substitute(since_call(old(descends(var("parent", POS)))), {"parent": p})
    path = instance("transitive", p, m, since_call(old(end(m))))
    leaves = Known("NO_NEW_LEAF", NO_NEW_LEAF, because=(_until_given(_ADDS), covered, shaped), laws=(below, path))
    return Promise("ORDER", POSTS["ORDER"] & NODES_STAY, knows={"evict": (Known("LEAST", least(ANY)), keys, leaves)})


# A split and a touch leave what a lock would protect as it is, for every cached prefix.
PATHS_STAY = forall(POS, lambda p: cached(p) >> (evictable_path(p) == old(evictable_path(p))))
# What a call needs may be had by evictions that leave alone what it is about to lock (`spared` tokens): it is refused elsewhere.
SPARED = var("spared_call", INT)
IS_SPARED = Known("IS_SPARED", with_values(SPARED == old(evictable_path(found)), {}))  # which only gives a name
BUDGET = FREED + evictable + SPARED == old(evictable)
ENOUGH = (wanted <= FREED) & (FREED + SPARED <= old(evictable))
GUARD = Known("GUARD", with_values(old(FITS), {}))
SHORTFALL = Known("SHORTFALL", with_values(wanted == larger(lift(0), needed - old(available)), {}))
ADMITTED = Known("ADMITTED", with_values((wanted + SPARED <= old(evictable)) | (wanted <= 0), {}), because=(GUARD, SHORTFALL, IS_SPARED))
AT_FOUND = Known("AT_FOUND", with_values(n == found, {}))  # the argument of `begin` in the chain of a call that may be refused for room


def _spared() -> Known:
    """What a lock protects when it is taken is what the guard has spared: the split and the touch in between change nothing of it."""
    stays = Known("PATHS_STAY", with_values(evictable_path(found) == old(evictable_path(found)), {}), kept=True)
    at_a_node = Known("AT_A_NODE", node(n) | (n == eps))
    paths = [expand(protected_path(bound, eps)) for bound in (n, up(n), eps)]
    one_more = balance([paths[0]], [paths[1]], [n])
    laws = (one_more, *(balance([path], []) for path in paths), *map(nonnegative, paths))
    return Known("SPARED", SPARED == protected_path(n, eps), because=(IS_SPARED, AT_FOUND, stays, at_a_node), laws=laws)


def _budget() -> Promise:
    """What is evictable and what has been freed stay in balance; a lock takes from it what it protects."""
    freed, (tokens, counted) = since_call(FREED), interval(up(n), n)
    return Promise(
        "BUDGET",
        BUDGET,
        gives={"begin": {}},
        before={SPARED.args[0]: lift(0)},
        knows={"evict": (_until_given(_ADDS),), "begin": (_spared(),)},
        laws={"evict": (counted, after(balance([freed], [old(freed), old(tokens)]), STEPS["evict"]))},
    )


def _enough() -> Promise:
    """A call that is not refused gets what it asks for; and no evictions would free more than it counts on."""
    progress = Known("EVICT_PROGRESS", with_values(POSTS["EVICT_PROGRESS"], {}))
    unlocked = expand(total(POS, lambda k: node(k) & (lock(k) == 0), size))
    laws = (leaf_below(), balance([unlocked], []), nonnegative(unlocked), nonnegative(since_call(FREED)))
    enough = Known("ENOUGH", with_values(ENOUGH, {}), because=(Known("BUDGET", BUDGET, "BUDGET"), progress, ADMITTED), laws=laws)
    return Promise("ENOUGH", ENOUGH, before=None, after_loop="evict", knows={"loop": (enough,)})


EMPTY = forall(POS, lambda k: forall(ENTRY, lambda d: ~queued(d)) >> ~candidate(k))


def _progress() -> Promise:
    """The loop ends when enough is freed, or when nothing is left in the heap: then no leaf is left either."""
    empty = Known("EMPTY", EMPTY, because=(Known("HEAP_FULL", state_formulas(ANY, heap=True)["HEAP_FULL"]),))
    return Promise("EVICT_PROGRESS", POSTS["EVICT_PROGRESS"], before=None, after_loop="evict", knows={"loop": (empty,)})


def _longest(id_: str) -> Promise:
    return Promise(id_, POSTS[id_], knows={"call": (Known("DEEPEST", DEEPEST & (found <= key)), Known("HALVED", HALVED, because=()))})


PROMISES: dict[str, Promise] = {
    promise.id: promise
    for promise in (
        _ADDS,
        *_tokens(),
        _KEEPS,
        Promise("INSERT_COVERS", POSTS["INSERT_COVERS"], {"touch": {"key": n}, "grow": {"key": x}}, None),
        Promise("EVICT_LEAF", POSTS["EVICT_LEAF"]),
        Promise("EVICT_UNLOCKED", POSTS["EVICT_UNLOCKED"] & STILL_LOCKED),
        _exact(),
        _progress(),
        _budget(),
        _enough(),
        _order(),
        Promise("ADMISSION", POSTS["ADMISSION"], {"begin": {}}, None, knows={"begin": (GUARD, AT_FOUND)}),
        _OWN_KEPT,
        Promise(
            "FREE_AT_LAST_RELEASE",
            POSTS["FREE_AT_LAST_RELEASE"],
            {"release": {"h": h}},
            None,
            knows={"release": (Known("OWN_KEPT", OWN_KEPT, "OWN_KEPT"),)},
        ),
        *map(_longest, ("MATCH_MAX", "INSERT_MATCH_AGREE")),
        Promise("PEEK_PURE", POSTS["PEEK_PURE"]),
        Promise("RESET_QUIESCENT", POSTS["RESET_QUIESCENT"], {"reset": {}}, None, knows={"reset": (Known("GUARD", old(NOTHING_HELD)),)}),
    )
}


def promised(operation: str) -> Iterator[str]:
    """Yield the ids of what an operation promises."""
    yield "ADDS"
    if operation in ADMITTING:
        yield "ENOUGH"
    yield from (post.id for post in POSTCONDITIONS if operation in post.operations)


CACHE_PROMISES = Promises(
    STEPS,
    PROMISES,
    CHAINS,
    promised,
    state_formulas(ANY) | theorems(ANY),
    frozenset(f.name for f in STATE_FUNCTIONS),
    {"PATHS_STAY": PATHS_STAY},
)
