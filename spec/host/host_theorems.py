"""Theorems of the host tier, which follow from its state formulas in every state."""

from functools import partial

from radixcheck.spec.host.host_signature import *
from radixcheck.spec.logic import Term, exists, forall
from radixcheck.spec.operations import NOTHING_HELD
from radixcheck.spec.policies import Policy
from radixcheck.spec.property import Property, stated

theorem = partial(stated, "theorem")

_off_device = exists(POS, lambda n: node(n) & ~resident(n))
_pinned = exists(POS, lambda n: node(n) & (pins(n) > 0))


@theorem("PROTECTED", exists(REQUEST, lambda h: held(h) & (at(h) != eps)), "evict_ignores_lock", "Q5")
def protected_resident(policy: Policy) -> Term:
    """Every prefix of the node that a live holder locks, but the empty one, is on the device and lies on a locked node; no two positions
    on the device have the same page.

    Whoever can still reach a deleted node must not find slots that are another's by now (Q5).
    """
    locked = forall((REQUEST, POS), lambda h, q: (held(h) & (q <= at(h)) & (q != eps)) >> (resident(q) & (lock(end(q)) > 0)))
    return locked & forall((POS, POS), lambda a, b: (resident(a) & resident(b) & (page(a) == page(b))) >> (a == b))


@theorem("PINNED", _pinned, "load_without_pins", "C10")
def pinned(policy: Policy) -> Term:
    """Every position that a load reads lies on a pinned node; no node has fewer than no pins; no two positions on the host have the same
    host page.

    So nothing that a load reads can be evicted from the host.
    """
    kept = forall((REQUEST, POS), lambda h, q: (loading(h) & in_span(h, q)) >> (pins(end(q)) > 0))
    one = forall((POS, POS), lambda a, b: (hosted(a) & hosted(b) & (host_page(a) == host_page(b))) >> (a == b))
    return kept & one & forall(POS, lambda n: node(n) >> (pins(n) >= 0))


@theorem("LOCKED_RESIDENT", exists(POS, lambda n: node(n) & (lock(n) > 0)), "demote_ignores_lock", "C10")
def locked_resident(policy: Policy) -> Term:
    """Every locked node is on the device."""
    return forall(POS, lambda n: (node(n) & (lock(n) > 0)) >> resident(n))


@theorem("PINNED_HOSTED", _pinned, "drop_host_while_read", "C10")
def pinned_hosted(policy: Policy) -> Term:
    """Every pinned node is on the host."""
    return forall(POS, lambda n: (node(n) & (pins(n) > 0)) >> hosted(n))


@theorem("QUIESCENT", NOTHING_HELD & exists(POS, lambda n: node(n)), "ack_load_keeps_pins", "C10")
def quiescent(policy: Policy) -> Term:
    """While nothing is held, every page of the tree is filled on both tiers, no node is pinned, and no host page is reserved.

    What a copy that is over has left behind is never repaired.
    """
    calm = forall(POS, lambda q: resident(q) >> filled(page(q))) & forall(POS, lambda q: hosted(q) >> host_filled(host_page(q)))
    free = forall(HOST_PAGE, lambda t: host_owner(t) != OWN) & forall(POS, lambda n: node(n) >> (pins(n) == 0))
    return NOTHING_HELD >> (calm & free)


@theorem("SOME_COPY", _off_device, "drop_host_while_read", "C10")
def some_copy(policy: Policy) -> Term:
    """Every cached position has a filled page on some tier.

    Whatever copy fails, nothing that is cached is lost.
    """
    return forall(POS, lambda q: cached(q) >> ((resident(q) & filled(page(q))) | (hosted(q) & host_filled(host_page(q)))))


@theorem("LOADABLE", _off_device, "host_evict_keeps_node", "C10")
def loadable(policy: Policy) -> Term:
    """What is cached and not on the device is on the host, and filled there.

    So what a match finds behind the part on the device can be loaded, all of it.
    """
    return forall(POS, lambda q: (cached(q) & ~resident(q)) >> (hosted(q) & host_filled(host_page(q))))


HOST_THEOREMS: tuple[Property, ...] = (*(protected_resident, pinned, locked_resident, pinned_hosted), *(quiescent, some_copy, loadable))
