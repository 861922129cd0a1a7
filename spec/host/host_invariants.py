"""State formulas of a cache with a host tier: what holds in every reachable state. Each has a witness, and a mutant that breaks it.

Those of the tree are the cache's own, word for word. Those of slots are stated of each tier; MATCH_SOUND, SLOT_PARTITION, NO_UAF, COUNT and
ISOLATION say of the device what they say of a cache without a host, and are the same where everything is on the device. Those of copies,
and what may be read when, are in `copy_invariants.py`.
"""

from functools import partial

from radixcheck.spec.host.host_signature import *
from radixcheck.spec.invariants import STATE_FORMULAS
from radixcheck.spec.logic import Term, exists, forall, ite, total
from radixcheck.spec.policies import Policy
from radixcheck.spec.property import Property, stated

state = partial(stated, "state")

# State formulas that read nothing of a tier.
OF_TREE: tuple[str, ...] = ("NO_ORPHAN", "COVER", "PARENT", "CHILD_KEY", "PAGE_ALIGN", "LOCK_COUNT", "LOCK_NONNEG", "LOCK_SPAN")
OF_TREE += ("TIME_MONO", "TIME_CHAIN", "ATTRIBUTE_MONO", "CREATION_CHAIN", "CLOCK")

on_device = exists(POS, lambda q: resident(q))
on_host = exists(POS, lambda q: hosted(q))
off_device = exists(POS, lambda n: node(n) & ~resident(n))
_chained_hosted = exists(POS, lambda n: node(n) & hosted(n) & (up(n) != eps))
_chained_resident = exists(POS, lambda n: node(n) & resident(n) & (up(n) != eps))


@state("REACHABLE", off_device, "host_evict_keeps_node", "C10")
def reachable(policy: Policy) -> Term:
    """A position is cached if and only if the device or the host holds it.

    What no tier holds can neither be matched nor evicted, and what the tree does not know of is lost (sglang#6907 C10).
    """
    some_tier = forall(POS, lambda q: cached(q) >> (resident(q) | hosted(q)))
    return some_tier & forall(POS, lambda q: resident(q) >> cached(q)) & forall(POS, lambda q: hosted(q) >> cached(q))


@state("UNIFORM", off_device, "split_leaves_host_slots", "C10")
def uniform(policy: Policy) -> Term:
    """All positions of a node are on the same tiers as its end.

    A copy, an eviction and a match treat a node as a whole: a half that was left behind is read as if it were there.
    """
    return forall(POS, lambda q: cached(q) >> ((resident(q) == resident(end(q))) & (hosted(q) == hosted(end(q)))))


@state("DEVICE_CLOSED", _chained_resident, "demote_above_resident", "C10 Q6")
def device_closed(policy: Policy) -> Term:
    """Every prefix of what the device holds, but the empty one, is on the device.

    A match of the device walks from the root, and stops where a prefix is gone: what lies behind is neither matched nor evicted.
    """
    return forall((POS, POS), lambda q, p: (resident(q) & (p <= q) & (p != eps)) >> resident(p))


@state("HOST_CLOSED", _chained_hosted, "backup_child_first", "C10 Q6")
def host_closed(policy: Policy) -> Term:
    """Under write-through every prefix of what the host holds, but the empty one, is on the host.

    Then a device leaf that the host has not has no children at all, and can be deleted. Backups that skip a parent break it
    (sglang#22062, sglang#30106, sglang#31902).
    """
    return forall((POS, POS), lambda q, p: (~gaps & hosted(q) & (p <= q) & (p != eps)) >> hosted(p))


@state("MATCH_SOUND", on_device, "walk_past_divergence")
def match_sound(policy: Policy) -> Term:
    """The device page of a position on the device belongs to the tree and is for the last page of that very prefix.

    Otherwise a request reads the KV of other tokens, and nothing fails (FB-01).
    """
    return forall(POS, lambda q: resident(q) >> ((owner(page(q)) == TREE) & (content(page(q)) == q)))


@state("HOST_SOUND", on_host, "split_swaps_host_slots")
def host_sound(policy: Policy) -> Term:
    """The host page of a position on the host belongs to the tree and is for the last page of that very prefix.

    A load copies it to the device, where it is read: an error on the host is a wrong answer one load later.
    """
    return forall(POS, lambda q: hosted(q) >> ((host_owner(host_page(q)) == TREE) & (host_content(host_page(q)) == q)))


@state(
    "ISOLATION", exists((POS, POS), lambda a, b: resident(a) & resident(b) & (namespace(a) != namespace(b))), "namespace_drops_component"
)
def isolation(policy: Policy) -> Term:
    """The device page of a position on the device holds tokens of the same namespace.

    Adapters and salts compute different KV for the same tokens (FB-66, FB-68, FB-70).
    """
    return forall(POS, lambda q: resident(q) >> (namespace(content(page(q))) == namespace(q)))


_of_tree = exists(PAGE, lambda s: owner(s) == TREE)
_of_request = exists(PAGE, lambda s: owner(s) == OWN)


@state("SLOT_PARTITION", _of_tree & _of_request, "finish_frees_from_zero", "Q1 Q4")
def slot_partition(policy: Policy) -> Term:
    """Every device page is free; or the tree's, as the page of the position on the device that it is for; or a live holder's, in its row at
    the position that it is for, after the part that the holder locks, and filled.

    Any other page is leaked; one that is freed while it is in use is given out twice (FB-27, FB-34).
    """

    def known_to_holder(s: Term) -> Term:
        h, q = holder(s), content(s)
        return held(h) & (row(h, q) == s) & (at(h) < q) & (q <= tok(h)) & filled(s)

    return forall(
        PAGE,
        lambda s: (
            ((owner(s) == FREE) | (owner(s) == TREE) | (owner(s) == OWN))
            & ((owner(s) == TREE) >> (resident(content(s)) & (page(content(s)) == s)))
            & ((owner(s) == OWN) >> known_to_holder(s))
        ),
    )


@state("HOST_PARTITION", on_host, "failed_backup_keeps_slots")
def host_partition(policy: Policy) -> Term:
    """Every host page is free; or the tree's, as the host page of the position that it is for; or reserved by a live holder that prepares a
    backup, for a position of its span up to where it has reserved.

    Any other host page is leaked: a copy that fails must give its pages back.
    """

    def known(t: Term) -> Term:
        h, q = host_holder(t), host_content(t)
        return held(h) & (stage(h) == RESERVING) & (host_row(h, q) == t) & (floor(h) < q) & (q <= reserved(h))

    return forall(
        HOST_PAGE,
        lambda t: (
            ((host_owner(t) == FREE) | (host_owner(t) == TREE) | (host_owner(t) == OWN))
            & ((host_owner(t) == TREE) >> (hosted(host_content(t)) & (host_page(host_content(t)) == t)))
            & ((host_owner(t) == OWN) >> known(t))
        ),
    )


@state("NO_UAF", exists(REQUEST, lambda h: held(h) & (at(h) != tok(h))), "start_forgets_lock")
def no_uaf(policy: Policy) -> Term:
    """Every page that a live holder reads is not free and is for that part of its tokens: up to the node that it locks it is the tree's
    device page for that position, after it the holder's own.

    This is the use after free of a KV cache: the request goes on, and reads what another one writes there.
    """

    def its_own(h: Term, q: Term) -> Term:
        return (owner(row(h, q)) == OWN) & (holder(row(h, q)) == h)

    def reads(h: Term, q: Term) -> Term:
        of_tree_or_own = ite(q <= at(h), resident(q) & (row(h, q) == page(q)), its_own(h, q))
        return of_tree_or_own & (owner(row(h, q)) != FREE) & (content(row(h, q)) == q)

    return forall((REQUEST, POS), lambda h, q: (held(h) & (q <= tok(h)) & (q != eps)) >> reads(h, q))


@state("COUNT", exists(POS, lambda n: node(n) & (lock(n) > 0)), "evict_decrements_twice", "Q3 Q4")
def count(policy: Policy) -> Term:
    """The evictable, protected and available sizes are the tokens of unlocked nodes and of locked nodes on the device, and of the free
    device slots.

    Schedulers admit requests by these numbers (FB-23, sglang#6907 Q3 and Q4).
    """
    return (
        (evictable == total(POS, lambda n: node(n) & resident(n) & (lock(n) == 0), lambda n: size(n)))
        & (protected == total(POS, lambda n: node(n) & resident(n) & (lock(n) != 0), lambda n: size(n)))
        & (available == total(PAGE, lambda s: owner(s) == FREE, lambda s: page_size))
    )


@state("HOST_COUNT", on_host, "host_available_uncounted")
def host_count(policy: Policy) -> Term:
    """The host's available size is the tokens of its free slots.

    Backups are issued, and host leaves evicted, by this number.
    """
    return host_available == total(HOST_PAGE, lambda t: host_owner(t) == FREE, lambda t: page_size)


_TREE = tuple(p for p in STATE_FORMULAS if p.id in OF_TREE)
OF_TIERS: tuple[Property, ...] = (
    *(reachable, uniform, device_closed, host_closed, match_sound, host_sound, isolation),
    *(slot_partition, host_partition, no_uaf, count, host_count),
)
TREE_FORMULAS: tuple[Property, ...] = _TREE
