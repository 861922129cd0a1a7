"""Operation postconditions: what a call must have done and left alone. `old(...)` is the state at the call.

Their parameters (`key`, `found`, `used`, ...) are those of a call, listed in `spec/operations.py`: a *used* token is one up to `used`.
"""

from functools import partial

from radixcheck.spec.logic import Term, conj, exists, forall, ite, lift, old
from radixcheck.spec.operations import (
    FITS,
    FREED,
    NOTHING_HELD,
    OPERATIONS,
    admitted,
    found,
    given_priority,
    h,
    hit,
    key,
    last_size,
    new_priority,
    taking,
    used,
    wanted,
)
from radixcheck.spec.policies import Policy
from radixcheck.spec.property import Property, stated
from radixcheck.spec.signature import *
from radixcheck.spec.transitions import EVICT

post = partial(stated, "post")

EVICTING = taking(EVICT)
ANY = tuple(name for name in OPERATIONS if name != "reset")
KEEPING = tuple(name for name in ANY if name not in EVICTING)

_touched = exists(POS, lambda k: cached(k) & (k <= used))
_touched_and_not = _touched & exists(POS, lambda k: cached(k) & ~(k <= used))
_known = exists(POS, lambda k: old(cached(k)) & (k <= key))
_evicted = exists(POS, lambda k: old(cached(k)) & ~cached(k))


@post("RECENCY", _touched_and_not, "touch_whole_edge", "L5 C6", ANY)
def recency(policy: Policy) -> Term:
    """Of the tokens that are cached after the call, the used and the newly cached ones have its time, all others keep theirs.

    So where a match ends inside a node, only the part before its end is refreshed. A cache that refreshes the rest, too, keeps what no
    request needed and evicts what was used (L5, FB-51).
    """
    return forall(POS, lambda q: cached(q) >> (time(end(q)) == ite((q <= used) | ~old(cached(q)), now, old(time(end(q))))))


@post("FREQ", _touched & (hit == 1), "split_forgets_hits", "Q9", ANY)
def freq(policy: Policy) -> Term:
    """The hits of a token that is cached after the call are those that it had, 0 if it is newly cached, and those of the call if it was
    used.

    A call has one hit if it is an insert or a finish, else none. Counting each look of a scheduler makes hit counts, and what is backed up
    by them, meaningless (FB-47).
    """

    def expected(q: Term) -> Term:
        return ite(old(cached(q)), old(hits(end(q))), 0) + ite(q <= used, hit, 0)

    return forall(POS, lambda q: cached(q) >> (hits(end(q)) == expected(q)))


@post("PRIORITY", _touched & (0 < new_priority), "insert_forgets_priority", "Q9", ANY)
def priority_of_tokens(policy: Policy) -> Term:
    """Of the tokens that are cached after the call, a used one has the larger of its priority and that of the call, a newly cached one that
    of the call; all others keep theirs.

    A shared prefix must survive as long as the most important request that needs it.
    """

    def expected(q: Term) -> Term:
        before = old(priority(end(q)))
        return ite(old(cached(q)) & (~(q <= used) | (new_priority < before)), before, new_priority)

    return forall(POS, lambda q: cached(q) >> (priority(end(q)) == expected(q)))


@post("CREATION", _touched_and_not, "split_renews_creation", "Q9", ANY)
def creation_of_tokens(policy: Policy) -> Term:
    """A token that the call has cached has the time of the call as its creation, all others that are cached keep theirs.

    It is what fifo and filo compare: a split that sets it anew makes old prefixes young (Q9).
    """
    return forall(POS, lambda q: cached(q) >> (creation(end(q)) == ite(old(cached(q)), old(creation(end(q))), now)))


@post("PEEK_PURE", _known, "peek_touches", "", ("peek",))
def peek_pure(policy: Policy) -> Term:
    """A peek changes nothing: which positions are cached, on which nodes, in which pages, with which times and locks; who is live, where
    each holder locks and ends, and what it reads; who owns each page; and the sizes. (FREQ, PRIORITY and CREATION say it of the others.)

    Schedulers peek at every waiting request (FB-47, FB-54).
    """
    sizes = (available == old(available)) & (evictable == old(evictable)) & (protected == old(protected))

    def same_token(k: Term) -> Term:
        values = (time(end(k)) == old(time(end(k)))) & (lock(end(k)) == old(lock(end(k))))
        return old(cached(k)) & (end(k) == old(end(k))) & (page(k) == old(page(k))) & values

    def same_holder(g: Term) -> Term:
        return old(held(g)) & (at(g) == old(at(g))) & (tok(g) == old(tok(g)))

    return conj(
        sizes,
        forall(POS, lambda k: cached(k) >> same_token(k)),
        forall(POS, lambda k: old(cached(k)) >> cached(k)),
        forall(REQUEST, lambda g: held(g) >> same_holder(g)),
        forall(REQUEST, lambda g: old(held(g)) >> held(g)),
        forall((REQUEST, POS), lambda g, q: (held(g) & (q <= tok(g)) & (q != eps)) >> (row(g, q) == old(row(g, q)))),
        forall(PAGE, lambda s: owner(s) == old(owner(s))),
    )


def _longest() -> Term:
    """`found` is the longest prefix of the key that was cached at the call."""
    was_cached = (found == eps) | old(cached(found))
    return (found <= key) & was_cached & forall(POS, lambda k: (old(cached(k)) & (k <= key)) >> (k <= found))


@post("MATCH_MAX", _known, "match_stops_inside_edge", "", ("match", "peek", "start"))
def match_max(policy: Policy) -> Term:
    """A match, a peek and a start find the longest prefix of the key's whole pages that was cached at the call.

    What they leave out is computed again (FB-04).
    """
    return _longest()


@post("INSERT_MATCH_AGREE", _known, "insert_counts_whole_edge", "", ("insert",))
def insert_match_agree(policy: Policy) -> Term:
    """The prefix that an insert reports is the longest prefix of the key's whole pages that was cached at the call.

    It is what a match would have found. The caller frees the slots of exactly this part: one page too many is freed while the tree uses it
    (FB-08).
    """
    return _longest()


@post("INSERT_COVERS", key != eps, "finish_caches_prompt_only", "", ("insert", "chunk", "finish"))
def insert_covers(policy: Policy) -> Term:
    """After an insert, a chunk and a finish every whole page of the key is cached.

    Multi-turn conversations reuse the answers of the last turn only if these were cached, too (FB-07).
    """
    return forall(POS, lambda k: ((k <= key) & (k != eps)) >> cached(k))


@post("HIT_PRESERVES", exists(POS, lambda k: old(cached(k))), "hit_drops_node", "", KEEPING)
def hit_preserves(policy: Policy) -> Term:
    """No operation but evict, alloc, start, decode and reset removes anything from the cache.

    In some engines a hit destroyed the entry that it found (FB-25).
    """
    return forall(POS, lambda k: old(cached(k)) >> cached(k))


@post("EVICT_LEAF", _evicted, "evict_internal", "Q1 C4 Q6", EVICTING)
def evict_leaf(policy: Policy) -> Term:
    """Only leaves are evicted, as the slots show: if a call evicts a position and a longer one on another node, the page of the longer one
    is not lost unless that of the shorter one is. In a program: victims give back their slots leaf first.

    The first question about sglang#6907: the slots below an evicted internal node return late, or never (Q1, FB-41).
    """

    def both_left(k: Term, p: Term) -> Term:
        return old(cached(k)) & (p < k) & old(cached(p)) & (old(end(p)) != old(end(k))) & ~cached(p) & ~cached(k)

    return forall((POS, POS), lambda k, p: both_left(k, p) >> ((owner(old(page(p))) == LOST) | (owner(old(page(k))) != LOST)))


@post("EVICT_UNLOCKED", _evicted & exists(POS, lambda k: cached(k) & (old(lock(end(k))) > 0)), "evict_ignores_lock", "C2 Q10", EVICTING)
def evict_unlocked(policy: Policy) -> Term:
    """Nothing that was locked at the call is evicted.

    A lock is a promise to a running request (FB-16).
    """
    return forall(POS, lambda k: (old(cached(k)) & (old(lock(end(k))) > 0)) >> cached(k))


@post("EVICT_EXACT", _evicted & (0 < wanted), "alloc_evicts_all_it_needs", "", EVICTING)
def evict_exact(policy: Policy) -> Term:
    """If a call evicts anything, it has freed less than was wanted before its last victim.

    What a call that allocates wants is its shortfall. Evicting the whole need destroys cached prefixes at every step (FB-20, FB-21).
    """
    return (lift(0) < FREED) >> (FREED - last_size < wanted)


@post("EVICT_PROGRESS", 0 < wanted, "evict_skips_promoted", "C4", EVICTING)
def evict_progress(policy: Policy) -> Term:
    """A call frees less than was wanted only if no evictable leaf is left.

    A parent that is not promoted when its last child leaves cannot be evicted: the pool is full, and nothing can be freed (C4, FB-43).
    """
    return (FREED < wanted) >> forall(POS, lambda k: ~candidate(k))


@post("ORDER", _evicted & exists(POS, lambda k: old(candidate(k)) & candidate(k)), "evict_ignores_touch", "C1 C6 L2 L3 L4", EVICTING)
def order(policy: Policy) -> Term:
    """Every node that was evicted comes before every evictable leaf of the call that still is one, by the keys that both had at the call.

    So the victims are the least leaves of the policy, in whatever order one call takes them (C1, FB-46, FB-50).
    """
    return forall((POS, POS), lambda v, u: (old(node(v)) & ~cached(v) & old(candidate(u)) & candidate(u)) >> old(policy.before(v, u)))


MATCHED_STAYS = forall(POS, lambda k: (admitted & (k <= found) & (k != eps)) >> (cached(k) & (lock(end(k)) > 0)))


@post("ADMISSION", found != eps, "admission_counts_match_twice", "", ("start",), refusals=True)
def admission(policy: Policy) -> Term:
    """A start under an id that is not live, with a priority that is not negative, is admitted exactly if the tokens that it needs are at
    most the free and the evictable ones, without the evictable ones of what it matched; and if it is admitted, what it matched is cached
    and locked afterwards.

    To count the match as reusable and as evictable at once admits a request that then finds no room (FB-24, FB-25).
    """
    exactly = (old(held(h)) | (given_priority < 0)) | (admitted == old(FITS))
    return exactly & MATCHED_STAYS


def _of_h(s: Term) -> Term:
    return old(owner(s) == OWN) & old(holder(s) == h)


@post("FREE_AT_LAST_RELEASE", exists(PAGE, lambda s: _of_h(s)), "abort_leaks_tail", "", ("finish", "abort", "free", "unlock"))
def free_at_last_release(policy: Policy) -> Term:
    """After a finish, an abort, a free and an unlock the holder is not live, and each page that it owned at the call is free or the tree's.

    Slots of a request that ended without giving them back are lost until a restart (FB-39).
    """
    return ~held(h) & forall(PAGE, lambda s: _of_h(s) >> ((owner(s) == FREE) | (owner(s) == TREE)))


@post("RESET_QUIESCENT", exists(POS, lambda k: old(cached(k))), "reset_keeps_slots", "", ("reset",), refusals=True)
def reset_quiescent(policy: Policy) -> Term:
    """A reset is admitted exactly if nothing is held; after it nothing is cached and every slot is free.

    A request that lives on holds a node of a tree that is gone (FB-18).
    """
    emptied = forall(POS, lambda k: ~(admitted & cached(k))) & forall(PAGE, lambda s: admitted >> (owner(s) == FREE))
    return (admitted == old(NOTHING_HELD)) & emptied


POSTCONDITIONS: tuple[Property, ...] = (
    *(recency, freq, priority_of_tokens, creation_of_tokens, peek_pure),
    *(match_max, insert_match_agree, insert_covers, hit_preserves),
    *(evict_leaf, evict_unlocked, evict_exact, evict_progress, order),
    *(admission, free_at_last_release, reset_quiescent),
)
