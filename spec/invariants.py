"""State formulas: what holds in every reachable state. Each has a witness, and a mutant that breaks it."""

from functools import partial

from radixcheck.spec.heap_machine import served
from radixcheck.spec.logic import Term, ite, lift, total
from radixcheck.spec.policies import Policy, less, stored
from radixcheck.spec.property import Property, stated
from radixcheck.spec.signature import *

state = partial(stated, "state")

something = some(lambda q: cached(q))
chained = some(lambda n: node(n) & (up(n) != eps))
siblings = some(lambda a, b: node(a) & node(b) & (up(a) == up(b)) & (a != b))
locked = some(lambda n: node(n) & (lock(n) > 0))


@state(chained, "evict_internal", "Q1 Q6")
def no_orphan(policy: Policy) -> Term:
    """Every prefix of what is cached is cached: nothing is cut off from the root."""
    return every(lambda q, p: (cached(q) & (p <= q) & (p != eps)) >> cached(p))


@state(some(lambda q: cached(q) & (end(q) != q)), "walk_past_split", "Q9")
def cover(policy: Policy) -> Term:
    """Every cached position lies on exactly one node, which is cached and ends at or behind it."""
    on_one = every(lambda q: cached(q) >> (node(end(q)) & cached(end(q)) & (q <= end(q)) & (up(end(q)) < q)))
    return on_one & every(lambda n: node(n) >> (cached(n) & (end(n) == n)))


@state(chained, "split_forgets_parent", "Q9")
def parent(policy: Policy) -> Term:
    """A node's parent is the deepest node above it, or the root."""
    above = every(lambda n: node(n) >> ((up(n) < n) & (node(up(n)) | (up(n) == eps))))
    return above & every(lambda n, m: (node(n) & (m < n) & node(m)) >> (m <= up(n)))


@state(siblings, "split_keeps_child_key", "C5 Q7")
def child_key(policy: Policy) -> Term:
    """A child is filed under the first page of its own segment, and no two children of a node share it."""
    return every(lambda n, q: (node(n) & (q <= n) & cached(q)) >> (end(q) <= n))


@state(something, "insert_keeps_tail", "Q3")
def page_align(policy: Policy) -> Term:
    """Nodes, segments and frees are whole aligned pages."""
    return every(lambda q: cached(q) >> (whole(q) & (room(q) == length(q))))


@state(locked, "split_forgets_lock", "C2 C3 Q9")
def lock_count(policy: Policy) -> Term:
    """A node's lock count is the number of holders whose path contains it."""
    return every(lambda n: node(n) >> (lock(n) == total(REQUEST, lambda g: held(g) & (n <= at(g)), lambda g: 1)))


@state(locked, "unlock_twice")
def lock_nonneg(policy: Policy) -> Term:
    """No lock count is negative, and none exceeds that of the parent."""
    return every(lambda n: node(n) >> ((lock(n) >= 0) & ((up(n) == eps) | (lock(n) <= lock(up(n))))))


@state(some(lambda h: held(h) & (at(h) != eps)), "match_returns_root", "Q5")
def lock_span(policy: Policy) -> Term:
    """A holder locks the node at which its protected part ends."""
    return every(lambda h: held(h) >> ((at(h) <= tok(h)) & (node(at(h)) | (at(h) == eps))))


@state(locked, "evict_decrements_twice", "Q3 Q4")
def count(policy: Policy) -> Term:
    """Evictable, protected and available sizes are the tokens of unlocked nodes, of locked nodes and of free slots."""
    return (
        (evictable == total(POS, lambda n: node(n) & (lock(n) == 0), lambda n: size(n)))
        & (protected == total(POS, lambda n: node(n) & (lock(n) != 0), lambda n: size(n)))
        & (available == total(PAGE, lambda s: owner(s) == FREE, lambda s: page_size))
    )


@state(something, "walk_past_divergence")
def match_sound(policy: Policy) -> Term:
    """The slots of a cached position hold the tokens of that very prefix."""
    return every(lambda q: cached(q) >> ((owner(page(q)) == TREE) & (content(page(q)) == q)))


_of_tree = some(lambda s: owner(s) == TREE)
_of_request = some(lambda s: owner(s) == OWN)


@state(_of_tree & _of_request, "finish_frees_from_zero", "Q1 Q4")
def slot_partition(policy: Policy) -> Term:
    """Every slot is free, in the tree once, or in one request's own part: none twice, none lost."""

    def known_to_holder(s: Term) -> Term:
        h, q = holder(s), content(s)
        return held(h) & (row(h, q) == s) & (at(h) < q) & (q <= tok(h))

    return every(
        lambda s: (
            ((owner(s) == FREE) | (owner(s) == TREE) | (owner(s) == OWN))
            & ((owner(s) == TREE) >> (cached(content(s)) & (page(content(s)) == s)))
            & ((owner(s) == OWN) >> known_to_holder(s))
        )
    )


@state(some(lambda h: held(h) & (at(h) != tok(h))), "start_forgets_lock")
def no_uaf(policy: Policy) -> Term:
    """Every slot that a live request reads is not free and holds that request's tokens at that place."""

    def own(h: Term, q: Term) -> Term:
        s = row(h, q)
        return (owner(s) == OWN) & (holder(s) == h) & (content(s) == q)

    return every(lambda h, q: (held(h) & (q <= tok(h)) & (q != eps)) >> ite(q <= at(h), cached(q) & (row(h, q) == page(q)), own(h, q)))


@state(some(lambda a, b: cached(a) & cached(b) & (namespace(a) != namespace(b))), "namespace_drops_component")
def isolation(policy: Policy) -> Term:
    """What is cached under a namespace holds tokens of that namespace."""
    return every(lambda q: cached(q) >> (namespace(content(page(q))) == namespace(q)))


@state(chained, "insert_touches_leaf_only", "C6 Q1")
def time_mono(policy: Policy) -> Term:
    """A node was last accessed no later than its parent."""
    return every(lambda n: (node(n) & (up(n) != eps)) >> (time(n) <= time(up(n))))


@state(siblings, "insert_without_tick", "C6")
def time_chain(policy: Policy) -> Term:
    """Two nodes accessed at the same tick lie on one path."""
    return every(lambda a, b: (node(a) & node(b) & (time(a) == time(b))) >> ((a <= b) | (b <= a)))


@state(chained, "split_renews_creation", "Q9")
def attribute_mono(policy: Policy) -> Term:
    """A parent was created no later than its child, hit no less often, and has no lower priority."""

    def below(n: Term, p: Term) -> Term:
        return (creation(p) <= creation(n)) & (hits(n) <= hits(p)) & (priority(n) <= priority(p))

    return every(lambda n: (node(n) & (up(n) != eps)) >> below(n, up(n)))


@state(siblings, "insert_without_tick", "C6")
def creation_chain(policy: Policy) -> Term:
    """Two nodes created at the same tick lie on one path."""
    return every(lambda a, b: (node(a) & node(b) & (creation(a) == creation(b))) >> ((a <= b) | (b <= a)))


@state(some(lambda n: node(n) & (creation(n) < time(n))), "coarse_clock")
def clock(policy: Policy) -> Term:
    """Nothing was created after its last access, or accessed in the future; no hit count or priority is negative."""

    def sane(n: Term) -> Term:
        return (creation(n) <= time(n)) & (time(n) <= now) & (lift(0) <= hits(n)) & (lift(0) <= priority(n))

    return every(lambda n: node(n) >> sane(n)) & every(lambda h: held(h) >> (lift(0) <= urgency(h)))


@state(some(lambda n: candidate(n)), "evict_forgets_parent", "C1 C4 L1 L3", heap=True)
def heap_full(policy: Policy) -> Term:
    """Every evictable leaf has a live entry in the heap."""
    return every(lambda n: candidate(n) >> served(n))


def _outdated(policy: Policy) -> Term:
    return some(lambda n: candidate(n) & less(stored(entry(n)), policy.key(n)))


@state(_outdated, "touch_without_push", "C2 L2 L3 L4", heap=True)
def heap_stale(policy: Policy) -> Term:
    """The entry of an evictable leaf is never later than the leaf's live key: it surfaces in time to be repaired."""
    return every(lambda n: (candidate(n) & served(n)) >> ~less(policy.key(n), stored(entry(n))))


STATE_FORMULAS: tuple[Property, ...] = (
    *(no_orphan, cover, parent, child_key, page_align),
    *(lock_count, lock_nonneg, lock_span, count),
    *(match_sound, slot_partition, no_uaf, isolation),
    *(time_mono, time_chain, attribute_mono, creation_chain, clock),
    *(heap_full, heap_stale),
)
