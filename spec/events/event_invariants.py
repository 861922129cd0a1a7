"""Formulas of events: what holds of a fold of all events, in every reachable state, of a cache without a host tier and of one with it.

Each has a witness, and a mutant that breaks it. EVENT_ID follows from what ids are (`event_signature.py`), for both kinds of caches.
"""

from collections.abc import Callable
from functools import partial

from radixcheck.spec.events.event_signature import *
from radixcheck.spec.logic import Function, Term, exists, forall
from radixcheck.spec.policies import Policy
from radixcheck.spec.property import Property, stated

event = partial(stated, "event")

_something = exists(POS, lambda q: announced(q))
_chained = exists((POS, POS), lambda q, p: announced(q) & (p < q) & announced(p))
_two = exists((POS, POS), lambda p, q: announced(p) & announced(q) & (p != q))
_on_host = exists(POS, lambda q: host_announced(q))
_on_host_only = exists(POS, lambda q: host_announced(q) & ~announced(q))


@event("EVENT_REPLAY", _something, "evict_announces_nothing")
def event_replay(policy: Policy) -> Term:
    """The events so far, folded, give exactly the cached positions.

    A router sends requests to the cache that has their prefix, and knows that from events alone.
    """
    return forall(POS, lambda q: announced(q) >> cached(q)) & forall(POS, lambda q: cached(q) >> announced(q))


@event("EVENT_PARENT", _chained, "events_of_victims_backwards")
def event_parent(policy: Policy) -> Term:
    """Every prefix of what the events give, but the empty one, they give too. In a program: a page is stored after the page before it,
    under the same namespace, and removed after the pages that follow it.

    What follows a missing page is the end of no prefix that a router can find: it drops it, or keeps it for ever.
    """
    return forall((POS, POS), lambda q, p: (announced(q) & (p <= q) & (p != eps)) >> announced(p))


@event("EVENT_ID", _two, "event_ids_forget_namespace")
def event_id(policy: Policy) -> Term:
    """No two cached positions have the same id. In a program: an id stands for the same page always, a page has one id, and an event has
    one id for each page of tokens.

    Ids that leave out the namespace, or the pages before, make a router take one prefix for another (FB-66, FB-68).
    """
    return forall((POS, POS), lambda p, q: (cached(p) & cached(q) & (page_id(p) == page_id(q))) >> (p == q))


@event("EVENT_ORDER", _something, "split_stores_again")
def event_order(policy: Policy) -> Term:
    """No event has stored a page on a tier where the fold had it, or removed one from a tier where the fold had it not.

    A router that counts events, or keeps the last of each page, goes wrong for good.
    """
    return forall(POS, lambda q: ~misplaced(q))


def _has(tier: Function, where: Callable[[Term], Term]) -> Term:
    """What the fold has on a tier are exactly these positions."""
    return forall(POS, lambda q: tier(q) >> where(q)) & forall(POS, lambda q: where(q) >> tier(q))


@event("EVENT_REPLAY", _on_host_only, "evict_announces_nothing")
def tiered_replay(policy: Policy) -> Term:
    """The events so far, folded, give of each tier exactly the positions that it holds in a filled page.

    A page is announced when its copy has arrived: before, there is nothing to read, and the copy may fail.
    """
    device = _has(announced, lambda q: resident(q) & filled(page(q)))
    return device & _has(host_announced, lambda q: hosted(q) & host_filled(host_page(q)))


@event("EVENT_PARENT", _on_host, "events_of_victims_backwards")
def tiered_parent(policy: Policy) -> Term:
    """Every prefix of what the events give of a tier, but the empty one, they give of some tier; every prefix of what they give of the
    device has a page on the device. In a program: a page is stored after the page before it, under the same namespace, and removed from the
    device after the pages that follow it there, from its last tier after all that follow it.

    The page before may be on the host alone while a load brings it, or, under write-back, on the device alone.
    """

    def somewhere(q: Term) -> Term:
        return announced(q) | host_announced(q)

    device = forall((POS, POS), lambda q, p: (announced(q) & (p <= q) & (p != eps)) >> (resident(p) & somewhere(p)))
    return device & forall((POS, POS), lambda q, p: (host_announced(q) & (p <= q) & (p != eps)) >> somewhere(p))


EVENT_FORMULAS: tuple[Property, ...] = (event_replay, event_parent, event_id, event_order)
HOST_EVENT_FORMULAS: tuple[Property, ...] = (tiered_replay, tiered_parent, event_id, event_order)
