"""Formulas of events: what holds of a fold of all events, in every reachable state, of a cache without a host tier and of one with it.

Each has a witness, and a mutant that breaks it. EVENT_ID follows from what ids are (`event_signature.py`), for both kinds of caches.
"""

from functools import partial

from radixcheck.spec.events.event_signature import *
from radixcheck.spec.logic import Term, exists, forall
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

    A router sends a request to where its prefix is, and knows of no cache more than its events.
    """
    return forall(POS, lambda q: announced(q) >> cached(q)) & forall(POS, lambda q: cached(q) >> announced(q))


@event("EVENT_PARENT", _chained, "events_of_victims_backwards")
def event_parent(policy: Policy) -> Term:
    """Every prefix of what the events give, but the empty one, they give too: a page is stored after its parent, and removed after all
    that follow it.

    A page without its parent is the end of no prefix that a router can find.
    """
    return forall((POS, POS), lambda q, p: (announced(q) & (p <= q) & (p != eps)) >> announced(p))


@event("EVENT_ID", _two, "event_ids_forget_namespace")
def event_id(policy: Policy) -> Term:
    """No two cached positions have the same id. In a program: an id stands for the same page always, and a page has one id.

    Ids that leave out the namespace, or the pages before, make a router take one prefix for another.
    """
    return forall((POS, POS), lambda p, q: (cached(p) & cached(q) & (page_id(p) == page_id(q))) >> (p == q))


@event("EVENT_ORDER", _something, "split_announces_removal")
def event_order(policy: Policy) -> Term:
    """No event has stored a page on a tier that had it, or removed one from a tier that had it not.

    One who counts the pages, or the caches that have one, counts wrong from then on.
    """
    return forall(POS, lambda q: ~misplaced(q))


@event("EVENT_REPLAY", _on_host_only, "evict_announces_nothing")
def tiered_replay(policy: Policy) -> Term:
    """The events so far, folded, give of each tier exactly the positions whose page on that tier is filled.

    A page is announced when its copy has arrived: before, nothing can be read there, and the copy may fail.
    """
    device = forall(POS, lambda q: announced(q) >> (resident(q) & filled(page(q)))) & forall(
        POS, lambda q: (resident(q) & filled(page(q))) >> announced(q)
    )
    host = forall(POS, lambda q: host_announced(q) >> (hosted(q) & host_filled(host_page(q)))) & forall(
        POS, lambda q: (hosted(q) & host_filled(host_page(q))) >> host_announced(q)
    )
    return device & host


@event("EVENT_PARENT", _on_host, "events_of_victims_backwards")
def tiered_parent(policy: Policy) -> Term:
    """Every prefix of what the events give of a tier, but the empty one, they give of some tier; every prefix of what they give of the
    device has a page on the device.

    So a page is removed from the device after all that follow it there. What is announced of a page before it, if a load of that has not
    arrived yet, is the host's; under write-back the host may have what continues a prefix without the prefix, which is on the device then.
    """

    def somewhere(q: Term) -> Term:
        return announced(q) | host_announced(q)

    device = forall((POS, POS), lambda q, p: (announced(q) & (p <= q) & (p != eps)) >> (resident(p) & somewhere(p)))
    return device & forall((POS, POS), lambda q, p: (host_announced(q) & (p <= q) & (p != eps)) >> somewhere(p))


EVENT_FORMULAS: tuple[Property, ...] = (event_replay, event_parent, event_id, event_order)
HOST_EVENT_FORMULAS: tuple[Property, ...] = (tiered_replay, tiered_parent, event_id, event_order)
