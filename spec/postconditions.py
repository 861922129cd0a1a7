"""Operation postconditions: what a call must have done and left alone. `old(...)` is the state before the call.

Parameters of a call, as positions and integers: `key` the whole pages asked about, `found` what was answered, `used` the end of the
accessed path (eps: the call refreshes nothing), `hit` and `rank` what the access adds, `wanted` tokens to evict, `last_size` tokens
of the last victim, `h` the holder.
"""

from functools import partial

from radixcheck.spec.logic import INT, Term, ite, lift, old, total, var
from radixcheck.spec.policies import Policy
from radixcheck.spec.property import Property, stated
from radixcheck.spec.signature import *

post = partial(stated, "post")

key, found, used = (var(name, POS) for name in ("key", "found", "used"))
hit, rank, wanted, last_size = (var(name, INT) for name in ("hit", "rank", "wanted", "last_size"))
h = var("h", REQUEST)
PARAMETERS = (key, found, used, hit, rank, wanted, last_size, h)

ACCESS = ("match", "insert", "start", "chunk", "finish")
EVICTING = ("evict", "alloc", "start", "decode")
QUIET = ("peek", "lock", "unlock", "evict", "alloc", "free", "decode", "abort")
ANY = ACCESS + QUIET
KEEPING = ("match", "peek", "insert", "lock", "unlock", "free", "chunk", "finish", "abort")

_touched = some(lambda k: cached(k) & (k <= used))
_touched_and_not = _touched & some(lambda k: cached(k) & ~(k <= used))
_known = some(lambda k: old(cached(k)) & (k <= key))
_evicted = some(lambda k: old(cached(k)) & ~cached(k))
_freed = total(POS, lambda k: old(cached(k)) & ~cached(k) & (owner(old(page(k))) != LOST), lambda k: page_size)


@post(_touched_and_not, "touch_whole_edge", "L5 C6", ANY)
def recency(policy: Policy) -> Term:
    """Exactly the tokens used are refreshed; a match that ends inside an edge refreshes the upper part only."""
    return every(lambda q: cached(q) >> (time(end(q)) == ite((q <= used) | ~old(cached(q)), now, old(time(end(q))))))


@post(_touched & (hit == 1), "split_forgets_hits", "Q9", ANY)
def freq(policy: Policy) -> Term:
    """Exactly inserts count hits, one for each token of the key; a split keeps them."""

    def expected(q: Term) -> Term:
        return ite(old(cached(q)), old(hits(end(q))), 0) + ite(q <= used, hit, 0)

    return every(lambda q: cached(q) >> (hits(end(q)) == expected(q)))


@post(_touched & (0 < rank), "insert_forgets_priority", "Q9", ANY)
def priority_kept(policy: Policy) -> Term:
    """A token has the highest priority with which it was inserted; a split keeps it."""

    def expected(q: Term) -> Term:
        before = old(priority(end(q)))
        return ite(old(cached(q)) & (~(q <= used) | (rank < before)), before, rank)

    return every(lambda q: cached(q) >> (priority(end(q)) == expected(q)))


@post(_touched_and_not, "split_renews_creation", "Q9", ANY)
def creation_kept(policy: Policy) -> Term:
    """A token keeps the time at which it was cached; a split keeps it."""
    return every(lambda q: cached(q) >> (creation(end(q)) == ite(old(cached(q)), old(creation(end(q))), now)))


@post(_known, "peek_touches", "", ("peek",))
def peek_pure(policy: Policy) -> Term:
    """A peek changes nothing (that it counts no hit, FREQ says)."""
    sizes = (available == old(available)) & (evictable == old(evictable)) & (protected == old(protected))

    def same(k: Term) -> Term:
        return (end(k) == old(end(k))) & (time(end(k)) == old(time(end(k)))) & (lock(end(k)) == old(lock(end(k))))

    kept = every(lambda k: old(cached(k)) >> cached(k))
    return every(lambda k: cached(k) >> (old(cached(k)) & same(k))) & kept & sizes


def _longest() -> Term:
    return every(lambda k: (old(cached(k)) & (k <= key)) >> (k <= found)) & ((found == eps) | old(cached(found)))


@post(_known, "match_stops_inside_edge", "", ("match", "peek", "start"))
def match_max(policy: Policy) -> Term:
    """A match returns the longest cached prefix, in whole pages."""
    return _longest()


@post(_known, "insert_counts_whole_edge", "", ("insert",))
def insert_match_agree(policy: Policy) -> Term:
    """The prefix that insert reports as present is the prefix that match would return."""
    return _longest()


@post(key != eps, "finish_caches_prompt_only", "", ("insert", "chunk", "finish"))
def insert_covers(policy: Policy) -> Term:
    """What has been inserted is found, every whole page of it."""
    return every(lambda k: ((k <= key) & (k != eps)) >> cached(k))


@post(some(lambda k: old(cached(k))), "hit_drops_node", "", KEEPING)
def hit_preserves(policy: Policy) -> Term:
    """A match, an insert, a lock or an end of a request removes nothing from the cache."""
    return every(lambda k: old(cached(k)) >> cached(k))


@post(_evicted, "evict_internal", "Q1 C4 Q6", EVICTING)
def evict_leaf(policy: Policy) -> Term:
    """Only leaves are evicted: what lies behind an evicted node was evicted before it."""

    def both_left(k: Term, p: Term) -> Term:
        return old(cached(k)) & (p < k) & old(cached(p)) & (old(end(p)) != old(end(k))) & ~cached(p) & ~cached(k)

    return every(lambda k, p: both_left(k, p) >> ((owner(old(page(p))) == LOST) | (owner(old(page(k))) != LOST)))


@post(_evicted & some(lambda k: cached(k) & (old(lock(end(k))) > 0)), "evict_ignores_lock", "C2 Q10", EVICTING)
def evict_unlocked(policy: Policy) -> Term:
    """Nothing that is locked is evicted."""
    return every(lambda k: (old(cached(k)) & (old(lock(end(k))) > 0)) >> cached(k))


@post(_evicted & (0 < wanted), "alloc_evicts_all_it_needs", "", EVICTING)
def evict_exact(policy: Policy) -> Term:
    """An eviction stops as soon as enough is freed, and evicts the shortfall only."""
    return (lift(0) < _freed) >> (_freed - last_size < wanted)


@post(0 < wanted, "evict_skips_promoted", "C4", EVICTING)
def evict_progress(policy: Policy) -> Term:
    """An eviction falls short only if no evictable leaf is left."""
    return (_freed < wanted) >> every(lambda k: ~candidate(k))


@post(_evicted & some(lambda k: old(candidate(k)) & candidate(k)), "evict_ignores_touch", "C1 C6 L2 L3 L4", EVICTING)
def order(policy: Policy) -> Term:
    """The victim is the least evictable leaf of the policy."""
    return every(lambda v, u: (old(node(v)) & ~cached(v) & old(candidate(u)) & candidate(u)) >> old(policy.before(v, u)))


@post(found != eps, "admission_counts_match_twice", "", ("start",))
def admission(policy: Policy) -> Term:
    """A request is admitted exactly if its shortfall can be freed without touching what it matched, which stays locked."""
    return every(lambda k: ((k <= found) & (k != eps)) >> (cached(k) & (lock(end(k)) > 0)))


def _of_h(s: Term) -> Term:
    return old(owner(s) == OWN) & old(holder(s) == h)


@post(some(lambda s: _of_h(s)), "abort_leaks_tail", "", ("finish", "abort", "free", "unlock"))
def free_at_last_release(policy: Policy) -> Term:
    """A holder that ends leaves nothing behind: its own slots are free or in the tree, its lock is gone."""
    return every(lambda s: _of_h(s) >> ((owner(s) == FREE) | (owner(s) == TREE)))


@post(some(lambda k: old(cached(k))), "reset_keeps_slots", "", ("reset",))
def reset_quiescent(policy: Policy) -> Term:
    """A reset is refused while anything is held; after it nothing is cached and every slot is free."""
    return every(lambda k: ~cached(k)) & every(lambda s: owner(s) == FREE)


POSTCONDITIONS: tuple[Property, ...] = (
    *(recency, freq, priority_kept, creation_kept, peek_pure),
    *(match_max, insert_match_agree, insert_covers, hit_preserves),
    *(evict_leaf, evict_unlocked, evict_exact, evict_progress, order),
    *(admission, free_at_last_release, reset_quiescent),
)
