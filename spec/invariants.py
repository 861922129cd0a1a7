"""State formulas: what holds in every reachable state. Each has a witness, and a mutant that breaks it.

A docstring's first paragraph is the sentence that reports print. It says exactly what the formula says; what is checked of programs beside
the formula follows after "In a program:". The second paragraph says why a cache needs it, with its source: a question of the review
(`radixcheck questions`) or a fault reported in the field (FB-..).
"""

from functools import partial

from radixcheck.spec.heap_machine import has_entry
from radixcheck.spec.logic import Term, exists, forall, ite, lift, total
from radixcheck.spec.policies import Policy, less, stored
from radixcheck.spec.property import Property, stated
from radixcheck.spec.signature import *

state = partial(stated, "state")

something = exists(POS, lambda q: cached(q))
chained = exists(POS, lambda n: node(n) & (up(n) != eps))
siblings = exists((POS, POS), lambda a, b: node(a) & node(b) & (up(a) == up(b)) & (a != b))
locked = exists(POS, lambda n: node(n) & (lock(n) > 0))


@state("NO_ORPHAN", chained, "evict_internal", "Q1 Q6")
def no_orphan(policy: Policy) -> Term:
    """Every prefix of a cached position, but the empty one, is cached.

    A prefix that is gone cuts off what is longer: its slots can neither be matched nor evicted (FB-42, sglang#6907 Q1). A longest
    match may be searched by bisection only because this holds.
    """
    return forall((POS, POS), lambda q, p: (cached(q) & (p <= q) & (p != eps)) >> cached(p))


@state("COVER", exists(POS, lambda q: cached(q) & (end(q) != q)), "walk_past_split", "Q9")
def cover(policy: Policy) -> Term:
    """Every cached position has a cached node that covers it: the node ends there or further on, and its parent before it; a node is
    cached, and covers its own end.

    A walk reads slots, times and locks off the node. That no second node covers the position follows with CHILD_KEY.
    """
    on_a_node = forall(POS, lambda q: cached(q) >> (node(end(q)) & cached(end(q)) & (q <= end(q)) & (up(end(q)) < q)))
    return on_a_node & forall(POS, lambda n: node(n) >> (cached(n) & (end(n) == n)))


@state("PARENT", chained, "split_forgets_parent", "Q9")
def parent(policy: Policy) -> Term:
    """A node's parent is the deepest node above it, or the root if there is none.

    Locks and evictions walk from parent to parent: a node that is left out is neither protected nor promoted to a leaf.
    """
    above = forall(POS, lambda n: node(n) >> ((up(n) < n) & (node(up(n)) | (up(n) == eps))))
    return above & forall((POS, POS), lambda n, m: (node(n) & (m < n) & node(m)) >> (m <= up(n)))


@state("CHILD_KEY", siblings, "split_keeps_child_key", "C5 Q7")
def child_key(policy: Policy) -> Term:
    """Every cached prefix of a node is covered by that node or by one above it. In a program: a child is filed under the first page of
    its segment.

    So no two children of a node begin with the same page. With a key that is left over from before a split the child cannot be removed
    (FB-03, sglang#6907 C5 and Q7).
    """
    return forall((POS, POS), lambda n, q: (node(n) & (q <= n) & cached(q)) >> (end(q) <= n))


@state("PAGE_ALIGN", something, "insert_keeps_tail", "Q3")
def page_align(policy: Policy) -> Term:
    """Every cached position ends at a page boundary. In a program: the slots that it answers and frees are whole aligned pages.

    The allocator knows pages only: half a page in the tree is a page that two owners share (FB-28).
    """
    return forall(POS, lambda q: cached(q) >> (whole(q) & (room(q) == length(q))))


@state("LOCK_COUNT", locked, "split_forgets_lock", "C2 C3 Q9")
def lock_count(policy: Policy) -> Term:
    """A node's lock count is the number of live holders that lock it or a node below it.

    One too few, and the KV of a running request is evicted; one too many, and its slots never return (FB-10, FB-13).
    """
    return forall(POS, lambda n: node(n) >> (lock(n) == total(REQUEST, lambda g: held(g) & (n <= at(g)), lambda g: 1)))


@state("LOCK_NONNEG", locked, "unlock_twice")
def lock_nonneg(policy: Policy) -> Term:
    """No lock count is negative, and none exceeds that of the parent unless the parent is the root.

    After an unlock too many the next lock protects nothing (FB-09, FB-14).
    """
    return forall(POS, lambda n: node(n) >> ((lock(n) >= 0) & ((up(n) == eps) | (lock(n) <= lock(up(n))))))


@state("LOCK_SPAN", exists(REQUEST, lambda h: held(h) & (at(h) != eps)), "match_returns_root", "Q5")
def lock_span(policy: Policy) -> Term:
    """What a live holder locks ends at a node or is empty, and is a prefix of its tokens. In a program: the handle of a match is the node
    at which the match ends.

    A match that returns another node makes its caller lock the wrong path (FB-02).
    """
    return forall(REQUEST, lambda h: held(h) >> ((at(h) <= tok(h)) & (node(at(h)) | (at(h) == eps))))


@state("COUNT", locked, "evict_decrements_twice", "Q3 Q4")
def count(policy: Policy) -> Term:
    """The evictable, protected and available sizes are the tokens of unlocked nodes, the tokens of locked nodes, and the free slots.

    Schedulers admit requests by these numbers (FB-23, sglang#6907 Q3 and Q4).
    """
    return (
        (evictable == total(POS, lambda n: node(n) & (lock(n) == 0), lambda n: size(n)))
        & (protected == total(POS, lambda n: node(n) & (lock(n) != 0), lambda n: size(n)))
        & (available == total(PAGE, lambda s: owner(s) == FREE, lambda s: page_size))
    )


@state("MATCH_SOUND", something, "walk_past_divergence")
def match_sound(policy: Policy) -> Term:
    """The page of a cached position belongs to the tree and holds the last page of that very prefix.

    Otherwise a request reads the KV of other tokens, and nothing fails (FB-01).
    """
    return forall(POS, lambda q: cached(q) >> ((owner(page(q)) == TREE) & (content(page(q)) == q)))


_of_tree = exists(PAGE, lambda s: owner(s) == TREE)
_of_request = exists(PAGE, lambda s: owner(s) == OWN)


@state("SLOT_PARTITION", _of_tree & _of_request, "finish_frees_from_zero", "Q1 Q4")
def slot_partition(policy: Policy) -> Term:
    """Every page is free; or the tree's, as the page of the cached position that it holds; or a live holder's, in its row at the position
    that it holds, after the part that the holder locks.

    Any other page is leaked; one that is freed while it is in use is given out twice (FB-27, FB-34).
    """

    def known_to_holder(s: Term) -> Term:
        h, q = holder(s), content(s)
        return held(h) & (row(h, q) == s) & (at(h) < q) & (q <= tok(h))

    return forall(
        PAGE,
        lambda s: (
            ((owner(s) == FREE) | (owner(s) == TREE) | (owner(s) == OWN))
            & ((owner(s) == TREE) >> (cached(content(s)) & (page(content(s)) == s)))
            & ((owner(s) == OWN) >> known_to_holder(s))
        ),
    )


@state("NO_UAF", exists(REQUEST, lambda h: held(h) & (at(h) != tok(h))), "start_forgets_lock")
def no_uaf(policy: Policy) -> Term:
    """Every page that a live holder reads is not free and holds that part of its tokens: up to the node that it locks it is the tree's page
    for that position, after it the holder's own.

    This is the use after free of a KV cache: the request goes on, and reads what another one writes there.
    """

    def its_own(h: Term, q: Term) -> Term:
        return (owner(row(h, q)) == OWN) & (holder(row(h, q)) == h)

    def reads(h: Term, q: Term) -> Term:
        of_tree_or_own = ite(q <= at(h), cached(q) & (row(h, q) == page(q)), its_own(h, q))
        return of_tree_or_own & (owner(row(h, q)) != FREE) & (content(row(h, q)) == q)

    return forall((REQUEST, POS), lambda h, q: (held(h) & (q <= tok(h)) & (q != eps)) >> reads(h, q))


@state("ISOLATION", exists((POS, POS), lambda a, b: cached(a) & cached(b) & (namespace(a) != namespace(b))), "namespace_drops_component")
def isolation(policy: Policy) -> Term:
    """The page of a cached position holds tokens of the same namespace.

    Adapters and salts compute different KV for the same tokens (FB-66, FB-68, FB-70).
    """
    return forall(POS, lambda q: cached(q) >> (namespace(content(page(q))) == namespace(q)))


@state("TIME_MONO", chained, "insert_touches_leaf_only", "C6 Q1")
def time_mono(policy: Policy) -> Term:
    """A node was last accessed no later than its parent, unless the parent is the root.

    The change of sglang#6907 relies on it: then no parent surfaces in an eviction heap before its children do (Q1, C6).
    """
    return forall(POS, lambda n: (node(n) & (up(n) != eps)) >> (time(n) <= time(up(n))))


@state("TIME_CHAIN", siblings, "insert_without_tick", "C6")
def time_chain(policy: Policy) -> Term:
    """Two nodes that were last accessed at the same tick lie on one path.

    So no two leaves tie, and the order of victims needs no sequence number (C6, FB-49).
    """
    return forall((POS, POS), lambda a, b: (node(a) & node(b) & (time(a) == time(b))) >> ((a <= b) | (b <= a)))


@state("ATTRIBUTE_MONO", chained, "split_renews_creation", "Q9")
def attribute_mono(policy: Policy) -> Term:
    """A parent other than the root was created no later than its child, hit no less often, and has no lower priority.

    Every access goes up to the root, and a split gives both halves the same values (Q9).
    """

    def below(n: Term, p: Term) -> Term:
        return (creation(p) <= creation(n)) & (hits(n) <= hits(p)) & (priority(n) <= priority(p))

    return forall(POS, lambda n: (node(n) & (up(n) != eps)) >> below(n, up(n)))


@state("CREATION_CHAIN", siblings, "insert_without_tick", "C6")
def creation_chain(policy: Policy) -> Term:
    """Two nodes that were created at the same tick lie on one path.

    The counterpart of TIME_CHAIN for fifo and filo.
    """
    return forall((POS, POS), lambda a, b: (node(a) & node(b) & (creation(a) == creation(b))) >> ((a <= b) | (b <= a)))


@state("CLOCK", exists(POS, lambda n: node(n) & (creation(n) < time(n))), "coarse_clock")
def clock(policy: Policy) -> Term:
    """No node was created after its last access or accessed in the future; no hit count of a node, and no priority of a node or of a live
    holder, is negative.

    A clock in whole seconds breaks the order of victims (FB-50).
    """

    def sane(n: Term) -> Term:
        return (creation(n) <= time(n)) & (time(n) <= now) & (lift(0) <= hits(n)) & (lift(0) <= priority(n))

    return forall(POS, lambda n: node(n) >> sane(n)) & forall(REQUEST, lambda h: held(h) >> (lift(0) <= request_priority(h)))


@state("HEAP_FULL", exists(POS, lambda n: candidate(n)), "evict_forgets_parent", "C1 C4 L1 L3", heap=True)
def heap_full(policy: Policy) -> Term:
    """Every evictable leaf has an entry in the heap that is current for it.

    A leaf without one is never evicted: the pool runs full although there is something to evict (C1, C4, FB-43).
    """
    return forall(POS, lambda n: candidate(n) >> has_entry(n))


def _outdated(policy: Policy) -> Term:
    return exists(POS, lambda n: candidate(n) & less(stored(entry(n)), policy.key(n)))


@state("HEAP_STALE", _outdated, "touch_without_push", "C2 L2 L3 L4", heap=True)
def heap_stale(policy: Policy) -> Term:
    """The stored key of an evictable leaf's current entry, if that is in the heap, is not greater than the leaf's live key.

    So the entry surfaces in time to be repaired. Where a key can shrink, as under mru, repair at the pop alone is too late (L2, FB-46).
    """
    return forall(POS, lambda n: (candidate(n) & has_entry(n)) >> ~less(policy.key(n), stored(entry(n))))


STATE_FORMULAS: tuple[Property, ...] = (
    *(no_orphan, cover, parent, child_key, page_align),
    *(lock_count, lock_nonneg, lock_span, count),
    *(match_sound, slot_partition, no_uaf, isolation),
    *(time_mono, time_chain, attribute_mono, creation_chain, clock),
    *(heap_full, heap_stale),
)
